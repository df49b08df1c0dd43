"""Whether a model is right: its answers against labels. Knows neither store nor engine."""
