"""What is asked: benchmarks, their problems and questions."""
