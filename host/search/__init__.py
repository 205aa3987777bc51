"""The search for the smallest, fastest model that keeps a budget, with its evidence."""
