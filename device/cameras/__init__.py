"""Sources of frames: cameras, video files, folders of images and a simulated camera."""
