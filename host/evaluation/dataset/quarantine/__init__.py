"""Files that are moved out of a data set, and put back."""
