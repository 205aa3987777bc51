"""What the workstation knows of each task: targets, and how answers are scored."""
