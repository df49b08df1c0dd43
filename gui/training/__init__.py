"""Teaching: a model learns the classes of the labelled photos."""
