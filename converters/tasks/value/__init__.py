"""A measured quantity: how near two readings are."""
