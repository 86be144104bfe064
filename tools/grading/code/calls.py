"""Runs a program's function on many inputs, a few hundred in one fork, and reads what each call returned.

The program gets the inputs and nothing else; what it should answer stays out here. Answers are read line by line, so that
a run which is ended at its limit keeps what it had answered, and goes on behind that in another fork.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import secrets
from collections.abc import Sequence
from typing import Any

from tools.grading.code import call_harness
from tools.sandbox.limits import Limits
from tools.sandbox.outcome import End, Outcome
from tools.sandbox.session import Program, Sandbox

HARNESS = pathlib.Path(call_harness.__file__).read_text(encoding="utf-8")
# Behind the program, whatever names it has taken: only the two odd ones below are put among its own.
FOOTER = (
    "\n\n__calls__ = {'__name__': 'calls'}\n"
    f"__import__('builtins').exec({HARNESS!r}, __calls__)\n"
    "__calls__['answer_calls'](__import__('builtins').globals())\n"
)
LINE_BYTES = 64  # of a record beside its value


@dataclasses.dataclass(frozen=True)
class Call:
    """What one call did: `text` is the JSON of what it returned, None when it raised `error`. `cpu_s` as it says itself."""

    text: str | None
    error: str = ""
    cpu_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class Order:
    """Which function to call on which inputs (encoded lists of arguments). `collect`: "set" to have the result as one."""

    function: str
    inputs: Sequence[Any]
    collect: str | None = None


def load_calls(sandbox: Sandbox, code: str) -> Program:
    """The program with the harness behind it."""
    return sandbox.load(code + FOOTER, None, has_prelude=False)


def run_calls(sandbox: Sandbox, program: Program, order: Order, limits: Limits) -> tuple[list[Call], Outcome]:
    """The calls that ended, in their order; the last one may have failed. One fork."""
    token = secrets.token_hex(8)
    payload = {"function": order.function, "inputs": order.inputs, "collect": order.collect, "token": token}
    outcome = sandbox.run(program, json.dumps(payload).encode(), limits)
    return read_calls(outcome.output or b"", token, len(order.inputs)), outcome


def read_calls(output: bytes, token: str, most: int) -> list[Call]:
    """The records of a run; a line that is not whole does not count.

    >>> read_calls(b'\\nT {"v": 3, "s": 0.1}\\nprinted\\nT {"e": "ValueError: no"}\\nT {"v"', "T", 9)
    [Call(text='3', error='', cpu_s=0.1), Call(text=None, error='ValueError: no', cpu_s=0.0)]
    """
    mark = f"{token} ".encode()
    calls: list[Call] = []
    lines = output.split(b"\n")
    for line in lines[:-1]:
        if line.startswith(mark) and len(calls) < most:
            calls.append(_read_call(line[len(mark) :].decode("utf-8", "replace")))
    return calls


def _read_call(line: str) -> Call:
    """The value stays text, as it stands in the line: it is parsed only when its text differs from what is expected."""
    if line.startswith('{"v": ') and line.endswith("}"):
        text, comma, seconds = line[6:-1].rpartition(', "s": ')
        if comma:
            return Call(text, "", _to_seconds(seconds))
    try:
        error = json.loads(line)["e"]
    except (ValueError, KeyError, TypeError, RecursionError):
        error = "an answer that cannot be read"
    return Call(None, str(error)[:300])


def _to_seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0


def is_stopped(outcome: Outcome) -> bool:
    """Whether a limit ended it, so that what it had not answered yet says nothing."""
    return outcome.end in (End.CPU_LIMIT, End.IDLE_LIMIT)
