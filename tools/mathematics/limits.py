"""Bounds on what the grader looks at, in one place; beyond them an answer is not read (the way inspect_ai does it).

The numbers leave generous room above real answers: the longest gold answer of MATH, OlympiadBench and AIME has under
500 characters, and no real one nests deeper than about ten.
"""

from __future__ import annotations

MAX_ANSWER_CHARS = 20_000  # a longer answer is compared as a string only
MAX_EXPRESSION_CHARS = 2_000  # a longer text is not parsed
MAX_TOKENS = 1_000
MAX_DEPTH = 40  # nesting of braces, parentheses, exponents
MAX_DIGITS = 20_000  # of one number; equal strings are equal beyond it
MAX_RESULT_BITS = 80_000  # of an exact power or factorial
MAX_EXPANDED_TERMS = 300  # of a polynomial in normal form
MAX_EXPANDED_POWER = 40

SYMBOLIC_TIMEOUT_S = 0.8  # CPU seconds of one symbolic comparison in its worker
SYMBOLIC_MEMORY_BYTES = 1 << 30
