"""Running a model: the interpreter and its delegates."""
