"""Estimators, distributions, voting, pairing: pure functions on arrays."""
