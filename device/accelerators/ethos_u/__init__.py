"""What an Arm Ethos-U takes of a model."""
