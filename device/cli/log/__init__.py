"""How the program tells what is logged: on stderr, in one of three shapes, not too often."""
