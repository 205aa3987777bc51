"""Pages of one file: what is on them, their charts and their look."""
