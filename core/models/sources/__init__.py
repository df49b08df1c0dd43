"""What a model can come from: one source a kind of file."""
