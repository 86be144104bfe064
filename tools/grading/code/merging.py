"""Joins the blocks of an answer into one program, when the block with the function needs what other blocks define.

For `code_extraction.py` (functions spread over blocks) and `code_grading.py` (HumanEval's prompt before a solution). The
block that defines the function stays as it is written; of the others only the statements come along that bind or change
a name which it reads and does not bind, and in turn what those read. So tables filled by a loop are kept, and examples,
assertions and rejected drafts are left behind. Text is moved by lines, never written anew from a syntax tree.

>>> print(join_blocks(["import math\\nprint(math.pi)", "def f(): return math.e", "print(f())"], 1))
import math
def f(): return math.e
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Sequence
from dataclasses import dataclass

from tools.grading.code.blocks import MAX_PARSED_CHARS, parse_program

BUILTINS = frozenset(dir(builtins))
# Calls that set the interpreter for the whole program.
SETTINGS = {"setrecursionlimit", "set_int_max_str_digits", "stack_size"}
MAX_JOINED_CHARS = 50_000
MAX_BLOCKS = 100  # so many on each side of the program; an answer with more has run away
EXAMPLE_CALLS = {"print", "input", "test", "tests", "assert_equal", "main"}


@dataclass(frozen=True)
class Statement:
    """Statements of one or several whole lines. `binds`: global names that it binds or changes; `reads`: those that it
    reads, also inside its functions."""

    text: str
    binds: frozenset[str]
    reads: frozenset[str]
    is_setting: bool = False
    is_function: bool = False


def join_blocks(blocks: Sequence[str], base: int) -> str:
    """The block number `base` with what it needs of the others, earlier ones first."""
    code = blocks[base]
    own = read_names(code)
    if own is None:
        return code
    before = [each for block in blocks[:base] for each in split_statements(block)]
    after = [each for block in blocks[base + 1 :] for each in split_statements(block) if not each.is_setting]
    own_binds, own_reads = own
    seeds = own_reads - own_binds
    taken = _select(before, seeds, own_binds)
    found = frozenset(name for number in taken for name in before[number].binds)
    late = _select(after, seeds - found, own_binds | found)
    corrected = [each.text for each in after if each.is_function and each.binds & own_binds]
    lines = [before[number].text for number in sorted(taken)] + [after[number].text for number in sorted(late)]
    joined = put_before("\n".join(lines), code)
    return "\n".join([joined.rstrip("\n"), *corrected, ""]) if corrected else joined


def _select(statements: Sequence[Statement], names: frozenset[str], own: frozenset[str]) -> set[int]:
    """Numbers of the statements that bind one of the names or what those statements read in turn."""
    by_name: dict[str, list[int]] = {}
    for number, statement in enumerate(statements):
        for name in statement.binds - own:
            by_name.setdefault(name, []).append(number)
    taken = {number for number, statement in enumerate(statements) if statement.is_setting}
    waiting = list(names - own)
    for number in taken:
        waiting += statements[number].reads
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for number in by_name.get(name, ()):
            if number not in taken or statements[number].is_setting:
                taken.add(number)
                waiting += statements[number].reads | statements[number].binds
    return taken


def put_before(prefix: str, code: str) -> str:
    """`prefix`, then `code`; imports from __future__ stay first."""
    if not prefix.strip():
        return code
    tree = parse_program(code) if "__future__" in code else None
    lines = code.split("\n")
    first = []
    for node in tree.body if tree else ():
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            first += lines[node.lineno - 1 : node.end_lineno]
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return "\n".join([*first, prefix.rstrip("\n"), *lines])


def split_statements(code: str) -> list[Statement]:
    """The statements at the top level of a block that do something for others; none of what is no Python."""
    tree = parse_program(code)
    if tree is None:
        return []
    lines = code.split("\n")
    groups: list[tuple[int, int, list[ast.stmt]]] = []
    for node in tree.body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        if groups and first <= groups[-1][1]:  # several on one line
            start, end, nodes = groups.pop()
            groups.append((start, max(end, last), [*nodes, node]))
        else:
            groups.append((first, last, [node]))
    found = []
    for start, end, nodes in groups:
        statement = _describe("\n".join(lines[start - 1 : end]), nodes)
        if statement is not None:
            found.append(statement)
    return found


def _describe(text: str, nodes: Sequence[ast.stmt]) -> Statement | None:
    """None for what is an example: an assertion, a guard, a call for its output."""
    if all(isinstance(node, ast.Assert) or is_guard(node) for node in nodes):
        return None
    names = read_names(text)
    if names is None:
        return None
    binds, reads = names
    changes, calls = _find_changes(nodes)
    is_setting = all(isinstance(node, ast.Expr) for node in nodes) and bool(calls & SETTINGS)
    if all(isinstance(node, ast.Expr) for node in nodes) and calls & EXAMPLE_CALLS:
        return None
    is_function = all(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in nodes)
    return Statement(text, (binds | changes) - BUILTINS, reads, is_setting, is_function)


def is_guard(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":`, either way round."""
    test = node.test if isinstance(node, ast.If) else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, test.comparators[0]]
    has_name = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return has_name and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)


def _find_changes(nodes: Sequence[ast.stmt]) -> tuple[frozenset[str], frozenset[str]]:
    """Names whose objects are changed at the top level (`table[i] = 1`, `table.append(1)`, `fill(table)`), and the last
    parts of the names of what is called there."""
    changes: set[str] = set()
    calls: set[str] = set()
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            changes |= _root(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            calls.add(called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))
            for each in (called, *node.value.args):
                changes |= _root(each)
        waiting.extend(ast.iter_child_nodes(node))
    return frozenset(changes), frozenset(calls)


def _root(node: ast.AST) -> set[str]:
    """The name at the beginning of `name.a[0].b`."""
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def read_names(code: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """The global names that code binds, and those that it reads and that are not built in; None for no Python."""
    if len(code) > MAX_PARSED_CHARS:
        return None
    try:
        table = symtable.symtable(code, "<program>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    binds: set[str] = set()
    reads: set[str] = set()
    waiting = [table]
    while waiting:
        scope = waiting.pop()
        for symbol in scope.get_symbols():
            is_global = scope is table or symbol.is_global()
            if is_global and (symbol.is_assigned() or symbol.is_imported()):
                binds.add(symbol.get_name())
            if is_global and symbol.is_referenced():
                reads.add(symbol.get_name())
        waiting += scope.get_children()
    return frozenset(binds), frozenset(reads - BUILTINS)
