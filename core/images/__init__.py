"""Find, decode and preprocess photos."""
