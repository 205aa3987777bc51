"""How each task is taught: data, targets, loss, and what a target does when its picture moves."""
