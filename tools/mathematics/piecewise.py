r"""Functions in pieces: two of them are the same when, at every breakpoint and in every gap, the same value holds.

Rows may come in any order, `otherwise` holds where no condition does; conditions that overlap must agree in value.

>>> from tools.mathematics.reader import read
>>> given, gold = (read(r"\begin{cases}" + rows + r"\end{cases}") for rows in (r"x&x\ge0\\-x&x<0", r"-x,&x<0,\\x,&\text{otherwise}"))
>>> cases_equal(given, gold)
True
"""

from __future__ import annotations

from collections.abc import Callable

from tools.mathematics.fields import NotNumeric
from tools.mathematics.sets import Breakpoints, NotASet, Rank, members_of
from tools.mathematics.sums import NotExact
from tools.mathematics.tree import Tree, mapped, symbols
from tools.mathematics.values import all_of, any_of, plain_values_equal

OTHERWISE: Tree = ("text", "otherwise")
Equal = Callable[[Tree, Tree], bool | None]


def cases_equal(given: Tree, gold: Tree, equal: Equal = plain_values_equal) -> bool | None:
    """Equality of two piecewise functions; `equal` compares what is no real condition."""
    verdict = _on_the_line(given, gold)
    return verdict if verdict is not None else _row_by_row(given, gold, equal)


def _on_the_line(given: Tree, gold: Tree) -> bool | None:
    """Piece against piece over the real line; None unless all conditions are about one real variable."""
    names: set[str] = set()
    for row in (*given[1:], *gold[1:]):
        names |= symbols(row[1]) if row[1] != OTHERWISE else set()
    if len(names) != 1:
        return None
    variable: Tree = ("sym", names.pop())
    points = Breakpoints()
    try:
        sides = [
            [(row[0], None if row[1] == OTHERWISE else members_of(row[1], points)) for row in tree[1:]]
            for tree in (given, gold)
        ]
        points.sort()
        ranks = range(-1, 2 * len(points.trees))
        if any(_overlaps(rank, side, variable, points) for rank in ranks for side in sides):
            return False
        verdicts = [_same_at(rank, [_value_at(rank, side) for side in sides], variable, points) for rank in ranks]
    except (NotASet, NotNumeric, NotExact):
        return None
    return all_of(verdicts)


def _value_at(rank: Rank, rows: list[tuple[Tree, Callable[[Rank], bool] | None]]) -> Tree | None:
    return next((value for value, holds in rows if holds is None or holds(rank)), None)


def _overlaps(
    rank: Rank, rows: list[tuple[Tree, Callable[[Rank], bool] | None]], variable: Tree, points: Breakpoints
) -> bool:
    """Whether two conditions hold at once and give two values: that is no function."""
    values = [value for value, holds in rows if holds is not None and holds(rank)]
    return any(_same_at(rank, [values[0], other], variable, points) is False for other in values[1:])


def _same_at(rank: Rank, values: list[Tree | None], variable: Tree, points: Breakpoints) -> bool | None:
    left, right = values
    if left is None or right is None:
        return left is right
    if rank % 2 == 0:
        at = points.sample(rank)
        left, right = (mapped(side, lambda node: at if node == variable else node) for side in (left, right))
    return plain_values_equal(left, right)


def _row_by_row(given: Tree, gold: Tree, equal: Equal) -> bool | None:
    """Every row finds one with the same value under the same condition."""
    if len(given) != len(gold):
        return False
    remaining = list(gold[1:])
    for value, condition in given[1:]:
        verdicts = [
            all_of(
                [
                    equal(value, other),
                    condition == wanted if OTHERWISE in (condition, wanted) else equal(condition, wanted),
                ]
            )
            for other, wanted in remaining
        ]
        verdict = any_of(verdicts)
        if not verdict:
            return verdict
        remaining.pop(verdicts.index(True))
    return True
