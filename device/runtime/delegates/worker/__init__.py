"""A delegate in a separate process, and what watches over it."""
