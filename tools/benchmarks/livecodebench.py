"""Names of version 0.1 over problems.py and subsets.py, for callers that still hold whole indexes of code problems."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from tools.benchmarks import subsets
from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.problems import load_benchmark
from tools.benchmarks.subsets import ProblemFacts, Subset, hash_ids, release_labels
from tools.errors import DataError
from tools.grading.code.problem_tests import find_function_name
from tools.records import Problem

__all__ = ["FrozenSet", "hash_ids", "release_labels"]
FrozenSet = Subset
find_set = subsets.find_subset
frozen_sets = subsets.list_subsets


@functools.cache
def read_facts() -> dict[str, ProblemFacts]:
    return subsets.read_table().facts


def read_errata() -> dict[str, str]:
    return subsets.read_table().errata


@dataclasses.dataclass(frozen=True)
class IndexedProblem:
    """Where a problem's row lies in its file, and what is needed before it is read. `checksum` is of the whole row."""

    question_id: str
    path: str
    offset: int
    length: int
    checksum: int
    function: str | None
    contest_date: str | None
    difficulty: str | None
    platform: str | None

    def source(self) -> dict[str, Any]:
        """As `verify_many` takes a problem that is to be read later."""
        place = {"path": self.path, "offset": self.offset, "length": self.length}
        return {"question_id": self.question_id, **place}


def index_file(path: pathlib.Path) -> dict[str, IndexedProblem]:
    """As `load_benchmark` for a file of programs, by id."""
    programs = Benchmark(path.stem, grader="code", question="code")
    loaded = load_benchmark(path, benchmark=programs, is_asked=False)
    return {problem.task_id: _index(problem) for problem in loaded.problems}


def _index(problem: Problem) -> IndexedProblem:
    assert problem.place is not None
    fields, place = problem.fields, problem.place
    date = (str(fields["contest_date"])[:10] or None) if fields.get("contest_date") else None
    where = (place.path, place.offset, place.length, place.checksum)
    facts = (_function_name(fields), date, fields.get("difficulty"), fields.get("platform"))
    return IndexedProblem(problem.task_id, *where, *facts)


def _function_name(row: Mapping[str, Any]) -> str | None:
    """For the extraction of code only; a row that is damaged here gets its verdict when it is graded."""
    try:
        return find_function_name(row, bool(row.get("starter_code"))) or row.get("entry_point")
    except DataError:
        return None


def breakdown_labels(problems: Iterable[IndexedProblem]) -> dict[str, dict[str, str]]:
    """As in subsets.py."""
    return subsets.breakdown_labels(
        Problem(problem.question_id, "", None, dataclasses.asdict(problem)) for problem in problems
    )
