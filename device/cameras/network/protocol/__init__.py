"""What cameras' protocols have in common: time limits, names and passwords, certificates."""
