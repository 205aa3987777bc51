"""A picture as a vector: whether two vectors point the same way."""
