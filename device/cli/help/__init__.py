"""Help pages, names that shells complete, and hints for mistyped names."""
