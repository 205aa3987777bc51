"""A picture or a map of a picture: how much of it two models give the same."""
