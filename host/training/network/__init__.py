"""The network of a training: made, loaded and saved."""
