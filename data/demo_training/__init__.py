"""What the demo model learns from: synthetic problems of our own, drawn at random."""
