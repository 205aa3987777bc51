"""What a search has tried, kept on disk."""
