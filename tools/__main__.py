"""`python -m tools`: every command of the toolkit by name, loaded when it is run.

    python -m tools                          lists them
    python -m tools compare out/old out/new  runs one; each tells of itself with --help

A new command is one line of COMMANDS. The front doors (run_*.sh, evaluate_*.py) stand beside it: they are what most need.

>>> COMMANDS["compare"].place
'tools.analysis.compare:main'
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tools.errors import UsageError, run_command


@dataclass(frozen=True)
class Command:
    """`place`: module:function, which reads sys.argv. `usage` stands for the help of a command that parses nothing."""

    place: str
    help: str
    usage: str | None = None


COMMANDS = {
    "view": Command("tools.view.__main__:main", "a page in the browser over one or many runs, live while they go"),
    "report": Command("tools.report.__main__:main", "report.html: one file of a run to keep, send or print"),
    "compare": Command("tools.analysis.compare:main", "is B better than A, by how much, and could these runs see it"),
    "analysis": Command("tools.analysis.__main__:main", "lengths, smaller budgets, loops, months, contamination"),
    "monitor": Command("tools.sampling.monitor:main", "how far a run of generation is, from another shell"),
    "plan-k": Command("tools.analysis.planner:main", "how many seeds a score needs for a wanted interval"),
    "canary": Command("tools.analysis.canary:main", "does a new engine version still give the scores of the last"),
    "leaderboard": Command(
        "tools.leaderboard.__main__:main", "many runs in one table; a page, CSV, SQLite, model-index"
    ),
    "upload": Command("tools.upload.__main__:main", "a run to a dataset repository of the hub, with a card"),
    "exports": Command("tools.report.exports:main", "scores as Markdown, CSV, or metadata of a model card"),
    "benchmarks": Command("tools.benchmarks.__main__:main", "lists benchmarks; fetches and checks their files"),
    "import": Command("tools.importing.__main__:main", "responses of other toolkits, converted into files of ours"),
    "check-golds": Command(
        "tools.grading.math.check_golds:main", "which reference answers of a benchmark the math grader cannot read"
    ),
    "judge-scores": Command("tools.judging.figures:main", "published figures of judges from stored judgments"),
    "judge-agreement": Command("tools.judging.agreement:main", "how often a judge agrees with people or another judge"),
    "sandbox-check": Command(
        "tools.sandbox.check:main", "what protects this machine from programs", usage="python -m tools sandbox-check"
    ),
}
HELP_WORDS = ("-h", "--help")


def list_commands() -> str:
    """The names with one line each."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.help}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: python -m tools COMMAND [options]    (COMMAND --help tells more)", "", *lines])


def find_command(name: str) -> Command:
    """Raises UsageError for an unknown name, with the nearest ones."""
    if name in COMMANDS:
        return COMMANDS[name]
    import difflib

    near = difflib.get_close_matches(name.replace("_", "-"), COMMANDS, n=2, cutoff=0.5)
    advice = f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(COMMANDS)}"
    raise UsageError(f"there is no command {name!r}; {advice}")


def run(name: str, arguments: Sequence[str]) -> int:
    """Runs a command as if it were a program of its own; returns its exit code."""
    command = find_command(name)
    if command.usage and any(word in HELP_WORDS for word in arguments):
        print(f"usage: {command.usage}\n\n{command.help}")
        return 0
    module, _, function = command.place.partition(":")
    sys.argv = [f"python -m tools {name}", *arguments]
    code: int = getattr(importlib.import_module(module), function)()
    return code


def main() -> int:
    name, *arguments = sys.argv[1:] or HELP_WORDS
    if name in HELP_WORDS:
        print(list_commands())
        return 0
    return run(name, arguments)


if __name__ == "__main__":
    sys.exit(run_command(main))
