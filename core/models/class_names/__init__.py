"""Class names: in files of their own, and those that checkpoints carry."""
