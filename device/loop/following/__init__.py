"""Objects followed from frame to frame, and counted at lines and in zones."""
