"""The page and the model card next to a run or a bundle."""
