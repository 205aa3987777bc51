"""Several classes of one picture: how many of them are found, and how many are true."""
