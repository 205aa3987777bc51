"""Which versions of operators each runtime loads."""
