"""Joins responses of another toolkit to the problems of a benchmark, checks the join, and writes seed<N>.jsonl.

A response finds its problem by its id, else by the text of the statement, else by the number of the row. The reference that
its file gives must be the benchmark's: two sets of one name with other problems would be graded against each other's answers.

>>> seed_in_name("output-rs3.jsonl"), seed_in_name("samples_aime24.jsonl")
(3, None)
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterator, Sequence

from tools.benchmarks.problems import LoadedBenchmark
from tools.errors import DataError, UsageError
from tools.importing.formats import ForeignAnswer, Row, load_rows, read_rows
from tools.records import Generation, Problem
from tools.store.files import write_atomically
from tools.store.foreign import ForeignFormat, find_foreign, recognize_file
from tools.store.generations import list_files, seed_file

SEED_IN_NAME = re.compile(r"(?:seed|rs|run)[-_]?([0-9]{1,9})(?![0-9])")
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,300}")


@dataclasses.dataclass(frozen=True)
class Imported:
    """What came of it. `failed` responses are errors in the other toolkit's files; their samples are missing."""

    formats: tuple[ForeignFormat, ...]
    samples: int
    problems: int
    seeds: tuple[int, ...]
    failed: int


def seed_in_name(name: str) -> int | None:
    match = SEED_IN_NAME.search(name)
    return int(match[1]) if match else None


def find_inputs(paths: Sequence[pathlib.Path], named: ForeignFormat | None) -> list[tuple[pathlib.Path, ForeignFormat]]:
    """The files of paths and folders with their formats. Raises DataError where there is none."""
    found: list[tuple[pathlib.Path, ForeignFormat]] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; give the other toolkit's file with the responses")
        if path.is_dir():
            inside = find_foreign(path) or [(file, ForeignFormat.PLAIN) for _, file in list_files(path)]
        else:
            kind = named or recognize_file(path) or _as_plain(path)
            inside = [(path, kind)] if kind else []
        if not inside:
            kinds = ", ".join(map(str, ForeignFormat))
            raise DataError(f"{path}: no file of a format that is known here ({kinds}); name one with --format")
        found += [(file, named or kind) for file, kind in inside]
    return found


def _as_plain(path: pathlib.Path) -> ForeignFormat | None:
    """Rows of our own layout may be imported too, for their ids to be checked."""
    return ForeignFormat.PLAIN if path.suffix == ".jsonl" and path.is_file() else None


def convert(
    inputs: Sequence[tuple[pathlib.Path, ForeignFormat]], loaded: LoadedBenchmark, out: pathlib.Path
) -> Imported:
    """Reads, joins, checks and writes; nothing is written before all is checked. Raises DataError, UsageError."""
    if out.is_dir() and list_files(out):
        raise UsageError(f"{out} holds responses already; choose another folder with --to")
    finder = ProblemFinder(loaded)
    by_file = [(path, _read_file(path, kind, finder)) for path, kind in inputs]
    rows, failed = _with_seeds(by_file)
    if not rows:
        raise DataError(f"{inputs[0][0]}: no response in it")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be made ({error.strerror}); choose another folder with --to") from error
    order = {problem.task_id: number for number, problem in enumerate(loaded.problems)}
    seeds = sorted({row.seed for row in rows})
    for seed in seeds:
        lines = sorted((row for row in rows if row.seed == seed), key=lambda row: order[row.task_id])
        write_atomically(seed_file(out, seed), "".join(row.to_json() + "\n" for row in lines))
    kinds = tuple(dict.fromkeys(kind for _, kind in inputs))
    return Imported(kinds, len(rows), len({row.task_id for row in rows}), tuple(seeds), failed)


def _read_file(path: pathlib.Path, kind: ForeignFormat, finder: ProblemFinder) -> list[tuple[Problem, ForeignAnswer]]:
    try:
        answers = list(read_rows(kind, _first_filter(kind, path)))
    except ValueError as error:
        raise DataError(f"{path}, {error}") from error
    joined = finder.join(path, answers)
    for problem, answer in joined:
        if answer.gold and problem.answer and not _same(answer.gold, problem.answer):
            raise DataError(
                f"{path}, line {answer.line}: its reference is {answer.gold[:80]!r} and that of problem {problem.task_id!r} "
                f"{problem.answer[:80]!r}; these responses are to another benchmark, give its name or file with --benchmark"
            )
    return joined


def _first_filter(kind: ForeignFormat, path: pathlib.Path) -> Iterator[tuple[int, Row]]:
    """lm-eval repeats every response for each of its filters; the first is enough."""
    first: object = None
    for number, row in load_rows(path, kind):
        if kind is ForeignFormat.LM_EVAL and "filter" in row:
            first = first or row["filter"]
            if row["filter"] != first:
                continue
        yield number, row


def _same(one: str, other: str) -> bool:
    one, other = ("".join(text.split()).strip("$") for text in (one, other))
    if PLAIN_NUMBER.fullmatch(one) and PLAIN_NUMBER.fullmatch(other):
        return int(one) == int(other)
    # A worked solution ends in the answer; only the benchmark's reader knows how it is written.
    return one == other or one.endswith((other, f"####{other}")) or other in one


class ProblemFinder:
    """Problems by id, by `problem_idx`, by the text of the statement, by the number of the row."""

    def __init__(self, loaded: LoadedBenchmark) -> None:
        self._loaded, self._by_id = loaded, loaded.by_id
        self._by_index = {
            str(problem.fields["problem_idx"]): problem
            for problem in loaded.problems
            if problem.fields.get("problem_idx") is not None
        }
        self._by_text: dict[str, Problem] = {}
        for problem in loaded.problems:
            self._by_text.setdefault(_words(problem.statement), problem)

    def join(self, path: pathlib.Path, answers: Sequence[ForeignAnswer]) -> list[tuple[Problem, ForeignAnswer]]:
        """By the first way that finds a problem for every response. Raises DataError with the first that has none."""
        for way in (self._of_id, self._of_index, self._of_text, self._of_row, self._of_id_from_one):
            found = [(problem, answer) for answer in answers if (problem := way(answer)) is not None]
            if len(found) == len(answers):
                return found
        lost = next(answer for answer in answers if self._of_id(answer) is None and self._of_text(answer) is None)
        name = lost.names[0] if lost.names else (lost.statement or "without a name")[:60]
        raise DataError(
            f"{path}, line {lost.line}: {name!r} is no problem of {self._loaded.name} ({self._loaded.path}), by id, statement or row; "
            "give the right benchmark with --benchmark"
        )

    def _of_id(self, answer: ForeignAnswer) -> Problem | None:
        return next((self._by_id[name] for name in answer.names if name in self._by_id), None)

    def _of_index(self, answer: ForeignAnswer) -> Problem | None:
        return next((self._by_index[name] for name in answer.names if name in self._by_index), None)

    def _of_text(self, answer: ForeignAnswer) -> Problem | None:
        words = _words(answer.statement or "")
        if not words:
            return None
        if words in self._by_text:
            return self._by_text[words]
        inside = [problem for text, problem in self._by_text.items() if text and text in words]
        return inside[0] if len(inside) == 1 else None  # the statement stands inside a prompt

    def _of_row(self, answer: ForeignAnswer) -> Problem | None:
        numbers = [answer.row_number, *(_row_number(name) for name in answer.names)]
        row = next((number for number in numbers if number is not None), None)
        return self._loaded.problems[row] if row is not None and row < len(self._loaded.problems) else None

    def _of_id_from_one(self, answer: ForeignAnswer) -> Problem | None:
        """Numbers from 1, as competitions count."""
        row = next((number for name in answer.names if (number := _row_number(name)) is not None), None)
        return self._loaded.problems[row - 1] if row is not None and 1 <= row <= len(self._loaded.problems) else None


def _row_number(name: str) -> int | None:
    """`7`, or the end of `aime_sample/7`."""
    digits = name.rpartition("/")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None


def _words(text: str) -> str:
    return " ".join(text.split())


def _with_seeds(
    by_file: Sequence[tuple[pathlib.Path, list[tuple[Problem, ForeignAnswer]]]],
) -> tuple[list[Generation], int]:
    """A seed for every response: the file name's where each file is one sample of each problem, else numbers from 0."""
    names = [seed_in_name(path.name) for path, _ in by_file]
    is_one_each = all(len({problem.task_id for problem, _ in rows}) == len(rows) for _, rows in by_file)
    are_named = None not in names and len(set(names)) == len(names)
    next_seed: dict[str, int] = {}
    generations, failed = [], 0
    for (_, rows), name in zip(by_file, names, strict=True):
        for problem, answer in rows:
            seed = next_seed.get(problem.task_id, 0)
            next_seed[problem.task_id] = seed + 1
            if answer.text is None:
                failed += 1
                continue
            chosen = name if is_one_each and are_named and name is not None else seed
            generations.append(
                Generation(problem.task_id, chosen, answer.text, answer.finish_reason, None, answer.output_tokens)
            )
    return generations, failed
