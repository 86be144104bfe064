"""Frozen parts of benchmarks: named lists of ids that never change, and what breaks a score down.

A benchmark's entry names a table (`Benchmark.subsets`). data/subsets/<table>.json says which parts there are, with the
hashes of their ids; a TSV file beside it lists the facts of every problem (id, date, difficulty, platform, release),
and no text. LiveCodeBench is the one there is: version v5 is what release_v5 has from 2024-08-01 on, v6 what release_v6
added; January 2025 is divided between them.

>>> find_subset("v6").count, find_subset("2024-08..2025-01").count
(175, 323)
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Sequence

from tools.benchmarks.benchmark import DATA
from tools.errors import DataError
from tools.records import Problem

TABLES = DATA / "subsets"
DEFAULT_TABLE = "livecodebench"
MONTHS = re.compile(r"(\d{4}-\d\d)\.\.(\d{4}-\d\d)")


@dataclasses.dataclass(frozen=True)
class Subset:
    """A named list of problem ids that never changes. `sha256` is of the sorted ids, one a line."""

    name: str
    ids: frozenset[str]
    sha256: str

    @property
    def count(self) -> int:
        return len(self.ids)


@dataclasses.dataclass(frozen=True)
class ProblemFacts:
    """One line of a table. `version` is the part of its release's cycle that it belongs to, None for old problems."""

    task_id: str
    date: str
    difficulty: str
    platform: str
    release: str
    version: str | None

    @property
    def month(self) -> str:
        return self.date[:7]


@dataclasses.dataclass(frozen=True)
class Window:
    """A span of months, both inclusive; those that overlap belong to breakdowns of their own."""

    name: str
    first: str
    last: str
    breakdown: str

    def holds(self, month: str) -> bool:
        return self.first <= month <= self.last


@dataclasses.dataclass(frozen=True)
class SubsetTable:
    """All that is frozen of one benchmark. `reported` are the parts that get results of their own whenever they were
    sampled whole; `releases` are (name, count) of the official file's beginning; `errata` are the problems that the
    authors call faulty, with the fault: they stay in the score, which is given without them too."""

    name: str
    facts: dict[str, ProblemFacts]
    windows: tuple[Window, ...]
    parts: dict[str, Subset]
    reported: tuple[str, ...]
    releases: tuple[tuple[str, int], ...]
    newest_sha256: str
    errata: dict[str, str]


def hash_ids(ids: Iterable[str]) -> str:
    """sha256 of the sorted ids, one a line with a final line end."""
    return hashlib.sha256(("\n".join(sorted(ids)) + "\n").encode()).hexdigest()


@functools.cache
def read_table(name: str = DEFAULT_TABLE) -> SubsetTable:
    """A table by name. Raises DataError when it is not the one that its hashes were taken of."""
    path = TABLES / f"{name}.json"
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        facts = _read_facts(name, row["versions"])
        errata = json.loads((TABLES / row["errata"]).read_text(encoding="utf-8"))["problems"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: no table of subsets ({error}); restore the file from the repository") from error
    windows = tuple(Window(**window) for window in row["windows"])
    parts = _make_parts(facts, windows)
    for part, expected in row["hashes"].items():
        if part not in parts or parts[part].sha256 != expected:
            raise DataError(f"{path}: the subset {part} has changed; restore the folder from the repository")
    releases = tuple((release["name"], release["count"]) for release in row["releases"])
    return SubsetTable(
        name, facts, windows, parts, tuple(row["reported"]), releases, row["hashes"][row["newest"]], errata
    )


def _read_facts(name: str, versions: Sequence[dict[str, str]]) -> dict[str, ProblemFacts]:
    lines = (TABLES / f"{name}_problems.tsv").read_text(encoding="utf-8").split("\n")[1:]
    facts = {}
    for line in filter(None, lines):
        task_id, date, difficulty, platform, release = line.split("\t")
        version = next((v["name"] for v in versions if v["release"] == release and date >= v["from"]), None)
        facts[task_id] = ProblemFacts(task_id, date, difficulty, platform, release, version)
    return facts


def _make_parts(facts: dict[str, ProblemFacts], windows: Sequence[Window]) -> dict[str, Subset]:
    """all, every release, every version, all versions together (v5+v6), every month and every window."""
    versions = sorted({fact.version for fact in facts.values() if fact.version})
    members: dict[str, list[str]] = {name: [] for name in ("all", *versions, "+".join(versions))}
    members |= {window.name: [] for window in windows}
    releases = sorted({fact.release for fact in facts.values()})  # each holds all that came before it
    for fact in facts.values():
        members_of = releases[releases.index(fact.release) :]
        named = ["all", fact.month, *members_of, *(window.name for window in windows if window.holds(fact.month))]
        for name in named + ([fact.version, "+".join(versions)] if fact.version else []):
            members.setdefault(name, []).append(fact.task_id)
    return {name: Subset(name, frozenset(ids), hash_ids(ids)) for name, ids in members.items()}


def list_subsets(table: str | None = DEFAULT_TABLE) -> dict[str, Subset]:
    """The named parts; a benchmark without a table has none."""
    return read_table(table).parts if table else {}


def find_subset(name: str, table: str = DEFAULT_TABLE) -> Subset:
    """A part by its name, or any span of months (2024-08..2025-01). Raises DataError that lists the names."""
    found = read_table(table)
    if name in found.parts:
        return found.parts[name]
    months = MONTHS.fullmatch(name)
    if months:
        window = Window(name, months[1], months[2], "")
        ids = [fact.task_id for fact in found.facts.values() if window.holds(fact.month)]
        if ids:
            return Subset(name, frozenset(ids), hash_ids(ids))
    raise DataError(
        f"there is no subset {name!r} of {table}; there are {', '.join(found.parts)} and spans like 2024-08..2025-01"
    )


def whole_parts(task_ids: Iterable[str], table: str | None = DEFAULT_TABLE, *, but: str | None = None) -> list[Subset]:
    """The reported parts (v5, v6) that lie wholly inside these ids, without the one that was asked for by name."""
    if table is None:
        return []
    asked, found = set(task_ids), read_table(table)
    return [found.parts[name] for name in found.reported if name != but and found.parts[name].ids <= asked]


def breakdown_labels(problems: Iterable[Problem], table: str | None = DEFAULT_TABLE) -> dict[str, dict[str, str]]:
    """Breakdown -> task_id -> label: month, windows, version, errata, difficulty, platform; as far as known."""
    labels: dict[str, dict[str, str]] = {}
    if table is None:
        return labels
    found = read_table(table)
    for problem in problems:
        for breakdown, label in _labels_of(problem, found).items():
            if label:
                labels.setdefault(breakdown, {})[problem.task_id] = label
    return labels


def _labels_of(problem: Problem, table: SubsetTable) -> dict[str, str | None]:
    """The labels of one problem; date, difficulty and platform are its own file's."""
    fact, fields = table.facts.get(problem.task_id), problem.fields
    month = str(fields["contest_date"])[:7] if fields.get("contest_date") else None
    is_faulty = "known to be faulty" if problem.task_id in table.errata else "without errata"
    labels = {"errata": is_faulty if fact else None, "version": fact.version if fact else None, "month": month}
    for window in table.windows:
        if month and window.holds(month):
            labels[window.breakdown] = window.name
    return labels | {name: str(fields[name]) for name in ("difficulty", "platform") if fields.get(name)}


def release_labels(task_ids: Iterable[str], table: str | None = DEFAULT_TABLE) -> dict[str, str]:
    """task_id -> release that brought it, for a file in the official order (test.jsonl to test6.jsonl, joined)."""
    if table is None:
        return {}
    ordered, found = list(task_ids), read_table(table)
    previous, total = (found.releases[-2][1], found.releases[-1][1]) if len(found.releases) > 1 else (0, 0)
    if len(ordered) != total or hash_ids(ordered[previous:]) != found.newest_sha256:
        return {}
    labels, start = {}, 0
    for release, count in found.releases:
        labels.update(dict.fromkeys(ordered[start:count], release))
        start = count
    return labels
