"""Folders of pictures: what is in them, which folders are classes and which are splits."""
