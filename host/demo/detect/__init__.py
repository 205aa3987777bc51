"""Scenes, drawn: things pasted on backgrounds, with a tight box for each, and a demo of them."""
