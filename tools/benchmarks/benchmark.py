"""A benchmark is data: one JSON file in data/benchmarks/ says where it comes from, how it is asked and how it is graded.

Everything that handles benchmarks reads this record and nothing else, so that a new one is a new file there, or in the
folder that BENCHMARKS_DIR names (docs/add_a_benchmark.md). A JSONL file of one's own needs none: its fields tell whether
its problems are mathematics or programs.

>>> find_benchmark("AIME24").name, find_benchmark("aime24").grader, find_benchmark("aime24").problems
('aime24', 'math', 30)
"""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tools.benchmarks.answers import field_of
from tools.benchmarks.choices import ChoiceFields, has_choices
from tools.benchmarks.planned import OWN_FILE, find_planned, folder_name, has_prefix
from tools.benchmarks.published_files import as_jsonl, is_problem_file, stem_of
from tools.benchmarks.rows import HEAVY_FIELDS, parse_row, read_lines
from tools.errors import DataError
from tools.store.files import ROOT
from tools.store.reading import parse_json, read_small

DATA = ROOT / "data"
ENTRIES = DATA / "benchmarks"
MOST_ENTRY_BYTES = 1 << 20
CODE_FIELDS = (*HEAVY_FIELDS, "starter_code", "entry_point", "canonical_solution")


@dataclasses.dataclass(frozen=True)
class BenchmarkSource:
    """Where the hub has the problems: a dataset with `config` and `split`, or the `files` of its repository; or an address.

    Files (names or patterns; JSONL, JSON, CSV or Parquet) are joined in the order in which they stand here, and so are `configs`, each row with the name of its own as `config`. `revision` is a
    commit, tag or branch; what was read is recorded in any case. `rename` maps fields to this toolkit's names (id,
    problem, answer); `columns` are kept and no others; `is_streamed` fetches without the hub's cache, for files of
    gigabytes; `is_gated` says that its authors ask for acceptance first, which needs a token. `url` is the address of a file
    that no dataset of the hub has, and `sha256` its checksum. `only` keeps the rows whose fields have one of these values.
    """

    dataset: str = ""
    config: str | None = None
    split: str = "test"
    revision: str | None = None
    configs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    rename: Mapping[str, str] = dataclasses.field(default_factory=dict)
    columns: tuple[str, ...] = ()
    is_streamed: bool = False
    is_gated: bool = False
    url: str = ""
    sha256: str = ""
    only: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)

    @property
    def place(self) -> str:
        return self.url or self.dataset

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of the file, under its publisher's names or ours, is one of the benchmark's. A row without the field
        is: some publish the part as a file of its own."""
        return all(name not in row or row[name] in values for name, values in self.only.items())


@dataclasses.dataclass(frozen=True)
class ExampleFields:
    """Problems that are shown with their answers before each question, as earlier turns of the conversation: the first `count`
    rows of another `benchmark`, of those that have the problem's value of the field `same`, where that is told. `answer` is the
    field with what is said before the right answer, MMLU-Pro's `cot_content` for example."""

    benchmark: str
    count: int = 5
    same: str = ""
    answer: str = ""


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """One entry of the catalogue.

    `grader` names one in tools/grading, `grader_options` are handed to it; `question` names a template in
    questions.py, or is a text with {problem} and {fields of the row}; a base seed gives `samples_per_seed` samples, and
    at most `most_seeds` of a preset's base seeds are taken; `metric` is what its score is called; `id_field` names the
    field that holds a row's id, where it is none of the usual ones; `problems` (count) and `answers` ("integer": 0 to 999) are
    checked when a file is read; `labels` hold for all problems, `label_fields` name columns that break the score down;
    `subsets` names a table of frozen parts; `source` says where the hub has it; `max_new_tokens` caps the output;
    `needs` says in words what a machine must have besides; `choices` names fields of multiple choice; `examples` says which problems
    are shown before each with their answers; `is_scored`: a model writes
    nothing, it says how likely each of a row's `choices` is after the statement; `file` is where a set of its own lies.
    """

    name: str
    title: str = ""
    grader: str = "math"
    grader_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    question: str = "math"
    samples_per_seed: int = 8
    most_seeds: int | None = None
    metric: str = ""
    id_field: str | None = None
    problems: int | None = None
    answers: str | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    label_fields: tuple[str, ...] = ()
    subsets: str | None = None
    source: BenchmarkSource | None = None
    max_new_tokens: int | None = None
    aliases: tuple[str, ...] = ()
    licence: str = ""
    needs: str = ""
    choices: ChoiceFields = dataclasses.field(default_factory=ChoiceFields)
    examples: ExampleFields | None = None
    is_scored: bool = False
    file: pathlib.Path | None = None


def list_benchmarks() -> dict[str, Benchmark]:
    """Every entry by name, those of BENCHMARKS_DIR included. Raises DataError for an entry that cannot be read."""
    own = os.environ.get("BENCHMARKS_DIR")
    return _read_entries((ENTRIES, pathlib.Path(own)) if own else (ENTRIES,))


@functools.cache
def _read_entries(folders: tuple[pathlib.Path, ...]) -> dict[str, Benchmark]:
    """An entry of a later folder takes the place of one with its name. An alias or name of two entries is refused."""
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder of benchmarks; BENCHMARKS_DIR has to name one")
    paths = {path.stem: path for folder in folders for path in sorted(folder.glob("*.json"))}
    entries = {name: _read_entry(path) for name, path in paths.items()}
    owners: dict[str, str] = {}
    for entry in entries.values():
        for word in {entry.name.lower(), *(alias.lower() for alias in entry.aliases)}:
            if owners.setdefault(word, entry.name) != entry.name:
                raise DataError(
                    f"{paths[entry.name]}: {word!r} is a name of {owners[word]} already; choose another name or alias"
                )
    return entries


def _read_entry(path: pathlib.Path) -> Benchmark:
    try:
        row = parse_json(read_small(path, MOST_ENTRY_BYTES))
        source = row.pop("source", None)
        row["source"] = BenchmarkSource(**_with_tuples(source, "configs", "files", "columns")) if source else None
        row["choices"] = ChoiceFields(**_with_tuples(row.pop("choices", {}), "options"))
        examples = row.pop("examples", None)
        row["examples"] = ExampleFields(**examples) if examples else None
        row = _with_tuples(row, "label_fields", "aliases")
        return Benchmark(name=path.stem, file=path.with_suffix(".jsonl"), **row)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: no entry of a benchmark ({error}); docs/add_a_benchmark.md has the fields") from error


def _with_tuples(row: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if not isinstance(row.get(name, []), list):
            raise ValueError(f"{name} is no list")
    return row | {name: tuple(row.get(name, ())) for name in names}


def split_names(text: str) -> tuple[str, ...]:
    """Names or files of benchmarks between commas or spaces.

    >>> split_names("aime24, aime25")
    ('aime24', 'aime25')
    """
    return tuple(re.split(r"[,\s]+", text.strip(", \n"))) if text.strip(", \n") else ()


def name_of(name_or_path: str | os.PathLike[str]) -> str:
    """The name that a benchmark or a file of problems goes by."""
    if has_prefix(os.fspath(name_or_path)):
        return folder_name(os.fspath(name_or_path))
    path = pathlib.Path(name_or_path)
    if path.name == OWN_FILE:
        return path.absolute().parent.name
    return stem_of(path) if is_problem_file(path) else path.name


def find_entry(name_or_path: str | os.PathLike[str]) -> Benchmark | None:
    """The entry of a name or alias, in any case, or of a file that has exactly its name.

    >>> find_entry("MATH-500").name, find_entry("data/aime24.jsonl").name, find_entry("mine/MATH-500.jsonl")
    ('math500', 'aime24', None)
    """
    name = name_of(name_or_path)
    planned: Benchmark | None = find_planned(name_or_path, name)
    if planned:
        return planned
    entries = list_benchmarks()
    if name in entries or is_problem_file(name_or_path):
        return entries.get(name)
    word = name.lower()
    return next(
        (each for each in entries.values() if word in (one.lower() for one in (each.name, *each.aliases))), None
    )


def find_benchmark(name_or_path: str | os.PathLike[str]) -> Benchmark:
    """The entry of a benchmark by name, alias or file; a file that no entry describes gets what its first row tells."""
    return find_entry(name_or_path) or describe_file(name_of(name_or_path), as_jsonl(pathlib.Path(name_or_path)))


def near_names(word: str) -> list[str]:
    """Names and aliases that may have been meant, the nearest first."""
    words = {
        each.lower(): (entry.name if each == entry.name else f"{each} ({entry.name})")
        for entry in list_benchmarks().values()
        for each in (*entry.aliases, entry.name)
    }
    import difflib  # here, because only a mistake needs it

    return [words[each] for each in difflib.get_close_matches(word.lower(), words, n=3, cutoff=0.6)]


def unknown_benchmark(word: str) -> str:
    """One line for a name that nothing is known by."""
    near = near_names(name_of(word))
    advice = f"did you mean {' or '.join(near)}?" if near else "`python -m tools benchmarks` lists them"
    return f"{word}: there is no benchmark of this name; {advice}"


def describe_file(name: str, path: pathlib.Path) -> Benchmark:
    """A benchmark from a file alone: rows with tests are programs, rows with options are multiple choice, all others
    mathematics.

    A problem whose tests are missing or empty is a program too when it has no answer to be compared with.
    """
    try:
        line = next(read_lines(path), None)
        row = parse_row(line.text, str(path)) if line else {}
    except DataError:  # `load_benchmark` tells what is wrong with the file, with its line
        row = {}
    has_tests = any(row.get(field) for field in HEAVY_FIELDS)
    is_code = has_tests or (field_of(row, "answer") is None and any(field in row for field in CODE_FIELDS))
    if not is_code:
        is_choice = has_choices(row)
        return Benchmark(name, grader="choice", question="choice", samples_per_seed=1) if is_choice else Benchmark(name)
    subsets = "livecodebench" if row.get("contest_date") else None  # its months and windows hold for any such file
    return Benchmark(name, grader="code", question="code", samples_per_seed=1, subsets=subsets)
