"""What a state dict is: clean its names, match them, find the head, explain."""
