"""What the verdicts mean: figures, their doubts, and the folder that holds them."""
