"""Pictures with boxes, of which centres are learned."""
