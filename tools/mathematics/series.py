r"""Sums and products between bounds, carried out exactly: term by term when every term is rational, geometric ones closed.

>>> k = ("sym", "k")
>>> from tools.mathematics.exact import rational_value
>>> written_out(("prod", ("add", ("num", 1), ("div", ("num", 1), k)), k, ("num", 1), ("num", 2024)), rational_value)
('num', 2025)
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from tools.mathematics.numbers import lowest
from tools.mathematics.tree import Tree, mapped, nodes

MAX_TERMS = 5_000
MAX_TERM_NODES = 40
MAX_BITS = 80_000


def written_out(tree: Tree, rational_value: Callable[[Tree], Fraction | None]) -> Tree | None:
    """A sum or product as another tree without it; None when it is of neither kind. `rational_value` is exact.py's, which
    needs this module in its turn."""
    kind, body, variable, lower, upper = tree
    if lower is None or upper is None:
        return None
    closed = _geometric(body, variable, lower, upper) if kind == "sum" else None
    return closed if closed is not None else _term_by_term(kind, body, variable, lower, upper, rational_value)


def _term_by_term(
    kind: str,
    body: Tree,
    variable: Tree,
    lower: Tree,
    upper: Tree,
    rational_value: Callable[[Tree], Fraction | None],
) -> Tree | None:
    first, last = rational_value(lower), rational_value(upper)
    if first is None or last is None or first.denominator != 1 or last.denominator != 1:
        return None
    size = sum(1 for _ in nodes(body))
    if last - first >= MAX_TERMS or size > MAX_TERM_NODES:
        return None
    total = Fraction(0 if kind == "sum" else 1)
    for index in range(int(first), int(last) + 1):
        value = rational_value(_at(body, variable, index))
        if value is None or total.numerator.bit_length() > MAX_BITS or total.denominator.bit_length() > MAX_BITS:
            return None
        total = total + value if kind == "sum" else total * value
    return ("num", lowest(total))


def _at(body: Tree, variable: Tree, index: int) -> Tree:
    return mapped(body, lambda node: ("num", index) if node == variable else node)


def _geometric(body: Tree, variable: Tree, lower: Tree, upper: Tree) -> Tree | None:
    r"""`\sum_{k=a}^{b} x^k` as (x^a - x^{b+1}) / (1 - x)."""
    if body[0] != "pow" or body[2] != variable or variable in nodes(body[1]) or body[1] == ("num", 1):
        return None
    base = body[1]
    behind = ("pow", base, ("add", upper, ("num", 1)))
    return ("div", ("add", ("pow", base, lower), ("neg", behind)), ("add", ("num", 1), ("neg", base)))
