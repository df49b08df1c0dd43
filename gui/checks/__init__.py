"""Checking: how right the model in use is on labelled photos."""
