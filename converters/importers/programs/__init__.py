"""What runs in the Python of an importer, which has no edgeinfer: `main` starts a reader."""
