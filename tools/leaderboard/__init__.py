"""Many runs in one table: models x benchmarks, with errors, and a gap where two figures are not of the same thing."""
