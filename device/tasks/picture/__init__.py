"""A picture or a map that a model makes of a picture."""
