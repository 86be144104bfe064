"""The command line of evaluate.py, evaluate_aime.py and evaluate_livecodebench.py: each grades any benchmark, by one parser.

>>> given = parse(CommandLine(None), ["-g", "out/aime24", "--answer-from", "anywhere"], {})
>>> given.folder.name, given.options.grader
('aime24', {'answer_from': 'anywhere'})
"""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tools.benchmarks.benchmark import split_names
from tools.commandline import CommandLine, add_options, parse_seeds, read_options
from tools.errors import UsageError, printable
from tools.grading import GRADERS, grader_class
from tools.grading.grader import GradingOptions

MOST_WORKERS = 1024


@dataclasses.dataclass(frozen=True)
class Given:
    """What a command line says. `folder` is None where only the machine is to be measured (--calibrate)."""

    folder: pathlib.Path | None
    benchmark: str | None
    file: str | None
    options: GradingOptions
    calibrates: bool
    benchmarks: tuple[str, ...] = ()
    is_run: bool = False  # the folder is a whole run: every benchmark in it is graded
    estimates: bool = False


def parse(parser: CommandLine, arguments: Sequence[str], environ: Mapping[str, str]) -> Given:
    """Reads a command line. Raises UsageError."""
    add_options_of_all(parser)
    # Most commands have no option of a grader, and then none of the graders is imported.
    asked = [*GRADERS] if any(_is_new(parser, word) for word in arguments) else []
    for name in asked:
        add_options(parser.add_argument_group(f"graded by {name}"), grader_class(name).Options)
    given = parser.parse_args(arguments)
    run = getattr(given, "run", None)
    if given.generation_path is None and not given.calibrate and run is None:
        raise UsageError("give the folder with the responses with --generation-path or --modelfolder; see --help")
    if run is not None and (given.generation_path or given.question_path or given.benchmark):
        raise UsageError(
            "give a run's folder alone, with --benchmarks for some of it, or one folder of responses with -g"
        )
    if given.workers is not None and not 1 <= given.workers <= MOST_WORKERS:
        raise UsageError(f"--workers {given.workers} is not between 1 and {MOST_WORKERS}")
    launcher = given.launcher or environ.get("LAUNCHER") or "local"
    if launcher not in ("local", "ray"):
        raise UsageError(f"LAUNCHER={launcher}: choose local or ray")
    grader_options: dict[str, Any] = {}
    for name in asked:  # of the command line alone: TIMEOUT in an environment may mean something else
        grader_options |= read_options(grader_class(name).Options, given, {})
    options = GradingOptions(
        rules=given.grader,
        seeds=parse_seeds(given.seeds) if given.seeds else None,
        allow_incomplete=given.allow_incomplete,
        subset=given.subset,
        workers=given.workers,
        launcher=launcher,
        grader=grader_options,
    )
    path = run if run is not None else given.generation_path
    benchmark, file = given.benchmark or given.question_path, given.question_path if given.benchmark else None
    return Given(
        None if path is None else pathlib.Path(path),
        benchmark,
        file,
        options,
        given.calibrate,
        split_names(getattr(given, "benchmarks", None) or ""),
        run is not None,
        given.estimate,
    )


def add_options_of_all(parser: CommandLine) -> None:
    """Options of a grading, whatever the grader."""
    add = parser.add_argument
    add("--generation-path", "--modelfolder", "-g", metavar="DIR", help="holds seed<N>.jsonl, or the run's folder")
    add(
        "--question-path",
        "--dataset",
        "--test_data",
        "-q",
        metavar="SET",
        help="problem file or benchmark [the folder's name]",
    )
    add("--benchmark", metavar="NAME", help="the benchmark that a file given with -q is read as, or instead of it")
    add("--seeds", "-s", metavar="LIST", help="seeds that a score needs, e.g. '100 200' [all planned or there]")
    add("--subset", "--set", metavar="NAME", help="one frozen part: v5, v6, v5+v6, 2024-08, 06/24-01/25 ...")
    add("--allow-incomplete", action="store_true", help="grade what is there, by its true number of samples")
    add("--grader", choices=("ours", "original"), default="ours", help="original: the original toolkit's rules")
    add("--workers", "-w", type=int, metavar="N", help="processes that grade [all cores]")
    add("--launcher", metavar="WHERE", help="local, or ray: on all nodes of a Ray cluster [LAUNCHER, else local]")
    add("--calibrate", action="store_true", help="measure this machine against the reference of the time limit")
    add("--estimate", action="store_true", help="what a judge would cost; nothing is asked")


def _is_new(parser: CommandLine, word: str) -> bool:
    """Whether a word asks for help, or is an option that the parser does not have yet."""
    flag = word.partition("=")[0]
    return flag in ("-h", "--help") or (flag.startswith("-") and flag not in parser._option_string_actions)


def evaluate(given: Given) -> str:
    """Grades the folder that a command line names; returns what is to be printed. Raises EvaluationErrors."""
    parts = []
    if given.calibrates:
        from tools.grading.code.calibration import calibrate

        parts.append(calibrate().describe())
    if given.folder is not None and given.estimates:
        from tools.grading.session import estimate

        parts.append(estimate(given.folder, given.benchmark, given.options, given.file))
    elif given.folder is not None:
        from tools.grading.session import grade
        from tools.results.text import format_results

        parts.append(format_results(grade(given.folder, given.benchmark, given.options, given.file)))
    return "\n".join(parts)


def evaluate_run(given: Given) -> int:
    """Grades every benchmark of a run and prints a table of them; returns 1 when one has no score. Raises EvaluationErrors."""
    from tools.grading.run import estimate_run, grade_run
    from tools.results.text import format_overview

    assert given.folder is not None
    if given.estimates:
        print("\n".join(estimate_run(given.folder, given.benchmarks, given.options)))
        return 0
    graded = grade_run(given.folder, given.benchmarks, given.options)
    if graded.results:
        print(format_overview(list(graded.results.values())))
    for name, reason in graded.failures.items():
        print(f"error: {name} has no score: {printable(reason)}", file=sys.stderr)
    return 1 if graded.failures else 0
