r"""Matrices inside expressions: sums, products, powers, transposes and determinants, carried out on trees of cells.

>>> from tools.mathematics.reader import read
>>> matrix_value(read(r"2\begin{pmatrix} 1 & x \end{pmatrix}"))
[[('mul', ('num', 2), ('num', 1)), ('mul', ('num', 2), ('sym', 'x'))]]
"""

from __future__ import annotations

from fractions import Fraction

from tools.mathematics.exact import rational_value
from tools.mathematics.numbers import lowest
from tools.mathematics.tree import Tree, nodes

MAX_MATRIX_POWER = 10
MAX_EXPANDED_DETERMINANT = 4  # rows; larger ones need rational cells
MAX_DETERMINANT = 40
Rows = list[list[Tree]]


def has_matrix(tree: Tree) -> bool:
    """Whether a matrix stands anywhere in the tree."""
    return any(node[0] == "matrix" for node in nodes(tree))


def matrix_value(tree: Tree) -> Rows | Tree:
    """Rows of cells, or a scalar tree, after carrying out sums, products and determinants; ValueError otherwise."""
    kind = tree[0]
    if kind == "matrix":
        return [list(row) for row in tree[1:]]
    if not has_matrix(tree):
        return tree
    if kind == "neg":
        return _scaled(matrix_value(tree[1]), ("num", -1))
    if kind == "div" and not has_matrix(tree[2]):
        return _scaled(matrix_value(tree[1]), ("div", ("num", 1), tree[2]))
    if kind == "mul":
        total = matrix_value(tree[1])
        for factor in tree[2:]:
            total = _multiplied(total, matrix_value(factor))
        return total
    if kind == "add":
        total = matrix_value(tree[1])
        for term in tree[2:]:
            total = _added(total, matrix_value(term))
        return total
    if kind == "pow" and not has_matrix(tree[2]):
        return _matrix_power(matrix_value(tree[1]), tree[2])
    if kind == "call" and tree[1] == "det":
        inner = matrix_value(tree[2])
        if isinstance(inner, list) and len(inner) == len(inner[0]):
            if len(inner) <= MAX_EXPANDED_DETERMINANT:
                return _determinant(inner)
            return ("num", lowest(_eliminated(inner)))
    raise ValueError(f"{kind} of a matrix")


def _scaled(value: Rows | Tree, factor: Tree) -> Rows | Tree:
    if isinstance(value, tuple):
        return ("mul", factor, value)
    return [[("mul", factor, cell) for cell in row] for row in value]


def _multiplied(left: Rows | Tree, right: Rows | Tree) -> Rows | Tree:
    if isinstance(left, tuple):
        return _scaled(right, left)
    if isinstance(right, tuple):
        return _scaled(left, right)
    if len(left[0]) != len(right) or len(left) * len(right[0]) > 64:
        raise ValueError("matrices that cannot be multiplied")
    columns = list(zip(*right, strict=True))
    return [
        [("add", *(("mul", a, b) for a, b in zip(row, column, strict=True)), ("num", 0)) for column in columns]
        for row in left
    ]


def _matrix_power(base: Rows | Tree, exponent: Tree) -> Rows | Tree:
    """Transposes, inverses and small whole powers."""
    if isinstance(base, tuple):
        return ("pow", base, exponent)
    if exponent in (("sym", "T"), ("sym", "\\top")):
        return [list(column) for column in zip(*base, strict=True)]
    sign, bare = (-1, exponent[1]) if exponent[0] == "neg" else (1, exponent)
    whole = sign * bare[1] if bare[0] == "num" else 0
    if len(base) != len(base[0]) or len(base) > 4 or whole not in (-1, *range(1, MAX_MATRIX_POWER + 1)):
        raise ValueError("a power of a matrix")
    if whole == -1:
        return _scaled(_adjugate(base), ("div", ("num", 1), _determinant(base)))
    total: Rows | Tree = base
    for _ in range(whole - 1):
        total = _multiplied(total, base)
    return total


def _adjugate(rows: Rows) -> Rows:
    size = range(len(rows))
    minors = [[[row[:i] + row[i + 1 :] for k, row in enumerate(rows) if k != j] for j in size] for i in size]
    return [[("mul", ("num", (-1) ** (i + j)), _determinant(minors[i][j])) for j in size] for i in size]


def _added(left: Rows | Tree, right: Rows | Tree) -> Rows | Tree:
    if isinstance(left, tuple) or isinstance(right, tuple):
        if isinstance(left, tuple) and isinstance(right, tuple):
            return ("add", left, right)
        raise ValueError("a matrix plus a number")
    if [len(row) for row in left] != [len(row) for row in right]:
        raise ValueError("matrices that cannot be added")
    return [[("add", a, b) for a, b in zip(row, other, strict=True)] for row, other in zip(left, right, strict=True)]


def _determinant(rows: Rows) -> Tree:
    if not rows:
        return ("num", 1)
    if len(rows) == 1:
        return rows[0][0]
    terms: list[Tree] = []
    for column, cell in enumerate(rows[0]):
        minor = [row[:column] + row[column + 1 :] for row in rows[1:]]
        terms.append(("mul", ("num", (-1) ** column), cell, _determinant(minor)))
    return ("add", *terms)


def _eliminated(rows: Rows) -> Fraction:
    """The determinant of rational cells by Gauss's elimination; ValueError for other cells."""
    if len(rows) > MAX_DETERMINANT:
        raise ValueError("a determinant too large")
    cells: list[list[Fraction]] = []
    for row in rows:
        values = [rational_value(cell) for cell in row]
        if None in values:
            raise ValueError("a large determinant of cells that are not rational")
        cells.append([Fraction(value) for value in values if value is not None])
    total = Fraction(1)
    for column in range(len(cells)):
        pivot = next((row for row in range(column, len(cells)) if cells[row][column]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != column:
            cells[column], cells[pivot] = cells[pivot], cells[column]
            total = -total
        total *= cells[column][column]
        for below in range(column + 1, len(cells)):
            factor = cells[below][column] / cells[column][column]
            if factor:
                cells[below] = [a - factor * b for a, b in zip(cells[below], cells[column], strict=True)]
    return total
