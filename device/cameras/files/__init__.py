"""Frames out of folders of pictures and video files."""
