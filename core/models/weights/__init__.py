"""torchvision's named weights: which there are, and downloads of them."""
