"""What a model answers with."""
