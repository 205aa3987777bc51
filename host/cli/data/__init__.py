"""`edgeinfer data`: looks after the pictures that a model learns from."""
