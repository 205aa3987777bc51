"""How well a model does on a folder of pictures whose truth is known, and where it fails."""
