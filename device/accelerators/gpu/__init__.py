"""Which operators a GPU delegate takes."""
