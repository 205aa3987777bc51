"""The workstation's side of each task: targets, and how answers are scored."""
