"""Checkers: programs that say whether an output is right, for problems with many right ones (open-r1's Codeforces).

Such a program is called as `checker.py input.txt correct_output.txt solution_output.txt` and prints 1 for a right output. Here it
runs in the sandbox like any other; the three files are texts in its memory, so that what a solution printed reaches it as data.
"""

from __future__ import annotations

import json

from tools.sandbox.limits import Limits
from tools.sandbox.outcome import End
from tools.sandbox.session import Sandbox

# An output is at most a few times as long as the right one: a checker that needs more than this was led astray by it.
CHECKER_LIMITS = Limits(cpu_s=30.0, idle_s=45.0)
RUN_CHECKER = """
import builtins, io, json, os, sys

files = json.loads(sys.stdin.read())
checker = files.pop("checker.py")


def open_text(file, mode="r", *_, **__):
    text = files.get(file if isinstance(file, str) else os.fspath(file))
    if text is None or set(mode) - set("rbt"):
        raise FileNotFoundError(f"a checker has three files to read: {', '.join(files)}")
    return io.BytesIO(text.encode("utf-8", "replace")) if "b" in mode else io.StringIO(text)


builtins.open = io.open = open_text
sys.argv = ["checker.py", *files]
exec(compile(checker, "checker.py", "exec"), {"__name__": "__main__", "__file__": "checker.py"})
"""


def find_objection(sandbox: Sandbox, checker: str, given: str, expected: str, output: str) -> str | None:
    """Why a checker does not take an output; None where it does. A checker that fails at an output has not taken it."""
    program = sandbox.load(RUN_CHECKER, has_prelude=False)
    files = {"checker.py": checker, "input.txt": given, "correct_output.txt": expected, "solution_output.txt": output}
    outcome = sandbox.run(program, json.dumps(files).encode(), CHECKER_LIMITS)
    if outcome.end is not End.FINISHED or outcome.output is None:
        return f"the checker ended without a word ({outcome.reason})"
    said = outcome.output.decode("utf-8", "replace").strip()
    return None if said == "1" else f"the checker says {said[:200]!r}"
