"""Folders of pictures: what is in them, and what is wrong with it."""
