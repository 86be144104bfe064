"""Answers that a model judges: templates, the judging itself, and the authors' figures from stored judgments."""
