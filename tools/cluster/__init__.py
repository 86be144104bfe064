"""The connection to a Ray cluster, which sampling and the grading of programs share."""
