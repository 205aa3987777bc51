"""Frames that arrive as a stream of bytes: HTTP, RTSP, standard input."""
