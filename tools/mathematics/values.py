r"""Equality of two single values: numbers, expressions, matrices; with units, percent and degree signs.

Every function answers True, False, or None: not decided by this stage (a symbolic worker may know).

>>> from tools.mathematics.reader import read
>>> values_equal(read(r"28\%"), read(r"\frac{7}{25}")), values_equal(read("0.5"), read("1/2"))
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tools.mathematics import exact
from tools.mathematics.agreement import compare_numerically
from tools.mathematics.matrices import has_matrix, matrix_value
from tools.mathematics.sums import NotExact
from tools.mathematics.tree import Tree, kinds, mapped, nodes, words
from tools.mathematics.unit_table import TEMPERATURES
from tools.mathematics.units import compound_value, in_kelvins, same_unit, says_nothing, temperature

# What a symbolic worker adds at the end of the ladder (tools/grading/math/symbolic_worker.py); nothing in the caller.
dear_stage: Callable[[Tree, Tree], bool | None] | None = None
OPERATORS = frozenset(["integral", "sum", "prod"])
DEGREE_WORDS = ("degree", "deg")
ANGLES = words("sin cos tan cot sec csc")


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """False when one is, else None when one is, else True."""
    is_open = False
    for verdict in verdicts:
        if verdict is False:
            return False
        is_open |= verdict is None
    return None if is_open else True


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """True when one is, else None when one is, else False."""
    is_open = False
    for verdict in verdicts:
        if verdict:
            return True
        is_open |= verdict is None
    return None if is_open else False


def values_equal(given: Tree, gold: Tree) -> bool | None:
    """Whether two values are equal, marks (units, percent, degrees) included."""
    given, gold = without_decoration(given), without_decoration(gold)
    if given[0] == "unit" or gold[0] == "unit":
        return _equal_with_units(given, gold)
    if (given[0] == "percent") != (gold[0] == "percent"):
        verdict = plain_values_equal(given, gold)
        return verdict or _equal_without_percent_sign(given, gold, verdict)
    if "degree" in kinds(given) or "degree" in kinds(gold):
        return _equal_with_degrees(given, gold)
    if given[0] == "based" or gold[0] == "based":
        return _equal_in_bases(given, gold)
    return plain_values_equal(given, gold)


def plain_values_equal(given: Tree, gold: Tree) -> bool | None:
    """The ladder: same tree, matrices cell by cell, exact normal forms, numbers at random points."""
    if given == gold:
        return True
    if "unit" in kinds(given) | kinds(gold):  # a unit inside an expression, as in `1 hour 30 minutes`
        return False
    if has_matrix(given) or has_matrix(gold):
        return _matrices_equal(given, gold)
    if given[0] == gold[0] and given[0] in OPERATORS:
        verdict = _same_operator(given, gold)
        if verdict is not None:
            return verdict
    try:
        left, right = exact.quotient(given), exact.quotient(gold)
        if exact.same_quotient(left, right):
            return True
        if exact.is_decisive(left) and exact.is_decisive(right):
            return False
    except (NotExact, ArithmeticError, RecursionError):
        pass
    verdict = compare_numerically(given, gold)
    if verdict is None and (_depends_alone(given, gold) or _depends_alone(gold, given)):
        return False
    return dear_stage(given, gold) if verdict is None and dear_stage is not None else verdict


def _depends_alone(tree: Tree, other: Tree) -> bool:
    """Whether a tree in exact form depends on a variable that the other does not name."""
    names = {"_" + node[1] for node in symbols_of(tree) - symbols_of(other)}
    if not names:
        return False
    try:
        value = exact.quotient(tree)
    except (NotExact, ArithmeticError, RecursionError):
        return False
    return exact.is_decisive(value) and any(base in names for power in value.above for (base, _), _ in power)


def _same_operator(given: Tree, gold: Tree) -> bool | None:
    """Two integrals, sums or products over the same range: equal when their bodies are, the variable renamed.

    Indefinite integrals are unequal when their integrands are.
    """
    _, body, variable, *limits = given
    _, gold_body, gold_variable, *gold_limits = gold
    if variable != gold_variable and variable in symbols_of(gold_body):
        return None
    body = mapped(body, lambda node: gold_variable if node == variable else node)
    if all(limit is None for limit in limits + gold_limits):
        return plain_values_equal(body, gold_body) if variable == gold_variable else None
    if None in limits or None in gold_limits:
        return None
    pairs = [*zip(limits, gold_limits, strict=True), (body, gold_body)]
    return all_of(plain_values_equal(a, b) for a, b in pairs) or None


def symbols_of(tree: Tree) -> set[Tree]:
    """The variables that occur, as nodes."""
    return {node for node in nodes(tree) if node[0] == "sym"}


def without_decoration(tree: Tree) -> Tree:
    """Units without content are dropped; `90 degrees` becomes a degree sign, `1 hour 30 minutes` one value."""
    if tree[0] == "neg" and tree[1][0] in ("unit", "degree", "percent"):
        inner = tree[1]
        tree = (inner[0], ("neg", inner[1]), *inner[2:])
    if tree[0] == "add":
        compound = compound_value(tree)
        tree = tree if compound is None else ("unit", *compound)
    if tree[0] != "unit":
        return tree
    name = tree[2]
    if name.lower().strip(" .").rstrip("s") in DEGREE_WORDS:
        return ("degree", tree[1])
    if temperature(name):
        inner = tree[1]
        return ("unit", inner[1] if inner[0] == "degree" else inner, temperature(name))
    return without_decoration(tree[1]) if says_nothing(name) else tree


def _equal_with_units(given: Tree, gold: Tree) -> bool | None:
    """A unit on one side only does not matter; two units must agree and are converted."""
    if given[0] != "unit" or gold[0] != "unit":
        bare = [without_decoration(side[1]) if side[0] == "unit" else side for side in (given, gold)]
        return values_equal(*bare)
    if given[2] in TEMPERATURES and gold[2] in TEMPERATURES and given[2] != gold[2]:
        return plain_values_equal(in_kelvins(given[1], given[2]), in_kelvins(gold[1], gold[2]))
    ratio = same_unit(given[2], gold[2])
    if ratio is None:
        return False
    scaled = ("mul", ("num", ratio), given[1]) if ratio != 1 else given[1]
    return values_equal(scaled, gold[1])


def _equal_without_percent_sign(given: Tree, gold: Tree, verdict: bool | None) -> bool | None:
    """`28%` for 28: the sign is a unit when the number could only be meant as a percentage."""
    bare = [side[1] if side[0] == "percent" else side for side in (given, gold)]
    value = exact.rational_value(bare[0])
    return plain_values_equal(*bare) if value is not None and abs(value) > 1 else verdict


def _equal_with_degrees(given: Tree, gold: Tree) -> bool | None:
    """A degree sign is a unit (90 for 90°), or the factor pi/180 against an angle in radians."""
    bare = plain_values_equal(_without_degree_sign(given), _without_degree_sign(gold))
    if bare or (given[0] == gold[0] == "degree"):
        return bare
    return any_of([bare, plain_values_equal(_in_radians(given), _in_radians(gold))])


def _without_degree_sign(tree: Tree) -> Tree:
    return mapped(tree, lambda node: node[1] if node[0] == "degree" else node) if not _has_angle(tree) else tree


def _has_angle(tree: Tree) -> bool:
    return any(node[0] == "call" and node[1] in ANGLES for node in nodes(tree))


def _in_radians(tree: Tree) -> Tree:
    if _has_angle(tree):
        return tree
    factor = ("div", ("const", "pi"), ("num", 180))
    return mapped(tree, lambda node: ("mul", node[1], factor) if node[0] == "degree" else node)


def _equal_in_bases(given: Tree, gold: Tree) -> bool | None:
    """Same value; or the gold names a base and the answer repeats its digits without one."""
    try:
        values = [int(side[1], side[2]) if side[0] == "based" else None for side in (given, gold)]
    except ValueError:
        return False
    if None not in values:
        return values[0] == values[1] and (given[2] == gold[2] or 10 in (given[2], gold[2]))
    plain, based = (given, gold) if given[0] != "based" else (gold, given)
    value = exact.rational_value(plain)
    if value is None:
        return False
    is_same_digits = based is gold and value.denominator == 1 and str(value.numerator) == based[1]
    return is_same_digits or value == int(based[1], based[2])


def _matrices_equal(given: Tree, gold: Tree) -> bool | None:
    try:
        left, right = matrix_value(given), matrix_value(gold)
    except ValueError:
        return None
    if isinstance(left, tuple) or isinstance(right, tuple):
        if isinstance(left, tuple) and isinstance(right, tuple):
            return plain_values_equal(left, right)
        return False
    if [len(row) for row in left] != [len(row) for row in right]:
        return False
    pairs = [(a, b) for row, other in zip(left, right, strict=True) for a, b in zip(row, other, strict=True)]
    return all_of(values_equal(a, b) for a, b in pairs)
