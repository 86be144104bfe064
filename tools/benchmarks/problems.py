"""The problem sets: the catalogue, finding a set's file, loading it and checking that it is what its name says.

A set is named after its file: `aime24` is looked for as $DATA_DIR/aime24.jsonl, then data/aime24.jsonl, and else
fetched from the hub into data/. Any other JSONL file with `problem` and `answer` works by its path. What is known of a
set (count, way to grade, source, licence) stands in data/catalogue.json; a new set is one entry there.

>>> load_benchmark("aime_sample").problems[0].task_id
'sample-01'
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from tools.benchmarks.benchmark import DATA, Benchmark, find_benchmark, list_benchmarks
from tools.errors import DataError, run_command
from tools.records import Problem
from tools.store.files import sha256_of_file

# First one present is used: our own sets, MATH-500's and LiveCodeBench's names, HumanEval's and MBPP's.
ID_FIELDS = ("id", "question_id", "task_id", "unique_id")
STATEMENT_FIELDS = ("problem", "question_content", "question", "prompt", "text")
# Several GB when decoded, and not needed for asking: graders read tests lazily, per problem.
HEAVY_FIELDS = ("private_test_cases", "public_test_cases")


@dataclasses.dataclass(frozen=True)
class LoadedBenchmark:
    """The problems of one file, in its order. `sha256` is of the file's bytes."""

    benchmark: Benchmark
    path: pathlib.Path
    sha256: str
    problems: tuple[Problem, ...]

    @property
    def name(self) -> str:
        return self.benchmark.name

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
    """The file of a set if it is at hand: the path itself, $DATA_DIR, then data/."""
    path = pathlib.Path(name_or_path)
    file_name = path.name if path.suffix == ".jsonl" else f"{path.name}.jsonl"
    folders = [path.parent] if path.suffix == ".jsonl" else []
    if path.suffix != ".jsonl" or find_benchmark(path).name in list_benchmarks():
        folders += [pathlib.Path(os.environ["DATA_DIR"])] if os.environ.get("DATA_DIR") else []
        folders += [DATA]
    return next((folder / file_name for folder in folders if (folder / file_name).is_file()), None)


def find_file(name_or_path: str | os.PathLike[str]) -> pathlib.Path:
    """As `find_local_file`; what is not at hand is fetched from the hub. Raises DataError or FetchError."""
    found = find_local_file(name_or_path)
    if found:
        return found
    benchmark = find_benchmark(name_or_path)
    if benchmark.source is None:
        known = ", ".join(
            name for name, entry in list_benchmarks().items() if entry.source or (DATA / f"{name}.jsonl").exists()
        )
        where = f" ({benchmark.licence})" if benchmark.licence else ""
        raise DataError(f"{name_or_path}: no such problem file{where}; give a JSONL file or one of the sets: {known}")
    from tools.benchmarks.fetching import fetch_set

    return fetch_set(benchmark, DATA / f"{benchmark.name}.jsonl")


def read_rows(path: pathlib.Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, row) of a JSONL file. Lines end at "\\n" only: statements may hold U+2028."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _parse_row(line, f"{path}, line {number}")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error


def _parse_row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(
            f"{where}: not JSON ({error}); restore this line, or delete the file to fetch it again"
        ) from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: a {type(row).__name__} where an object with id, problem and answer is needed")
    return row


def load_benchmark(name_or_path: str | os.PathLike[str]) -> LoadedBenchmark:
    """Finds, reads and checks a set. Raises DataError with file, line and remedy."""
    benchmark, path = find_benchmark(name_or_path), find_file(name_or_path)
    problems = tuple(
        _to_problem(row, benchmark, f"{path}, line {number}", index)
        for index, (number, row) in enumerate(read_rows(path))
    )
    loaded = LoadedBenchmark(benchmark, path, sha256_of_file(path), problems)
    check_benchmark(loaded)
    return loaded


def _to_problem(row: dict[str, Any], benchmark: Benchmark, where: str, index: int) -> Problem:
    statement = next((row[field] for field in STATEMENT_FIELDS if isinstance(row.get(field), str)), None)
    if statement is None:
        raise DataError(f"{where}: no statement; a row needs one of the fields {', '.join(STATEMENT_FIELDS)}")
    answer = row.get("answer")
    if benchmark.grader == "math" and (answer is None or not str(answer).strip()):
        raise DataError(f"{where}: no `answer`; a row needs the fields problem and answer")
    task_id = next((row[field] for field in ID_FIELDS if row.get(field) is not None), index)
    fields = {name: value for name, value in row.items() if name not in HEAVY_FIELDS}
    return Problem(str(task_id), statement, None if answer is None else str(answer).strip(), fields)


def check_benchmark(loaded: LoadedBenchmark) -> None:
    """Counts, distinct ids, integer answers. Raises DataError."""
    benchmark, path, problems = loaded.benchmark, loaded.path, loaded.problems
    if not problems:
        raise DataError(f"{path}: empty; delete the file to fetch it again, or give one with problem and answer")
    if benchmark.problems is not None and len(problems) != benchmark.problems:
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


def main() -> int:
    """`python -m tools.benchmarks.problems aime24 ...`: finds or fetches sets, checks them, says where they lie."""
    for name in sys.argv[1:] or sorted(list_benchmarks()):
        loaded = load_benchmark(name)
        print(f"{loaded.name}: {len(loaded.problems)} problems, {loaded.path}, sha256 {loaded.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
