"""A small network learns from a large one."""
