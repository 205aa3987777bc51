"""The trials of a search, kept on disk."""
