"""Several classes of one picture, each true or not by itself."""
