"""Objects in a picture: which of them two models find."""
