r"""Equality of two single values: numbers, expressions, matrices; with units, percent and degree signs.

Every function answers True, False, or None: not decided by this stage (a symbolic worker may know).

>>> from tools.mathematics.reader import read
>>> values_equal(read(r"28\%"), read(r"\frac{7}{25}")), values_equal(read("5 m"), read("5"))
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from tools.mathematics import exact
from tools.mathematics.agreement import compare_numerically
from tools.mathematics.matrices import has_matrix, matrix_value
from tools.mathematics.sums import NotExact
from tools.mathematics.tree import Tree, kinds, mapped, nodes, words

# Units that say the same, and sizes within one dimension; a unit that is not here counts as decoration.
UNITS: dict[str, tuple[str, Fraction]] = {
    name: (dimension, Fraction(str(size)))
    for dimension, sizes in {
        "length": {
            "mm": "1/1000", "cm": "1/100", "m": 1, "km": 1000, "in": "127/5000", "ft": "381/1250", "yd": "1143/1250",
            "mi": "201168/125", "millimeter": "1/1000", "centimeter": "1/100", "meter": 1, "metre": 1,
            "kilometer": 1000,
            "kilometre": 1000, "inch": "127/5000", "inches": "127/5000", "foot": "381/1250", "feet": "381/1250",
            "yard": "1143/1250",
            "mile": "201168/125",
        },
        "mass": {"mg": "1/1000", "g": 1, "gram": 1, "kg": 1000, "kilogram": 1000},
        "time": {
            "s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600, "day": 86400,
            "week": 604800, "ms": "1/1000",
        },
        "volume": {"ml": "1/1000", "mL": "1/1000", "l": 1, "L": 1, "liter": 1, "litre": 1, "milliliter": "1/1000"},
        "money": {"dollar": 1, "usd": 1, "cent": "1/100"},
    }.items()
    for name, size in sizes.items()
}  # fmt: skip
# What a symbolic worker adds at the end of the ladder (tools/mathematics/symbolic_worker.py); nothing in the caller.
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
    """Unit words that name nothing we know are dropped; `90 degrees` becomes a degree sign."""
    if tree[0] == "neg" and tree[1][0] in ("unit", "degree", "percent"):
        inner = tree[1]
        tree = (inner[0], ("neg", inner[1]), *inner[2:])
    if tree[0] != "unit":
        return tree
    name = tree[2].lower()
    if name.rstrip("s") in DEGREE_WORDS:
        return ("degree", tree[1])
    return tree if _unit(tree) is not None else without_decoration(tree[1])


def _unit(tree: Tree) -> tuple[str, Fraction] | None:
    name = tree[2].strip()
    power = 1
    for prefix, exponent in (("square ", 2), ("sq ", 2), ("cubic ", 3)):
        if name.startswith(prefix):
            name, power = name[len(prefix) :], exponent
    if "^" in name:
        name, digits = name.split("^", 1)
        power = int(digits) if digits in ("2", "3") else 1
    name = name.strip()
    known = UNITS.get(name) or UNITS.get(name.lower()) or UNITS.get(name.lower().rstrip("s"))
    return None if known is None else (f"{known[0]}^{power}", known[1] ** power)


def _equal_with_units(given: Tree, gold: Tree) -> bool | None:
    """A unit on one side only does not matter; two known units must be of one kind and are converted."""
    if given[0] != "unit" or gold[0] != "unit":
        bare = [side[1] if side[0] == "unit" else side for side in (given, gold)]
        return values_equal(*bare)
    (dimension, size), (gold_dimension, gold_size) = _unit(given) or ("", 1), _unit(gold) or ("", 1)
    if dimension != gold_dimension:
        return False
    ratio = Fraction(size) / gold_size
    return plain_values_equal(("mul", ("num", ratio), given[1]) if ratio != 1 else given[1], gold[1])


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
