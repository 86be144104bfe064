"""EvalPlus's tasks, in both of their forms, as inputs with what to compare the answers with.

One form has `base_input`, `plus_input`, `atol` and the canonical solution that says what is expected (the files of its
authors). The other has test code: a list of inputs, and a list of results or a function that makes them (the hub's). The
test code is not run: what it holds is read, so that nothing expected is in a program's process. Code of any other
form is no task of EvalPlus, and `read_plus` gives None.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from tools.errors import DataError
from tools.grading.code.plus_rules import Oracle, oracle_of, read_rules, shape_inputs
from tools.grading.code.values import encode
from tools.records import JsonRow

PRELIMINARIES = ("import numpy as np", "from math import inf", "import math")
LOOP = re.compile(r"assertion\((\w+)\(\*inp\), (exp|ref_func\(\*inp\)), ([\d.e-]+)\)")
ROOT_LOOP = re.compile(r"assert _poly\(.*\) <= ([\d.e-]+)")
REFERENCE = "ref_func"


@dataclasses.dataclass(frozen=True)
class Segment:
    """Inputs that are run together: lists of arguments. `expected`: the JSON of each result, None: to be computed."""

    name: str
    inputs: Sequence[Sequence[Any]]
    expected: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True)
class PlusTask:
    """One task. `canonical` is a whole program whose function `reference` computes what is expected."""

    task_id: str
    entry_point: str
    prompt: str
    canonical: str
    reference: str
    tolerance: float
    oracle: Oracle
    segments: tuple[Segment, ...]

    @property
    def key(self) -> str:
        """Names what is expected, for the store of expected outputs: the same task has the same one."""
        parts = [self.canonical, self.reference, self.oracle.value]
        parts += [json.dumps([encode(list(each)) for each in segment.inputs]) for segment in self.segments]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def read_plus(question_id: str, row: JsonRow) -> PlusTask | None:
    """The task of a row; None when it has neither form. Raises DataError for a damaged one."""
    if row.get("base_input") is not None or row.get("plus_input") is not None:
        return _read_inputs(question_id, row)
    test = row.get("test")
    if isinstance(test, str) and "inputs = [" in test and ("assertion(" in test or "_poly(" in test):
        return _read_test_code(question_id, row, test)
    return None


def _read_inputs(question_id: str, row: JsonRow) -> PlusTask:
    """The authors' form. `contract` stays unread: EvalPlus checks its own inputs by it, and not programs."""
    prompt, solution, entry_point = (row.get(name) for name in ("prompt", "canonical_solution", "entry_point"))
    tolerance = row.get("atol", 0)
    if not isinstance(solution, str) or not isinstance(entry_point, str) or not entry_point:
        raise DataError(f"problem {question_id}: inputs without canonical_solution and entry_point; restore the row")
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not tolerance >= 0:
        raise DataError(f"problem {question_id}: atol is no number from 0; restore the row")
    segments = []
    for name in ("base", "plus"):
        inputs = row.get(f"{name}_input") or []
        if not isinstance(inputs, list) or not all(isinstance(each, list) for each in inputs):
            raise DataError(f"problem {question_id}: {name}_input is no list of lists of arguments; restore the row")
        if inputs:
            segments.append(Segment(name, shape_inputs(question_id, inputs)))
    if not segments:
        raise DataError(f"problem {question_id} has no inputs: nothing can pass it")
    prompt = prompt if isinstance(prompt, str) else ""
    oracle = oracle_of(question_id, entry_point)
    return PlusTask(
        question_id, entry_point, prompt, prompt + solution, entry_point, float(tolerance), oracle, tuple(segments)
    )


def _read_test_code(question_id: str, row: JsonRow, test: str) -> PlusTask | None:
    """The hub's form, read and not run."""
    try:
        body = ast.parse(test).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    named = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    statements = [*named["check"].body] if "check" in named else body
    values = {
        node.targets[0].id: node.value
        for node in statements
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    loop = statements[-1]
    if not isinstance(loop, ast.For) or len(loop.body) != 1 or "inputs" not in values:
        return None
    check = _find_check(test, named)
    found = (ROOT_LOOP if check is Oracle.ROOT else LOOP).fullmatch(ast.unparse(loop.body[0]))
    inputs, results = _literal(values["inputs"]), _literal(values["results"]) if "results" in values else None
    if check is None or found is None or not isinstance(inputs, list) or not inputs:
        return None
    tolerance = float(found.groups()[-1])
    entry_point = str(row.get("entry_point") or found.group(1))
    task_id = question_id if "/" in question_id else f"Mbpp/{question_id}"  # the hub has MBPP's numbers alone
    special = oracle_of(task_id, entry_point)
    if check is Oracle.EQUAL and special is not Oracle.EQUAL:
        check = special  # EvalPlus applies it to both forms' tasks; this form's check forgets it
    canonical, expected = "", None
    if isinstance(results, list) and len(results) == len(inputs):
        expected = tuple(json.dumps(encode(each)) for each in results)
    elif REFERENCE in named:
        canonical = _reference_code(test, body)
    else:
        return None
    prompt = str(row.get("prompt") or "") if row.get("entry_point") else ""  # MBPP's are words
    segment = Segment("plus", inputs, expected)
    return PlusTask(question_id, entry_point, prompt, canonical, REFERENCE, tolerance, check, (segment,))


def _find_check(test: str, named: dict[str, ast.FunctionDef]) -> Oracle | None:
    """What its checking function does, when it is one that is known to the letter, blanks aside."""
    node = named.get("assertion") or named.get("_poly")
    source = _source_of(test.split("\n"), node) if node else ""
    digest = hashlib.sha256("".join(source.split()).encode()).hexdigest()
    known = read_rules()["checks"].get(digest)
    return Oracle(known) if known else None


def _reference_code(test: str, body: Sequence[ast.stmt]) -> str:
    """The function that computes what is expected, with what it needs: all but the checking."""
    parts, lines = [], test.split("\n")
    for node in body:
        source = _source_of(lines, node)
        is_check = isinstance(node, ast.FunctionDef) and node.name in ("assertion", "is_floats", "check")
        if not is_check and not isinstance(node, (ast.For, ast.Assign)) and source not in PRELIMINARIES:
            parts.append(source)
    return "\n\n".join(["from math import inf", *parts])


def _source_of(lines: Sequence[str], node: ast.stmt) -> str:
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


class _Constants(ast.NodeTransformer):
    """`inf` and `nan` as values, so that a literal may hold them."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant({"inf": math.inf, "nan": math.nan}[node.id]) if node.id in ("inf", "nan") else node


def _literal(node: ast.expr) -> Any:
    """The value of a literal, None when it is none."""
    try:
        return ast.literal_eval(_Constants().visit(node))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
