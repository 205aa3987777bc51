"""The loop from a camera to answers."""
