"""Run a model on photos: devices, the classifier and the engine that owns it."""
