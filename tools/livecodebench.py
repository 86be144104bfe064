"""LiveCodeBench's problems and its sets: which ids make v5, v6, a month or a window, frozen and hashed.

`data/livecodebench_problems.tsv` lists all 1055 ids of release_v6 with date, difficulty, platform and the release that
brought them (facts; no texts). Version v5 is what release_v5 has from 2024-08-01 on, v6 what release_v6 added; January
2025 is divided between them. The problems themselves are fetched (tools/hub.py); their tests are several GB when
decoded, so a file is only indexed here and each row is read when it is graded.

>>> frozen_sets()["v6"].count
175
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import pathlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.code_tests import find_function_name, find_tested_function
from tools.errors import DataError

TABLE = pathlib.Path(__file__).resolve().parents[1] / "data" / "livecodebench_problems.tsv"
ERRATA = TABLE.with_name("livecodebench_errata.json")
VERSION_5_STARTS = "2024-08-01"

# Inclusive months. Sources: LiveCodeBench's paper and model cards name their windows this way.
WINDOWS = {
    "05/23-05/24": ("2023-05", "2024-05"),
    "06/24-01/25": ("2024-06", "2025-01"),
    "08/24-01/25": ("2024-08", "2025-01"),
    "02/25-04/25": ("2025-02", "2025-04"),
}

# sha256 of sorted ids, one a line. A changed table is another benchmark; `frozen_sets` refuses it.
HASHES = {
    "v5": "4b9eb68d1df2d06d408c3cfe764d9c17826525691935fb701455a7769443cd36",
    "v6": "4c7d4999e44b77ff35e8af8febd2d42c2e44b4edb0cd863a4f34a355667eb420",
    "all": "a4ab660ed6b1c3326df7fb3234f850419f07324744481f8a3fab875690c7e8dd",
}
OFFICIAL_COUNTS = {"release_v1": 400, "release_v2": 511, "release_v3": 612, "release_v4": 713, "release_v5": 880}


@dataclasses.dataclass(frozen=True)
class FrozenSet:
    """A named list of problem ids that never changes."""

    name: str
    ids: frozenset[str]
    sha256: str

    @property
    def count(self) -> int:
        return len(self.ids)


@dataclasses.dataclass(frozen=True)
class ProblemFacts:
    """One line of the table."""

    question_id: str
    contest_date: str
    difficulty: str
    platform: str
    release: str

    @property
    def month(self) -> str:
        return self.contest_date[:7]

    @property
    def version(self) -> str | None:
        if self.release == "release_v6":
            return "v6"
        return "v5" if self.contest_date >= VERSION_5_STARTS else None


def hash_ids(ids: Iterable[str]) -> str:
    """sha256 of the sorted ids, one a line with a final line end."""
    return hashlib.sha256(("\n".join(sorted(ids)) + "\n").encode()).hexdigest()


@functools.cache
def read_facts() -> dict[str, ProblemFacts]:
    """The table by question id. Raises DataError when it is not the one that the hashes were taken of."""
    lines = TABLE.read_text(encoding="utf-8").split("\n")[1:]
    facts = {line.split("\t")[0]: ProblemFacts(*line.split("\t")) for line in lines if line}
    if hash_ids(facts) != HASHES["all"]:
        raise DataError(f"{TABLE}: not the 1055 problems of release_v6; restore the file from the repository")
    return facts


@functools.cache
def frozen_sets() -> dict[str, FrozenSet]:
    """All named sets: all, v5, v6, v5+v6, months (2024-08) and windows (06/24-01/25)."""
    members: dict[str, list[str]] = {"all": list(read_facts()), "v5": [], "v6": [], "v5+v6": []}
    members |= {window: [] for window in WINDOWS}
    for fact in read_facts().values():
        members.setdefault(fact.month, []).append(fact.question_id)
        if fact.version:
            members[fact.version].append(fact.question_id)
            members["v5+v6"].append(fact.question_id)
        for window, (first, last) in WINDOWS.items():
            if first <= fact.month <= last:
                members[window].append(fact.question_id)
    sets = {name: FrozenSet(name, frozenset(ids), hash_ids(ids)) for name, ids in members.items()}
    for name, expected in HASHES.items():
        if sets[name].sha256 != expected:
            raise DataError(f"{TABLE}: the set {name} has changed; restore the file from the repository")
    return sets


@functools.cache
def read_errata() -> dict[str, str]:
    """Problems that LiveCodeBench's authors call faulty, with the fault. They stay in the score; it is given without too."""
    return dict(json.loads(ERRATA.read_text(encoding="utf-8"))["problems"])


def find_set(name: str) -> FrozenSet:
    """A set by name; raises DataError that lists the names."""
    if name not in frozen_sets():
        raise DataError(f"there is no LiveCodeBench set {name!r}; there are {', '.join(frozen_sets())}")
    return frozen_sets()[name]


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
    """Scans a file of problems once, one row in memory at a time. Raises DataError with the line and the remedy."""
    index: dict[str, IndexedProblem] = {}
    for number, offset, line in _lines(path):
        problem = _index_row(path, number, offset, line)
        if problem.question_id in index:
            raise DataError(f"{path}, line {number}: {problem.question_id} stands there twice; remove one of the rows")
        index[problem.question_id] = problem
    if not index:
        raise DataError(f"{path}: no problem in it; delete the file to fetch it again")
    return index


def _lines(path: pathlib.Path) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, offset, line
                offset += len(line)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error


def _index_row(path: pathlib.Path, number: int, offset: int, line: bytes) -> IndexedProblem:
    try:
        row = json.loads(line)
        question_id = str(next(row[name] for name in ("question_id", "task_id", "id") if row.get(name) is not None))
    except (ValueError, AttributeError, StopIteration) as error:
        reason = f"not JSON ({error})" if isinstance(error, ValueError) else "no object with a question_id"
        raise DataError(f"{path}, line {number}: {reason}; restore the line or delete the file") from error
    return IndexedProblem(
        question_id=question_id,
        path=str(path),
        offset=offset,
        length=len(line),
        checksum=zlib.crc32(line),
        function=_function_name(row),
        contest_date=(str(row["contest_date"])[:10] or None) if row.get("contest_date") else None,
        difficulty=row.get("difficulty"),
        platform=row.get("platform"),
    )


def _function_name(row: Mapping[str, Any]) -> str | None:
    """For the extraction of code only; a row that is damaged here gets its verdict when it is graded."""
    try:
        return find_function_name(row, bool(row.get("starter_code"))) or find_tested_function(row)
    except DataError:
        return None


def breakdown_labels(problems: Iterable[IndexedProblem]) -> dict[str, dict[str, str]]:
    """Breakdown -> question id -> label: month, window, version, errata, difficulty, platform; as far as known.

    Windows that overlap are breakdowns of their own.
    """
    labels: dict[str, dict[str, str]] = {}

    def add(breakdown: str, problem: IndexedProblem, label: str | None) -> None:
        if label:
            labels.setdefault(breakdown, {})[problem.question_id] = label

    facts, errata = read_facts(), read_errata()
    for problem in problems:
        if problem.question_id in facts:
            add("errata", problem, "known to be faulty" if problem.question_id in errata else "without errata")
        fact = facts.get(problem.question_id)
        add("version", problem, fact.version if fact else None)
        add("month", problem, problem.contest_date[:7] if problem.contest_date else None)
        for window, (first, last) in WINDOWS.items():
            is_inside = problem.contest_date is not None and first <= problem.contest_date[:7] <= last
            add("window" if not window.startswith("08") else "window_of_v5", problem, window if is_inside else None)
        add("difficulty", problem, problem.difficulty)
        add("platform", problem, problem.platform)
    return labels


def release_labels(ids: Iterable[str]) -> dict[str, str]:
    """question id -> release that brought it, for a file in the official order (test.jsonl to test6.jsonl, joined)."""
    ordered = list(ids)
    if len(ordered) != 1055 or hash_ids(ordered[880:]) != HASHES["v6"]:
        return {}
    labels, start = {}, 0
    for release, count in [*OFFICIAL_COUNTS.items(), ("release_v6", 1055)]:
        labels.update(dict.fromkeys(ordered[start:count], release))
        start = count
    return labels
