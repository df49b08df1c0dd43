"""Show what the layers of the network compute."""
