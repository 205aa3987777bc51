"""What accelerators take of a model, operator by operator: what their rules share, VX and GPU."""
