"""The result of a search, as a page."""
