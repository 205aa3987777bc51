"""The search for the smallest, fastest model within a budget, with its evidence."""
