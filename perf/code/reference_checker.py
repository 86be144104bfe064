"""How LiveCodeBench's own checker works, as a yardstick for speed only; never used for grading.

Our own model of its way of working, from its description: a pool of workers; for each solution a fresh manager process
and a fresh process that applies a guard, imports its prelude, wraps a stdin program in a function, fakes stdin with mocks
and runs all tests inside under SIGALRM, comparing on the spot. It protects nothing.
"""

from __future__ import annotations

import ast
import concurrent.futures
import contextlib
import io
import json
import multiprocessing
import signal
import sys
import types
from decimal import Decimal
from unittest import mock

PRELUDE = "".join(
    f"from {name} import *\n"
    for name in [
        "string",
        "re",
        "datetime",
        "collections",
        "heapq",
        "bisect",
        "copy",
        "math",
        "random",
        "statistics",
        "itertools",
        "functools",
        "operator",
        "io",
        "sys",
        "json",
        "builtins",
        "typing",
    ]
) + "".join(
    f"import {name}\n" for name in ["string", "re", "datetime", "collections", "heapq", "bisect", "math", "random"]
)
PRELUDE += "import sys\nsys.setrecursionlimit(50000)\n"
TIMEOUT_S = 6


class TooLong(Exception):
    """Raised by the alarm."""


def _alarm(_number: int, _frame: object) -> None:
    raise TooLong


def _guard() -> None:
    """Sets functions of several modules to None, as the checker's guard does."""
    import builtins
    import faulthandler
    import os
    import shutil
    import subprocess

    faulthandler.disable()
    builtins.quit = None  # type: ignore[assignment]
    for name in ("kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid", "fork", "forkpty",
                 "killpg", "rename", "renames", "truncate", "replace", "unlink", "fchmod", "fchown", "chmod", "chown",
                 "chroot", "lchown", "getcwd", "chdir"):  # fmt: skip
        setattr(os, name, None)
    for name in ("rmtree", "move", "chown"):
        setattr(shutil, name, None)
    subprocess.Popen = None  # type: ignore[assignment,misc]
    for name in ("ipdb", "joblib", "resource", "psutil", "tkinter"):
        sys.modules[name] = None  # type: ignore[assignment]


def _as_function(code: str) -> str:
    """Imports outside, everything else inside one function; a main guard is unwrapped."""
    tree = ast.parse(code)
    if tree.body and isinstance(tree.body[-1], ast.If) and "__name__" in ast.unparse(tree.body[-1].test):
        tree.body = tree.body[:-1] + tree.body[-1].body
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    others = [node for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    function = ast.parse("def wrapped_function():\n    pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = others or function.body
    return PRELUDE + "\n" + ast.unparse(ast.fix_missing_locations(ast.Module([*imports, function], [])))


class _Stdin(io.StringIO):
    """A stdin with the bytes view that the checker's mock has."""

    @property
    def buffer(self) -> io.BytesIO:
        return io.BytesIO(self.getvalue().encode())


def _call_with_stdin(method: types.FunctionType, text: str) -> str:
    captured, lines = io.StringIO(), iter(text.split("\n"))
    stdin = _Stdin(text)
    with (
        mock.patch("builtins.open", mock.mock_open(read_data=text)),
        mock.patch("sys.stdin", stdin),
        mock.patch("sys.stdin.readline", side_effect=lambda *_: next(lines, "")),
        mock.patch("sys.stdin.read", return_value=text),
        mock.patch("sys.stdout", captured),
        contextlib.suppress(SystemExit),
    ):
        method()
    return captured.getvalue()


def _same_lines(output: str, expected: str) -> bool:
    ours, theirs = ([line.strip() for line in text.strip().split("\n")] for text in (output, expected))
    if len(ours) != len(theirs):
        return False
    for line, other in zip(ours, theirs, strict=True):
        if line != other:
            try:
                if [Decimal(word) for word in line.split()] != [Decimal(word) for word in other.split()]:
                    return False
            except ArithmeticError:
                return False
    return True


def _run_all(problem: dict, code: str, results: list, details: list) -> None:
    """In the process of one solution. `results` and `details` are lists of the manager: one message each at the end."""
    signal.signal(signal.SIGALRM, _alarm)
    found: list[bool] = []
    tests = json.loads(problem["public_test_cases"]) + json.loads(problem["private_test_cases"])
    function = json.loads(problem["metadata"]).get("func_name")
    _guard()
    try:
        module = types.ModuleType("tmp_sol")
        if function:
            exec(PRELUDE + "\n" + code, module.__dict__)  # noqa: S102 - a yardstick for our own workload
            method = getattr(module.Solution(), function) if "class Solution" in code else getattr(module, function)
        else:
            exec(_as_function(code), module.__dict__)  # noqa: S102
            method = module.wrapped_function
        for test in tests:
            signal.alarm(TIMEOUT_S)
            if function:
                value = method(*[json.loads(line) for line in test["input"].split("\n")])
                value = list(value) if isinstance(value, tuple) else value
                is_right = value == json.loads(test["output"])
            else:
                is_right = _same_lines(_call_with_stdin(method, test["input"]), test["output"])
            signal.alarm(0)
            found.append(bool(is_right))
            if not is_right:
                break
    except BaseException:  # noqa: BLE001 - as the checker does
        signal.alarm(0)
        found.append(False)
    results.append(found)
    details.append({})


def check(task: tuple[dict, str]) -> bool:
    """One solution: a manager, a process, a join with a limit."""
    problem, code = task
    manager = multiprocessing.Manager()
    results, details = manager.list(), manager.list()
    process = multiprocessing.Process(target=_run_all, args=(problem, code, results, details))
    process.start()
    tests = len(json.loads(problem["public_test_cases"])) + len(json.loads(problem["private_test_cases"]))
    process.join(timeout=(TIMEOUT_S + 1) * tests + 5)
    if process.is_alive():
        process.kill()
    found = results[0] if len(results) else []
    manager.shutdown()
    return len(found) == tests and all(found)


def verify(problems: list[dict], solutions: list[dict], workers: int) -> list[bool]:
    """Verdicts in the order of the solutions."""
    import numpy  # noqa: F401 - the checker's module imports it before it forks

    by_id = {problem["question_id"]: problem for problem in problems}
    tasks = [(by_id[solution["question_id"]], solution["code"]) for solution in solutions]
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        return list(pool.map(check, tasks))
