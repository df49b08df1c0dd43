"""Pick architecture, checkpoint, class names and device."""
