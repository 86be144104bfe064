"""The answer to a question of CRUXEval: one Python expression, found in a model's text and made safe to compare.

The authors run `assert {output} == {answer}` behind the function's code. This reads the answer as Python would read it there
(so `1, 2` is 1 with a message, as there), takes the asked side of an equation, and leaves out what could only cheat.

>>> find_expression("[ANSWER] assert f('a') == 'b' [/ANSWER]", Task.OUTPUT).source
"'b'"
>>> find_expression("So ```python\\nassert f('a') == 'b'\\n```", Task.INPUT).source
"f('a')"
>>> find_expression("f = lambda x: 1", Task.OUTPUT) is None, judge_expression(find_expression("f(2)", Task.OUTPUT), Task.OUTPUT)
(True, 'calls f instead of saying what it returns')
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import re
from collections.abc import Iterator
from typing import Any

from tools.grading.code.blocks import find_blocks, parse_program

MOST_CHARS = 20_000
TAGGED = re.compile(r"\[ANSWER\](.*?)(?:\[/ANSWER\]|\Z)", re.DOTALL)
ASSERT = re.compile(r"\s*assert\b\s*")
# What gives a hand on the frame, on classes or on the file system: an answer is a value or a call with values.
FORBIDDEN = frozenset(
    "__import__ breakpoint classmethod compile delattr eval exec exit getattr globals help input locals memoryview object open "
    "property quit setattr staticmethod super type vars".split()
)


class Task(str, enum.Enum):
    """What is asked: the output of a call, or an input that gives an output."""

    OUTPUT = "output"
    INPUT = "input"


@dataclasses.dataclass(frozen=True)
class Expression:
    """`given` is the text as it stood, `rest` are the statements behind the answer. `is_alone`: it was no equation."""

    tree: ast.expr
    rest: str
    given: str
    is_alone: bool

    @property
    def source(self) -> str:
        """The answer in Python's own words."""
        return ast.unparse(self.tree)

    @property
    def literal(self) -> Any:
        """Its value. Raises ValueError when it is no literal."""
        try:
            return ast.literal_eval(self.tree)
        except (TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise ValueError(str(error)) from error


def find_expression(text: str, task: Task) -> Expression | None:
    """The answer in a text: between the marks, else the whole text, else its last block or line that is Python."""
    for part in _places(text):
        found = read_expression(part, task) if 0 < len(part) <= MOST_CHARS else None
        if found is not None:
            return found
    return None


def _places(text: str) -> Iterator[str]:
    tagged = TAGGED.findall(text) if "[ANSWER]" in text else []
    if tagged:
        yield tagged[-1].strip().removeprefix("```python").strip("`").strip()
        return
    yield text.strip()
    blocks = find_blocks(text[-MOST_CHARS:])
    if blocks:
        yield blocks[-1].text.strip()
    lines = [line.strip() for line in text[-MOST_CHARS:].split("\n") if line.strip()]
    if lines:
        yield from reversed(re.findall(r"`([^`\n]+)`", lines[-1])[-3:])
        yield lines[-1]


def read_expression(text: str, task: Task) -> Expression | None:
    """Python's reading of `assert 0 == {text}`; of what is no comparison then (`1 if x else 2`), that in brackets."""
    start = ASSERT.match(text)
    text = text[start.end() :].strip() if start else text.strip()
    return _read_comparison(text, text, task) or _read_comparison(f"(\n{text}\n)", text, task)


def _read_comparison(source: str, given: str, task: Task) -> Expression | None:
    tree = parse_program(f"assert 0 == {source}")
    if tree is None or not isinstance(tree.body[0], ast.Assert):
        return None
    test = tree.body[0].test
    if not isinstance(test, ast.Compare) or not _is_zero(test.left) or len(test.comparators) > 2:
        return None
    if len(test.comparators) == 2 and not isinstance(test.ops[1], (ast.Eq, ast.Is)):
        return None
    try:
        rest = "\n".join(ast.unparse(node) for node in tree.body[1:])
        return Expression(_asked_side(test.comparators, task), rest, given, len(test.comparators) == 1)
    except (RecursionError, ValueError):
        return None


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0 and type(node.value) is int


def _asked_side(sides: list[ast.expr], task: Task) -> ast.expr:
    """Of `f(x) == y`: y where the output is asked, else the call; also when it stands the other way round."""
    if len(sides) == 1:
        return sides[0]
    left, right = sides
    is_swapped = _is_call(right) and not _is_call(left)
    output, call = (left, right) if is_swapped else (right, left)
    return output if task is Task.OUTPUT else call


def _is_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "f"


def judge_expression(found: Expression, task: Task) -> str:
    """Why an answer does not count, whatever its value; empty when it may."""
    if task is Task.INPUT and not (_is_call(found.tree) and "f(" in found.given):
        return "no call of f"
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            return f"reaches into {node.attr}"
        if isinstance(node, ast.Name) and (node.id in FORBIDDEN or node.id.startswith("__")):
            return f"uses {node.id}"
        if isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
            return "binds names or waits"
        if task is Task.OUTPUT and isinstance(node, ast.Name) and node.id == "f":
            return "calls f instead of saying what it returns"
    return ""
