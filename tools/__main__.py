"""`python -m tools` lists the commands of the toolkit; `python -m tools COMMAND ...` runs one.

    python -m tools view out/
    python -m tools compare out-old/aime24 out-new/aime24
    python -m tools compare --help

Each command is a module and also runs by its own name (`python -m tools.view`).
"""

from __future__ import annotations

import difflib
import runpy
import sys

from tools.errors import UsageError, run_command

# Command -> its module and what it does, in the order in which one needs them.
COMMANDS = {
    "benchmarks": ("tools.benchmarks", "list the benchmarks, fetch and check their problems"),
    "monitor": ("tools.sampling.monitor", "follow a run that samples, in the terminal"),
    "view": ("tools.view", "look at runs in the browser, also while they are going"),
    "report": ("tools.report", "write one HTML file about a graded run"),
    "compare": ("tools.analysis.compare", "compare graded runs, paired by problem"),
    "analysis": ("tools.analysis", "lengths, smaller budgets, loops and contamination of a graded run"),
    "exports": ("tools.report.exports", "results as Markdown, CSV or model-index"),
    "planner": ("tools.analysis.planner", "how many seeds a score needs"),
    "canary": ("tools.analysis.canary", "does a new engine still agree with an old run"),
    "sandbox-check": ("tools.sandbox.check", "try what protects this machine from the programs of models"),
}


def describe() -> str:
    """The list of commands.

    >>> describe().splitlines()[0]
    'usage: python -m tools COMMAND [arguments]; COMMAND --help says more'
    """
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    doors = "Sampling: inference.py, run_aime.sh, run_livecodebench.sh. Grading: evaluate_aime.py, evaluate_livecodebench.py."
    return "\n".join(["usage: python -m tools COMMAND [arguments]; COMMAND --help says more", "", *rows, "", doors])


def main() -> int:
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        print(describe())
        return 0
    if words[0] not in COMMANDS:
        near = difflib.get_close_matches(words[0], COMMANDS, n=1)
        meant = f"did you mean {near[0]}?" if near else "`python -m tools` lists them"
        raise UsageError(f"there is no command {words[0]!r}; {meant}")
    module, _ = COMMANDS[words[0]]
    del sys.argv[1]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
