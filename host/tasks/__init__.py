"""How each task is trained: data, targets, loss, and how a target moves with its picture."""
