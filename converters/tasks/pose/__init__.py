"""People by their keypoints: which of them two models put in the same place."""
