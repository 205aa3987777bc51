"""The bundle: one file that carries a model, how to feed it, and the proof that it works."""
