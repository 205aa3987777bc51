"""Faces: boxes with points, as BlazeFace finds them."""
