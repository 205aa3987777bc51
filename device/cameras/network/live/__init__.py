"""The new pictures of a stream, and how old they are."""
