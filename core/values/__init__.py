"""What several rooms speak of: plain values, without numpy and without torch."""
