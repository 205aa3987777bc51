"""A camera that fails is opened again."""
