"""mathematics/exact.py: equations up to scale."""

from __future__ import annotations

from tools.mathematics.exact import is_multiple, quotient
from tools.mathematics.reader import read


def test_nothing_but_zero_is_a_multiple_of_zero() -> None:
    zero, one, line = (quotient(read(text)) for text in ("x-x", "1", "x+1"))
    assert is_multiple(zero, zero)
    assert not is_multiple(zero, one)
    assert not is_multiple(line, zero)
    assert is_multiple(quotient(read("2*x+2")), line)
