"""Show predictions and the progress of a run."""
