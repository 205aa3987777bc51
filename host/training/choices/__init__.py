"""What a training chooses by its data, where the user does not say it."""
