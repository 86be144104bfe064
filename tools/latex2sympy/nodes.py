"""From the builder's working nodes (groups, differentials, braces) to the final expression tree."""

from __future__ import annotations

import re
from typing import Any

from tools.errors import LatexError
from tools.mathematics.tree import Tree, mapped, nodes

COMPLEX_LETTERS = frozenset(["z", "w", "\\zeta", "\\omega"])


def position(context: Any) -> int:
    return int(context.start.start)


def error(context: Any, message: str) -> LatexError:
    return LatexError(f"{message} at character {position(context)}", position(context))


def plain(tree: Tree, keeps_differential: bool = False) -> Tree:
    """Takes off what only the builder needs: groups, braces; a stray differential is the product of its letters."""
    if tree[0] == "group" or tree[0] == "variable":
        inner = tree[1]
        return plain(inner[1] if inner[0] == "braces" else inner, keeps_differential)
    if tree[0] == "braces":
        return ("set", plain(tree[1])) if tree[1][0] != "pm" else plain(tree[1])
    if tree[0] == "conjugate":
        return ("call", "conjugate", tree[1])
    if tree[0] == "unit" and tree[1] is None:
        return ("sym", tree[2])
    if tree[0] == "differential" and not keeps_differential:
        return ("mul", ("sym", "d"), tree[1])
    return tree


def settled(tree: Tree) -> Tree:
    """The tree with every node in its final form."""
    tree = plain(tree)
    parts: list[Any] = []
    for part in tree[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], tuple):
            parts.append(tuple(settled(piece) for piece in part))
        elif isinstance(part, tuple) and part and tree[0] != "rel":
            parts.append(settled(part))
        elif isinstance(part, tuple) and part:
            parts.append(part if part is tree[1] else settled(part))
        else:
            parts.append(part)
    return (tree[0], *parts)


def named_under_lines(tree: Tree) -> Tree:
    r"""`\overline{x}` as the name x-bar, `\overline{AB}` as a segment; a conjugate where the context is complex.

    It is complex when i stands in the expression, when the letter is z or w, or when more than names stands under the line.
    """
    if any(node == ("const", "i") for node in nodes(tree)):
        return tree

    def change(node: Tree) -> Tree:
        if node[:2] != ("call", "conjugate"):
            return node
        letters = node[2][1:] if node[2][0] == "mul" else (node[2],)
        names = [letter[1] for letter in letters if letter[0] == "sym"]
        is_segment = len(names) == len(letters) > 1 and all(name.isupper() for name in names)
        is_name = len(names) == len(letters) == 1 and names[0] not in COMPLEX_LETTERS
        return ("sym", rf"\bar{{{''.join(names)}}}") if is_segment or is_name else node

    return mapped(tree, change)


def negative(tree: Tree) -> Tree:
    """-a, a literal number negated in place."""
    if tree[0] == "num":
        return ("num", -tree[1])
    return ("neg", plain(tree, keeps_differential=True)) if tree[0] != "integral" else ("neg", tree)


def as_set(tree: Tree) -> Tree:
    """`{1}` beside a set operation is a set of one."""
    if tree[0] in ("group", "braces") and tree[-1] != "(":
        return ("set", plain(tree[1]))
    return plain(tree)


def arguments_of(tree: Tree) -> tuple[Tree, ...]:
    if tree[0] == "tuple":
        return tree[3:]
    return tuple(map(plain, tree[2:])) if tree[0] == "list" else (plain(tree),)


def marked(tree: Tree, marks: str, context: Any) -> Tree:
    r"""Primes, `^*`, `^T`: part of a name, or an operation on a matrix; `^\circ` is a degree sign."""
    if marks == r"\circ":
        return ("degree", plain(tree))
    if tree[0] == "sym" and marks.strip("'") == "":
        return ("sym", tree[1] + marks)
    if marks.strip("'") == "" or set(re.findall(r"\\prime", marks)):
        times = len(marks) if "\\" not in marks else marks.count(r"\prime")
        name = "transpose"
    else:
        times = marks.count("*") + marks.count(r"\ast")
        name = "adjoint"
    if times == 0:
        raise error(context, f"the mark {marks} is not known")
    tree = plain(tree)
    for _ in range(times):
        tree = ("call", name, tree)
    return tree


def renamed(tree: Tree, old: Tree, new: Tree) -> Tree:
    """A summation index i or e is a variable, not the constant."""
    if old == new:
        return tree
    return mapped(tree, lambda node: new if node == old else node)


def source(context: Any) -> str:
    """The text of a rule as it was written."""
    stream = context.start.getInputStream()
    if context.start.type == context.stop.type and context.start is context.stop:
        return str(context.start.text)
    return str(stream.getText(context.start.start, context.stop.stop))
