"""Writing the bundle, with its golden frames and report."""
