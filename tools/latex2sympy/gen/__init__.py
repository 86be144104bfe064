"""Generated parser; see generate.py."""
