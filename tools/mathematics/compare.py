r"""Decides whether two answers denote the same object: one rule per kind, over expression trees.

The order of questions: names off, several values out of one sign ±, sets of reals, relations, lists and sets out of
order, tuples in order, then single values. The conventions are listed in docs/grading.md.

>>> from tools.mathematics.reader import read
>>> trees_equal(read(r"x=\pm 2"), read("2,-2")), trees_equal(read("(1,2)"), read("(2,1)"))
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

from tools.mathematics.ellipsis import written_out
from tools.mathematics.matrices import matrix_value
from tools.mathematics.piecewise import cases_equal
from tools.mathematics.relations import NAMELESS, product_of_equations, relations_equal, split_name
from tools.mathematics.sets import is_real_set, real_sets_equal, variable_of
from tools.mathematics.tree import Tree, kinds, mapped, shown, symbols, words
from tools.mathematics.units import compound_value
from tools.mathematics.values import all_of, values_equal
from tools.mathematics.vectors import as_tuple, has_marked_units, with_plain_units

COLLECTIONS = words("list set tuple")
MAX_SIGN_CHOICES = 128  # seven independent signs; more are left as they are
SINGLE_KINDS = words("num dec sym const add mul neg div pow root call apply percent degree unit based ratio")


def trees_equal(given: Tree, gold: Tree) -> bool | None:
    """True, False, or None when undecided."""
    if given == gold:
        return True
    if given[0] == gold[0] == "num":
        return bool(given[1] == gold[1])
    if given[0] in COLLECTIONS or gold[0] in COLLECTIONS:
        given, gold = _spread_signs(written_out(given)), _spread_signs(written_out(gold))
    given, gold = both_signs(given), both_signs(gold)
    curves = _as_one_equation(given, gold)
    if curves is not None:
        return relations_equal(*curves, trees_equal)
    given_name, given_value = split_name(given)
    gold_name, gold_value = split_name(gold)
    if given_name is not None or gold_name is not None:
        return _named_equal((given_name, given_value, given), (gold_name, gold_value, gold))
    if is_real_set(given) or is_real_set(gold):
        verdict = _as_real_sets(given, gold)
        if verdict is not None:
            return verdict
    if given[0] == "rel" and gold[0] == "rel":
        return relations_equal(given, gold, trees_equal)
    if "cases" in (given[0], gold[0]):
        return cases_equal(given, gold, trees_equal) if given[0] == gold[0] else False
    return _collections_equal(*_as_vectors(given, gold))


def _spread_signs(tree: Tree) -> Tree:
    r"""`x \\ne 0, 1` says two things of x."""
    if tree[0] != "list" or tree[2][0] != "rel" or tree[2][1] != ("!=",):
        return tree
    items = [item if item[0] == "rel" else ("rel", ("!=",), tree[2][2], item) for item in tree[2:]]
    return ("list", "and", *items)


def _as_one_equation(given: Tree, gold: Tree) -> tuple[Tree, Tree] | None:
    r"""`y = \\pm 2\\sqrt{2x}` against `y^2 = 8x`: the two branches as one equation, for curves only."""
    for listed, single in ((given, gold), (gold, given)):
        is_curve = _is_equation(single) and len(symbols(single)) > 1 and listed[:2] == ("list", "or")
        joined = product_of_equations(list(listed[2:])) if is_curve and symbols(listed) == symbols(single) else None
        if joined is not None:
            return (joined, single) if listed is given else (single, joined)
    return None


def _as_vectors(given: Tree, gold: Tree) -> tuple[Tree, Tree]:
    """Sums of unit vectors as tuples, where the other side is a vector or both mark their unit vectors."""
    if has_marked_units(given) or has_marked_units(gold):
        given, gold = with_plain_units(given), with_plain_units(gold)
    for side, other in ((given, gold), (gold, given)):
        if side[0] in ("tuple", "matrix") and other[0] in ("add", "neg", "mul"):
            coordinates = _as_tuple(side)
            vector = as_tuple(other, len(coordinates) - 3) if coordinates is not None else None
            if vector is not None:
                return (side, vector) if side is given else (vector, side)
    return given, gold


def _named_equal(given: tuple[Tree | None, Tree, Tree], gold: tuple[Tree | None, Tree, Tree]) -> bool | None:
    """`name = value` against the same, against a bare value, or as an equation."""
    (given_name, given_value, given_tree), (gold_name, gold_value, gold_tree) = given, gold
    if given_name is None or gold_name is None:
        if given_tree[0] == "rel" and gold_tree[0] == "rel":
            return _named_against_relation(given, gold)
        if "list" in (given_tree[0], gold_tree[0]) and given_value[0] != gold_value[0]:
            verdict = _collections_equal(given_tree, gold_tree)
            if verdict is not False:
                return verdict
        return trees_equal(given_value, gold_value)
    if given_name == gold_name or ("sym", "") in (given_name, gold_name):
        return trees_equal(given_value, gold_value)
    if _is_equation(given_tree) and _is_equation(gold_tree):
        return relations_equal(given_tree, gold_tree, trees_equal)
    return False


def _named_against_relation(given: tuple[Tree | None, Tree, Tree], gold: tuple[Tree | None, Tree, Tree]) -> bool | None:
    """`x \\in [1,2]` against `1 <= x <= 2` in the same variable; else equation against equation."""
    (name, value, _), (_, _, relation) = (given, gold) if given[0] is not None else (gold, given)
    if is_real_set(relation) and name == variable_of(relation):
        is_set = is_real_set(value) or value[0] in ("set", "tuple")
        return real_sets_equal(value if is_set else ("set", value), relation)
    return relations_equal(given[2], gold[2], trees_equal)


def _is_equation(tree: Tree) -> bool:
    return bool(tree[0] == "rel" and tree[1] == ("=",))


def _as_real_sets(given: Tree, gold: Tree) -> bool | None:
    """Both as sets of reals when each can be one; inequalities in different variables differ."""
    variables = {variable_of(side) for side in (given, gold) if side[0] == "rel"} - {NAMELESS}
    if len(variables) > 1:
        return False
    return real_sets_equal(given, gold)


def both_signs(tree: Tree) -> Tree:
    r"""`1\pm\sqrt{2}` as the list of its two values, inside collections too."""
    if not kinds(tree) & {"pm", "mp"}:
        return tree
    if tree[0] in ("list", "set", "tuple"):
        head = {"list": 2, "set": 1, "tuple": 3}[tree[0]]
        choices = [_sign_choices(item) for item in tree[head:]]
        if tree[0] == "tuple":
            tuples = [(*tree[:head], *items) for items in product(*choices)]
            return ("list", "or", *tuples)
        return (*tree[:head], *(item for options in choices for item in options))
    if tree[0] == "rel" and tree[1] in (("=",), ("~",), ("mod", "of")):
        return ("list", "or", *(("rel", tree[1], *sides) for sides in product(*map(_sign_choices, tree[2:]))))
    return ("list", "or", *_sign_choices(tree))


def _sign_choices(tree: Tree) -> list[Tree]:
    r"""All values of an expression with signs ±; `\mp` goes with `\pm`, several `\pm` are free of each other."""
    found = kinds(tree)
    if not found & {"pm", "mp"}:
        return [tree]
    if "mp" in found:
        return [mapped(tree, _with_sign(sign)) for sign in (1, -1)]
    if tree[0] == "pm":
        lefts = _sign_choices(tree[1]) if tree[1] is not None else [None]
        pairs = list(product(lefts, _sign_choices(tree[2])))
        if 2 * len(pairs) > MAX_SIGN_CHOICES:
            return [tree]
        return [_signed_sum(left, right, sign) for sign in (1, -1) for left, right in pairs]
    head = 2 if tree[0] in ("call", "apply") else 1
    options = [_sign_choices(part) if isinstance(part, tuple) else [part] for part in tree[head:]]
    if prod(map(len, options)) > MAX_SIGN_CHOICES:
        return [tree]
    return [(*tree[:head], *parts) for parts in product(*options)]


def _with_sign(sign: int) -> Callable[[Tree], Tree]:
    def change(node: Tree) -> Tree:
        if node[0] in ("pm", "mp"):
            return _signed_sum(node[1], node[2], sign if node[0] == "pm" else -sign)
        return node

    return change


def _signed_sum(left: Tree | None, right: Tree, sign: int) -> Tree:
    term: Tree = right if sign > 0 else ("neg", right)
    return term if left is None else ("add", left, term)


# Collections.
def _collections_equal(given: Tree, gold: Tree) -> bool | None:
    given, gold = _unwrapped(given), _unwrapped(gold)
    if given[0] in ("list", "set") or gold[0] in ("list", "set"):
        return _lists_equal(given, gold)
    if given[0] == "tuple" or gold[0] == "tuple":
        return _tuples_equal(given, gold)
    if given[0] == gold[0] and given[0] in ("cup", "cap") and _operands(given) == _operands(gold):
        return True
    if given[0] == gold[0] == "ratio":
        given, gold = _without_half_of_day(given, gold), _without_half_of_day(gold, given)
        return len(given) == len(gold) and all_of(values_equal(a, b) for a, b in zip(given[1:], gold[1:], strict=True))
    if given[0] == gold[0] == "numbers":
        return bool(given == gold)
    if given[0] not in SINGLE_KINDS and given[0] not in CALCULUS and not _is_matrix(given):
        return None if given[0] == gold[0] else False
    if gold[0] not in SINGLE_KINDS and gold[0] not in CALCULUS and not _is_matrix(gold):
        return False
    is_value = [not kinds(side) & NO_VALUES for side in (given, gold)]
    if is_value[0] != is_value[1] or (given[0] == "ratio") != (gold[0] == "ratio"):
        return False
    return values_equal(given, gold)


def _operands(tree: Tree) -> list[str]:
    """What a union or an intersection joins, in any order."""
    flat, waiting = [], list(tree[1:])
    for part in waiting:
        if part[0] == tree[0]:
            waiting += part[1:]
        else:
            flat.append(shown(part))
    return sorted(flat)


def _without_half_of_day(tree: Tree, other: Tree) -> Tree:
    """`2:30 PM` as 2:30, unless the other side says which half of the day too."""
    return tree[:-1] if tree[-1] in HALVES_OF_DAY and other[-1] not in HALVES_OF_DAY else tree


HALVES_OF_DAY = (("text", "am"), ("text", "pm"))
NO_VALUES = words("tuple set list rel builder cup cap setminus numbers")
CALCULUS = words("integral sum prod lim diff matrix cases text")


def _is_matrix(tree: Tree) -> bool:
    return bool(tree[0] == "matrix")


def _unwrapped(tree: Tree) -> Tree:
    """A list of one is its item; lists inside a list of pairs are tuples."""
    if tree[0] == "list":
        items = [("tuple", "(", ")", *item[2:]) if item[0] == "list" else item for item in tree[2:]]
        return items[0] if len(items) == 1 else ("list", tree[1], *items)
    return tree


def _items(tree: Tree) -> list[Tree]:
    return list(tree[2:]) if tree[0] == "list" else list(tree[1:]) if tree[0] == "set" else [tree]


def _lists_equal(given: Tree, gold: Tree) -> bool | None:
    """Lists without brackets and sets: the same items in any order."""
    if {given[0], gold[0]} == {"tuple", "list"} or {given[0], gold[0]} == {"matrix", "list"}:
        return _list_against_tuple(given, gold)
    if "tuple" in (given[0], gold[0]) and "set" in (given[0], gold[0]):
        return False
    # Solutions that are pairs are a set however they are listed; `1, 1, 2` keeps its two ones.
    single = [side for side in (given, gold) if side[0] not in ("list", "set")]
    if len(single) == 1:
        mixed = _as_mixed_number(gold if single[0] is given else given)
        if mixed is not None and values_equal(mixed, single[0]):
            return True
    is_set = (
        "set" in (given[0], gold[0])
        or ("list", "or") in (given[:2], gold[:2])
        or all(item[0] == "tuple" for item in _items(given) + _items(gold))
    )
    given_names, given_items = _names_off(_items(given))
    gold_names, gold_items = _names_off(_items(gold))
    given_names, given_items = _grouped(given_names, given_items)
    gold_names, gold_items = _grouped(gold_names, gold_items)
    if is_set:
        given_items, gold_items = _distinct(given_items), _distinct(gold_items)
    if len(given_items) != len(gold_items):
        return False
    if len(set(given_names)) > 1 and len(set(gold_names)) > 1:
        return _match(
            [*zip(given_names, given_items, strict=True)], [*zip(gold_names, gold_items, strict=True)], _pairs_equal
        )
    if len(set(given_names)) > 1 or len(set(gold_names)) > 1:  # x = 1, y = 2 against 1, 2
        if {*given_names} != {None} and {*gold_names} != {None}:
            return False
        return all_of(trees_equal(a, b) for a, b in zip(given_items, gold_items, strict=True))
    if given_names and gold_names and given_names[0] and gold_names[0] and given_names[0] != gold_names[0]:
        return False
    return _match(given_items, gold_items, trees_equal)


def _as_mixed_number(tree: Tree) -> Tree | None:
    """`20 and 1/2` is 20 1/2; `5 feet and 6 inches` one length."""
    if tree[:2] != ("list", "and") or len(tree) < 4:
        return None
    if all(item[0] == "unit" for item in tree[2:]):
        compound = compound_value(("add", *tree[2:]))
        return None if compound is None else ("unit", *compound)
    if len(tree) != 4:
        return None
    whole, part = tree[2:]
    is_whole = whole[0] == "num" and whole[1] == int(whole[1])
    is_proper = part[0] == "div" and part[1][0] == part[2][0] == "num" and 0 < part[1][1] < part[2][1]
    return ("add", whole, part) if is_whole and is_proper else None


def _pairs_equal(given: tuple[Tree | None, Tree], gold: tuple[Tree | None, Tree]) -> bool | None:
    return trees_equal(given[1], gold[1]) if given[0] == gold[0] else False


def _names_off(items: list[Tree]) -> tuple[list[Tree | None], list[Tree]]:
    """Names and values; a name said once, as in `n = 1, 2, 3`, holds for all that follow."""
    names: list[Tree | None] = []
    values: list[Tree] = []
    for item in items:
        name, value = split_name(item)
        for part in _items(value) if value[0] == "list" else [value]:
            names.append(name if name is not None else (names[-1] if names else None))
            values.append(part)
    return names, values


def _grouped(names: list[Tree | None], values: list[Tree]) -> tuple[list[Tree | None], list[Tree]]:
    """`p = 5, q = 2, p = 7, q = 2` as the pairs (5, 2) and (7, 2)."""
    width = len(dict.fromkeys(names))
    if width < 2 or None in names or len(names) == width or names != names[:width] * (len(names) // width):
        return names, values
    rows = [("tuple", "(", ")", *values[start : start + width]) for start in range(0, len(values), width)]
    return [None] * len(rows), rows


def _distinct(items: list[Tree]) -> list[Tree]:
    kept: list[Tree] = []
    for item in items:
        if not any(trees_equal(item, other) for other in kept):
            kept.append(item)
    return kept


def _match(
    given: Sequence[Tree | tuple[Tree | None, Tree]],
    gold: Sequence[Tree | tuple[Tree | None, Tree]],
    equal: Callable[..., bool | None],
) -> bool | None:
    """Every given item finds its own gold one (equality is transitive, so the first that fits will do)."""
    remaining = list(gold)
    is_open = False
    for item in given:
        for candidate in remaining:
            verdict = equal(item, candidate)
            if verdict:
                remaining.remove(candidate)
                break
            is_open |= verdict is None
        else:
            return None if is_open else False
    return True


def _list_against_tuple(given: Tree, gold: Tree) -> bool | None:
    """`x = 2, y = 3` against `(2,3)`: a list has an order when its items have names, or is written in that order."""
    listed, ordered = (given, gold) if given[0] == "list" else (gold, given)
    names, values = _names_off(_items(listed))
    has_names = len(set(names)) == len(names) and None not in names
    if not has_names and len(values) < 3:  # (0,1) may be an interval; three values in order are the same triple
        return False
    return _tuples_equal(("tuple", "(", ")", *values), ordered)


def _tuples_equal(given: Tree, gold: Tree) -> bool | None:
    """In order, with the same brackets; a single column or row is a tuple of its entries."""
    left, right = _as_tuple(given), _as_tuple(gold)
    if left is None or right is None or len(left) != len(right) or left[1:3] != right[1:3]:
        return False
    return all_of(trees_equal(a, b) for a, b in zip(left[3:], right[3:], strict=True))


def _as_tuple(tree: Tree) -> Tree | None:
    if tree[0] == "tuple":
        is_vector = tree[1:3] == ("[", "]") and len(tree) != 5
        return ("tuple", "(", ")", *tree[3:]) if is_vector else tree
    if tree[0] != "matrix":
        try:
            rows = matrix_value(tree) if tree[0] in ("mul", "add", "neg", "div") else tree
        except ValueError:
            return None
        if isinstance(rows, tuple):
            return None
        tree = ("matrix", *(tuple(row) for row in rows))
    cells = [cell for row in tree[1:] for cell in row]
    is_line = len(tree) == 2 or all(len(row) == 1 for row in tree[1:])
    return ("tuple", "(", ")", *cells) if is_line else None
