"""The demos: the commands that a user would type, one after another."""
