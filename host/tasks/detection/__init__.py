"""Detection: where pictures with boxes are."""
