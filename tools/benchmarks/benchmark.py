"""A benchmark is data: one JSON file in data/benchmarks/ says where it comes from, how it is asked and how it is graded.

Everything that handles benchmarks reads this record and nothing else, so that a new one is a new file there. A JSONL
file of one's own needs none: its fields tell whether its problems are mathematics or programs.

>>> find_benchmark("aime24").grader, find_benchmark("aime24").problems
('math', 30)
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from tools.benchmarks.rows import HEAVY_FIELDS, parse_row, read_lines
from tools.errors import DataError
from tools.store.files import ROOT

DATA = ROOT / "data"
ENTRIES = DATA / "benchmarks"
CODE_FIELDS = (*HEAVY_FIELDS, "starter_code", "entry_point", "canonical_solution")


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """One entry of the catalogue.

    `grader` names one in tools/grading, `grader_options` are handed to it; `question` names a template in
    questions.py; a base seed gives `samples_per_seed` samples; `problems` (count) and `answers` ("integer": 0 to 999) are
    checked when a file is read; `labels` hold for all problems, `label_fields` name columns that break the score down;
    `subsets` names a table of frozen parts; `source` says where the hub has it; `max_new_tokens` caps the output.
    """

    name: str
    grader: str = "math"
    grader_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    question: str = "math"
    samples_per_seed: int = 8
    problems: int | None = None
    answers: str | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    label_fields: tuple[str, ...] = ()
    subsets: str | None = None
    source: Mapping[str, Any] | None = None
    max_new_tokens: int | None = None
    aliases: tuple[str, ...] = ()
    licence: str = ""


@functools.cache
def list_benchmarks() -> dict[str, Benchmark]:
    """Every entry by name. Raises DataError for an entry that cannot be read."""
    return {entry.name: entry for entry in map(_read_entry, sorted(ENTRIES.glob("*.json")))}


def _read_entry(path: pathlib.Path) -> Benchmark:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        for name in ("label_fields", "aliases"):
            row[name] = tuple(row.get(name, ()))
        return Benchmark(name=path.stem, **row)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: no entry of a benchmark ({error}); docs/add_a_benchmark.md has the fields") from error


def name_of(name_or_path: str | os.PathLike[str]) -> str:
    """The name that a benchmark or a file of problems goes by."""
    path = pathlib.Path(name_or_path)
    return path.stem if path.suffix == ".jsonl" else path.name


def find_benchmark(name_or_path: str | os.PathLike[str]) -> Benchmark:
    """The entry of a benchmark by name, alias or file; a file that no entry describes gets what its first row tells."""
    name = name_of(name_or_path)
    entries = list_benchmarks()
    found = entries.get(name) or next((entry for entry in entries.values() if name in entry.aliases), None)
    return found or describe_file(name, pathlib.Path(name_or_path))


def describe_file(name: str, path: pathlib.Path) -> Benchmark:
    """A benchmark from a file alone: rows with tests are programs, all others mathematics.

    A problem whose tests are missing or empty is a program too when it has no answer to be compared with.
    """
    try:
        line = next(read_lines(path), None)
        row = parse_row(line.text, str(path)) if line else {}
    except DataError:  # `load_benchmark` tells what is wrong with the file, with its line
        row = {}
    has_tests = any(row.get(field) for field in HEAVY_FIELDS)
    is_code = has_tests or (row.get("answer") is None and any(field in row for field in CODE_FIELDS))
    if not is_code:
        return Benchmark(name)
    subsets = "livecodebench" if row.get("contest_date") else None  # its months and windows hold for any such file
    return Benchmark(name, grader="code", question="code", samples_per_seed=1, subsets=subsets)
