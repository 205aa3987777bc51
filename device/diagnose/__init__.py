"""Finding out: what a model contains, how fast it is, what is wrong with a board."""
