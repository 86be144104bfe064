r"""Names and relations: `x = 5` is 5, equations are equal up to side and scale, inequalities up to direction.

>>> from tools.mathematics.reader import read
>>> split_name(read("m+n=204"))
(('add', ('sym', 'm'), ('sym', 'n')), ('num', 204))
>>> relations_equal(read("x+y=1"), read("2x+2y=2"))
True
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from tools.mathematics import exact
from tools.mathematics.agreement import random_points
from tools.mathematics.approx import evaluate
from tools.mathematics.fields import NotNumeric, many_digits
from tools.mathematics.sums import NotExact
from tools.mathematics.tree import Tree, nodes, symbols
from tools.mathematics.values import all_of, any_of, plain_values_equal, values_equal

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
NAMELESS: Tree = ("sym", "")
CONSTANT_KINDS = frozenset(["num", "dec", "const", "add", "mul", "neg", "div", "pow", "root", "call", "percent"])
NAMING = frozenset(["=", "~", "in"])


# In a sum, a product or a modulus these letters are unknowns: `x+y=7` is a line, `m+n=7` a value with its name.
UNKNOWNS = frozenset(["x", "y", "z", "w"])
NAMING_FUNCTIONS = frozenset(
    ["sin", "cos", "tan", "cot", "sec", "csc", "gcd", "lcm", "max", "min", "det", "arg", "re", "im"]
)
SETS = frozenset(["set", "tuple", "cup", "cap", "setminus", "numbers", "builder", "sym", "list", "apply"])


def is_name(tree: Tree) -> bool:
    """A left side that only names what follows: `x`, `f(x)`, `f(2)`, `m+n`, `|AB|`, `S:T`, `(p,q)`, `\\angle ABC`.

    A sum, product, modulus or function of unknowns (x, y, z, w) is no name but the left side of an equation.
    """
    if tree[0] in ("sym", "apply"):
        return True
    if tree[0] in ("ratio", "tuple"):
        return all(is_name(part) for part in tree[3 if tree[0] == "tuple" else 1 :])
    return _is_compound_name(tree) and not symbols(tree) & UNKNOWNS


def _is_compound_name(tree: Tree) -> bool:
    if tree[0] in ("sym", "apply") or tree in (("const", "e"), ("const", "i")):
        return True
    if tree[0] in ("add", "mul"):
        return all(_is_compound_name(part) for part in tree[1:])
    if tree[0] == "call" and tree[1] == "abs":
        return _is_length(tree[2])
    if tree[0] == "call" and tree[1] in NAMING_FUNCTIONS:
        return all(_is_compound_name(part) or part[0] in ("num", "degree") for part in tree[2:]) and bool(symbols(tree))
    return False


def _is_length(inner: Tree) -> bool:
    """Inside bars: a segment AB, a set S, a vector; `|a|` is a modulus."""
    parts = inner[1:] if inner[0] == "mul" else (inner,)
    return all(part[0] == "sym" and (part[1][:1].isupper() or part[1].startswith("\\")) for part in parts)


def split_name(tree: Tree) -> tuple[Tree | None, Tree]:
    """(name, value) of `name = value`, of a chain `p+q = 103+101 = 204`, of `x \\in S`; (None, tree) otherwise."""
    if tree[0] != "rel" or not all(sign in NAMING for sign in tree[1]):
        return None, tree
    operands, signs = list(tree[2:]), list(tree[1])
    if "~" in signs and (
        signs[0] != "~" or not symbols(operands[0])
    ):  # the exact value stands before the approximation
        last = signs.index("~")
        operands, signs = operands[: last + 1], signs[:last]
        if len(operands) == 1:
            return NAMELESS, operands[0]
    if set(signs) == {"="} and contradicts_itself(operands):
        return None, tree
    is_evaluated = len(operands) > 2 and not any(symbols(operand) for operand in operands[1:])
    if is_name(operands[0]) or (is_evaluated and symbols(operands[0]) and set(signs) == {"="}):
        value = operands[-1]
        is_membership = signs == ["in"] and value[0] not in SETS
        if _occurs(operands[0], value) or is_membership:
            return None, tree
        return operands[0], value
    if len(operands) == 2 and is_name(operands[1]) and not symbols(operands[0]):
        return operands[1], operands[0]
    if not symbols(tree) and all_of(plain_values_equal(part, operands[-1]) for part in operands[:-1]):
        return NAMELESS, operands[-1]
    return None, tree


def contradicts_itself(operands: list[Tree]) -> bool:
    """`x = 5 = 6`: two constants of one chain that differ."""
    constants = [operand for operand in operands if operand[0] in CONSTANT_KINDS and not symbols(operand)]
    return any(values_equal(left, right) is False for left, right in pairwise(constants))


def _occurs(name: Tree, value: Tree) -> bool:
    """Whether the name stands in the value too: then the relation is an equation, not a definition."""
    return any(node == name for node in nodes(value)) if name[0] in ("sym", "apply") else False


def relations_equal(
    given: Tree, gold: Tree, operands_equal: Callable[[Tree, Tree], bool | None] = values_equal
) -> bool | None:
    """Equality of two relations with the same signs (either direction). `operands_equal` compares what `in`, `subset` and
    their kin stand between."""
    if "of" in given[1] or "of" in gold[1]:
        return _congruences_equal(given, gold)
    left, right = _pairs(given), _pairs(gold)
    if left is None or right is None:
        if given[1] != gold[1]:
            return False
        return all_of(operands_equal(a, b) for a, b in zip(given[2:], gold[2:], strict=True))
    if len(left) != len(right):
        return False
    if not symbols(given) and not symbols(gold):  # a statement about numbers has no scale
        return all_of(_same_pair(a, b, operands_equal) for a, b in zip(left, right, strict=True))
    remaining = list(right)
    is_open = False
    for pair in left:
        for candidate in remaining:
            verdict = _pair_equal(pair, candidate)
            if verdict:
                remaining.remove(candidate)
                break
            is_open |= verdict is None
        else:
            return None if is_open else False
    return True


def _same_pair(
    given: tuple[str, Tree, Tree], gold: tuple[str, Tree, Tree], operands_equal: Callable[[Tree, Tree], bool | None]
) -> bool | None:
    """The same sign between the same values."""
    if given[0] != gold[0]:
        return False
    return all_of([operands_equal(given[1], gold[1]), operands_equal(given[2], gold[2])])


def _pairs(tree: Tree) -> list[tuple[str, Tree, Tree]] | None:
    """`a < b <= c` as its neighbouring pairs, every sign pointing to the right (<, <=, =, !=)."""
    pairs = []
    for sign, left, right in zip(tree[1], tree[2:], tree[3:], strict=False):
        if sign not in FLIPPED:
            return None
        if sign in (">", ">="):
            sign, left, right = FLIPPED[sign], right, left
        pairs.append((sign, left, right))
    return pairs


def _pair_equal(given: tuple[str, Tree, Tree], gold: tuple[str, Tree, Tree]) -> bool | None:
    if given[0] != gold[0]:
        return False
    needs_positive = given[0] in ("<", "<=")
    left, right = _difference(given), _difference(gold)
    try:
        first, second = exact.quotient(left), exact.quotient(right)
        if exact.is_multiple(first, second):
            return not needs_positive or _ratio_sign(left, right) > 0
        if exact.is_decisive(first) and exact.is_decisive(second) and _is_rational(first) and _is_rational(second):
            return False
    except (NotExact, ArithmeticError, RecursionError):
        pass
    return _have_constant_ratio(left, right, needs_positive)


def _is_rational(value: exact.Quotient) -> bool:
    """Only symbols in it: then a scale factor would have to be rational too."""
    return not any(
        isinstance(base, int) for sum_ in (value.above, value.below) for power in sum_ for (base, _), _ in power
    )


def _difference(pair: tuple[str, Tree, Tree]) -> Tree:
    return ("add", pair[2], ("neg", pair[1]))


def _ratio_sign(left: Tree, right: Tree) -> int:
    ratios = _ratios(left, right)
    return 0 if not ratios else 1 if ratios[0].real > 0 else -1


def _ratios(left: Tree, right: Tree) -> list[complex]:
    """left / right at random points, in many digits; empty when there are too few points."""
    names = sorted(symbols(left) | symbols(right))
    field = many_digits(60)
    found = []
    for point in random_points(names, 8):
        try:
            at = {name: field.number(value) for name, value in point.items()}
            above, below = evaluate(left, at, field), evaluate(right, at, field)
            if below and field.context.isfinite(above) and field.context.isfinite(below):
                found.append(above / below)
        except NotNumeric:
            continue
    return found if len(found) >= 3 else []


def _have_constant_ratio(left: Tree, right: Tree, needs_positive: bool) -> bool | None:
    if symbols(left) != symbols(right):
        return False
    ratios = _ratios(left, right)
    if not ratios:
        return None
    first = ratios[0]
    if not first or any(abs(ratio - first) > abs(first) * 1e-40 for ratio in ratios):
        return False
    return not needs_positive or (first.real > 0 and not first.imag)


def product_of_equations(items: list[Tree]) -> Tree | None:
    """`y = a or y = -a` as the one equation (y-a)(y+a) = 0; None when an item is no equation."""
    if any(item[0] != "rel" or item[1] != ("=",) for item in items):
        return None
    factors = [("add", item[2], ("neg", item[3])) for item in items]
    return ("rel", ("=",), ("mul", *factors), ("num", 0))


def _congruences_equal(given: Tree, gold: Tree) -> bool | None:
    """`x ≡ 3 (mod 7)` equals `x ≡ 10 (mod 7)`: same modulus, residues that differ by a multiple of it."""
    if given[1] != gold[1] or len(given) != len(gold) or given[1] != ("mod", "of"):
        return False
    modulus = exact.rational_value(gold[4])
    same = all_of([values_equal(given[2], gold[2]), values_equal(given[4], gold[4])])
    residue = exact.rational_value(("add", given[3], ("neg", gold[3])))
    is_same_residue = any_of(
        [
            plain_values_equal(given[3], gold[3]),
            bool(residue is not None and modulus and residue % Fraction(modulus) == 0),
        ]
    )
    return all_of([same, is_same_residue])
