"""The one reader of problem files: finds the file of a benchmark, reads it row by row and checks that it is what its
name says.

A benchmark is named after its file: `aime24` is looked for as $DATA_DIR/aime24.jsonl, data/aime24.jsonl and
data/fetched/aime24.jsonl, and else fetched from the hub. Any other JSONL file works by its path. LiveCodeBench's tests
are gigabytes, so a problem keeps the light fields and the place of its row; `read_row` reads the rest when it is graded.

>>> problem = load_benchmark("livecodebench_sample").problems[0]
>>> problem.task_id, problem.place.offset, "public_test_cases" in problem.fields, "public_test_cases" in read_row(problem)
('sample-01', 0, False, True)
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import pathlib
import zlib
from typing import TYPE_CHECKING

from tools.benchmarks.answers import read_answer
from tools.benchmarks.benchmark import (
    DATA,
    Benchmark,
    find_benchmark,
    find_entry,
    list_benchmarks,
    name_of,
    near_names,
)
from tools.benchmarks.choices import Choices, read_choices
from tools.benchmarks.planned import OWN_FILE, split_name
from tools.benchmarks.published_files import as_jsonl, is_problem_file
from tools.benchmarks.rows import (
    HEAVY_FIELDS,
    ID_FIELDS,
    STATEMENT_FIELDS,
    Line,
    find_id,
    find_statement,
    light_fields,
    parse_row,
    read_lines,
    rename_fields,
)
from tools.errors import DataError
from tools.records import JsonObject, Place, Problem
from tools.store.reading import open_file

if TYPE_CHECKING:
    from tools.benchmarks.fetching import FetchedFrom

__all__ = [
    "HEAVY_FIELDS",
    "ID_FIELDS",
    "STATEMENT_FIELDS",
    "LoadedBenchmark",
    "find_file",
    "load_benchmark",
    "read_row",
]

FETCHED = DATA / "fetched"


@dataclasses.dataclass(frozen=True)
class LoadedBenchmark:
    """The problems of one file, in its order. `sha256` is of the file's bytes; `examples` are shown before each."""

    benchmark: Benchmark
    path: pathlib.Path
    sha256: str
    problems: tuple[Problem, ...]
    examples: LoadedBenchmark | None = None

    @property
    def name(self) -> str:
        return self.benchmark.name

    @functools.cached_property
    def source(self) -> FetchedFrom | None:
        """The dataset and commit that a fetched file was made of; None for a file that was put there by hand."""
        from tools.benchmarks.fetching import read_record

        return read_record(self.path, self.sha256)

    def warnings(self) -> list[str]:
        """Of a file that was read as a benchmark's and has another number of problems."""
        usual = self.benchmark.problems
        if usual is None or usual == len(self.problems):
            return []
        return [f"{self.path.name} has {len(self.problems)} problems where {self.name} has {usual}"]

    @functools.cached_property
    def by_id(self) -> dict[str, Problem]:
        return {problem.task_id: problem for problem in self.problems}

    def labels(self) -> dict[str, dict[str, str]]:
        """Breakdowns for the results: breakdown name -> task_id -> label."""
        found: dict[str, dict[str, str]] = {}
        for problem in self.problems:
            for field in self.benchmark.label_fields:
                if problem.fields.get(field) is not None:
                    found.setdefault(field, {})[problem.task_id] = str(problem.fields[field])
            for breakdown, label in self.benchmark.labels.items():
                found.setdefault(breakdown, {})[problem.task_id] = label
        return found


def find_local_file(name_or_path: str | os.PathLike[str]) -> pathlib.Path | None:
    """The file of a benchmark if it is at hand: the path itself, $DATA_DIR, data/, data/fetched/, beside its entry."""
    path, entry = pathlib.Path(name_or_path), find_entry(name_or_path)
    is_path = is_problem_file(path)
    places = [path] if is_path else []
    if entry or not is_path:
        file_name = f"{entry.name if entry else path.name}.jsonl"
        folders = [pathlib.Path(os.environ["DATA_DIR"])] if os.environ.get("DATA_DIR") else []
        places += [folder / file_name for folder in (*folders, DATA, FETCHED)]
    if entry and entry.file:
        places.insert(0 if split_name(entry.name) and not is_path else len(places), entry.file)
    found = next((place for place in places if place.is_file()), None)
    return found and as_jsonl(found)


def find_file(name_or_path: str | os.PathLike[str]) -> pathlib.Path:
    """As `find_local_file`; what is not at hand is fetched from the hub. Raises DataError or FetchError."""
    found = find_local_file(name_or_path)
    if found:
        return found
    entry = find_entry(name_or_path)
    if entry is None or entry.source is None:
        raise DataError(_say_unknown(name_or_path, entry))
    _check_folders(name_or_path)
    from tools.benchmarks.fetching import fetch

    return fetch(entry, FETCHED / f"{entry.name}.jsonl", lambda part: load_benchmark(part, benchmark=entry).sha256)


def _check_folders(name_or_path: str | os.PathLike[str]) -> None:
    """Raises DataError for a folder that is not there: the hub is not asked for what a slip of the pen names."""
    path, data_dir = pathlib.Path(name_or_path), os.environ.get("DATA_DIR")
    if is_problem_file(path) and not path.parent.is_dir():
        raise DataError(f"{path.parent}: no such folder; give the problem file's path, or the benchmark's name alone")
    if data_dir and not pathlib.Path(data_dir).is_dir():
        raise DataError(f"DATA_DIR={data_dir}: no such folder; create it, or unset DATA_DIR")


def _say_unknown(name_or_path: str | os.PathLike[str], entry: Benchmark | None) -> str:
    """For a name that nothing is known by, or an entry whose file one has to put there oneself."""
    if entry:
        return f"{name_or_path}: no such problem file ({entry.licence}); put it at {FETCHED / entry.name}.jsonl"
    if pathlib.Path(name_or_path).is_file():
        return (
            f"{name_or_path}: no JSONL file by its name; one problem a line is read, in a file that ends in .jsonl "
            "(`jq -c '.[]' FILE > FILE.jsonl` makes one of a list)"
        )
    near = near_names(name_of(name_or_path))
    meant = f"did you mean {' or '.join(near)}? Else give" if near else "give"
    known = ", ".join(name for name, each in list_benchmarks().items() if each.source or find_local_file(name))
    return f"{name_or_path}: no such problem file; {meant} a JSONL file or one of the benchmarks: {known}"


def load_benchmark(
    name_or_path: str | os.PathLike[str],
    *,
    benchmark: Benchmark | None = None,
    is_asked: bool = True,
    is_whole: bool = True,
) -> LoadedBenchmark:
    """Finds, reads and checks a benchmark; one pass over the file, one row in memory at a time.

    `benchmark` reads a file of any name as that benchmark's; with `is_whole` False it may be a part of it. `is_asked` is
    False where responses exist and are only graded: then a problem may come without its statement. Raises DataError with file, line and remedy.
    """
    benchmark, path = benchmark or find_benchmark(name_or_path), find_file(name_or_path)
    digest = hashlib.sha256()
    found = (_to_problem(line, index, path, benchmark, is_asked) for index, line in enumerate(read_lines(path, digest)))
    problems = tuple(problem for problem in found if problem is not None)
    shown = benchmark.examples if is_asked else None
    examples = load_benchmark(shown.benchmark, is_asked=False) if shown else None
    loaded = LoadedBenchmark(benchmark, path, digest.hexdigest(), problems, examples)
    check_benchmark(loaded, is_whole)
    return loaded


def load_answered(folder: pathlib.Path, name_or_path: str | None = None) -> LoadedBenchmark:
    """The benchmark that a folder's responses answer: as named, else by the folder's name; a run's own copy of planned
    problems (planned.py) comes before the file that would be planned today."""
    name, own = name_or_path or folder.resolve().name, folder / OWN_FILE
    is_own = own.is_file() and name_of(own) == name_of(name)
    return load_benchmark(own if is_own else name, is_asked=False)


def renamed_row(row: JsonObject, benchmark: Benchmark) -> JsonObject:
    """A row under the names of this toolkit, as the benchmark's entry has them."""
    return rename_fields(row, benchmark.source.rename) if benchmark.source else row


def choices_of_row(row: JsonObject, benchmark: Benchmark) -> Choices | None:
    """Options and right letter, where the benchmark is multiple choice. Raises ValueError for what can be read in two ways."""
    if benchmark.grader != "choice":
        return None
    # The number of a row is no name for what is asked: its text is, so that the order of a file does not matter.
    name, statement = find_id(row, -1, benchmark.id_field), find_statement(row)
    return read_choices(row, benchmark.choices, statement, name if name != "-1" or not statement else statement)


def _to_problem(line: Line, index: int, path: pathlib.Path, benchmark: Benchmark, is_asked: bool) -> Problem | None:
    """The problem of a line; None for a row that is not one of the benchmark's."""
    where = f"{path}, line {line.number}"
    row = renamed_row(parse_row(line.text, where), benchmark)
    if benchmark.source and not benchmark.source.keeps(row):
        return None
    is_math = benchmark.grader == "math"
    try:
        task_id, statement = find_id(row, index, benchmark.id_field), find_statement(row)
        choices = choices_of_row(row, benchmark)
        answer = choices.gold if choices else read_answer(row) if is_math else _as_text(row.get("answer"))
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    if statement is None and is_asked:
        raise DataError(f"{where}: no statement; a row needs one of the fields {', '.join(STATEMENT_FIELDS)}")
    if is_math and answer is None:
        raise DataError(
            f"{where}: no `answer`; a row needs the fields problem and answer (or expected_answer, or a solution with a box)"
        )
    return Problem(
        task_id,
        statement or "",
        answer,
        light_fields(row, len(line.text)),
        Place(str(path), line.offset, len(line.text), zlib.crc32(line.text)),
        choices.options if choices else (),
    )


def _as_text(value: object) -> str | None:
    return None if value is None else str(value).strip()


def read_row(problem: Problem) -> JsonObject:
    """Every field of a problem, its tests included. Raises DataError when the file is no longer what was loaded."""
    if problem.place is None:
        return dict(problem.fields)
    place, where = problem.place, f"{problem.place.path}: problem {problem.task_id!r}"
    try:
        with open_file(place.path) as file:
            file.seek(place.offset)
            text = file.read(place.length)
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if zlib.crc32(text) != place.checksum:
        raise DataError(f"{where}: the file has changed since it was loaded; run the same command again")
    return parse_row(text, where) | dict(problem.fields)


def check_benchmark(loaded: LoadedBenchmark, is_whole: bool = True) -> None:
    """Counts, where it is to be whole, distinct ids, integer answers. Raises DataError."""
    benchmark, path, problems = loaded.benchmark, loaded.path, loaded.problems
    if not problems:
        raise DataError(f"{path}: empty; delete the file to fetch it again, or give one with problem and answer")
    if is_whole and benchmark.problems is not None and len(problems) != benchmark.problems:
        raise DataError(
            f"{path}: {len(problems)} problems where {benchmark.name} has {benchmark.problems}; delete the file to fetch it again, "
            "or give a set of your own another name"
        )
    seen: dict[str, int] = {}
    for position, problem in enumerate(problems, 1):
        if problem.task_id in seen:
            raise DataError(
                f"{path}: id {problem.task_id!r} stands in problems {seen[problem.task_id]} and {position}; ids must be distinct"
            )
        seen[problem.task_id] = position
        if benchmark.answers == "integer" and not is_aime_answer(problem.answer or ""):
            raise DataError(
                f"{path}: problem {problem.task_id!r} has the answer {problem.answer!r}; {benchmark.name} has integers from 0 to 999"
            )


def is_aime_answer(answer: str) -> bool:
    """An integer from 0 to 999, leading zeros allowed."""
    return answer.isascii() and answer.isdigit() and int(answer) <= 999
