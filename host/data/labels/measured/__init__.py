"""Pictures with measured values: numbers with units, in tables or in file names."""
