"""Pictures and frames: pixel formats, headers of image files, decoding."""
