"""A picture as a vector."""
