"""Architectures, checkpoints, class names: everything that makes a model."""
