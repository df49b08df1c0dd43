"""Checkpoints of PyTorch, in any of their containers; no code in them is run."""
