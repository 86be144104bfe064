"""Problem files as their authors publish them, read as JSONL: a JSON list, CSV, Parquet, gzip, or a zip of one of them.

What is no JSONL is written once as JSONL to data/fetched/converted/, under a name that holds the checksum of the file
it was made of; the same file gives the same bytes on any machine.

>>> stem_of("HumanEvalPlus.jsonl.gz"), stem_of("data/aime24.jsonl"), stem_of("aime24"), is_problem_file("answers_v2.csv")
('HumanEvalPlus', 'aime24', 'aime24', True)
"""

from __future__ import annotations

import io
import itertools
import json
import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from tools.errors import DataError
from tools.store.files import ROOT, sha256_of_file, write_atomically
from tools.store.reading import parse_json

JSONL = ".jsonl"
TABLES = (".json", ".csv", ".tsv", ".parquet")
PACKED = (".gz", ".zip")
CONVERTED = ROOT / "data" / "fetched" / "converted"
MOST_BYTES = 2 << 30  # of a file that is no JSONL, unpacked
LIST_NAMES = ("examples", "data", "rows", "problems", "questions")


def is_problem_file(path: str | os.PathLike[str]) -> bool:
    """Whether a name is that of a file, not of a benchmark."""
    suffix = pathlib.Path(path).suffix.lower()
    return suffix == JSONL or suffix in TABLES or suffix in PACKED


def stem_of(path: str | os.PathLike[str]) -> str:
    """The name that a file of problems goes by: without its endings."""
    name = pathlib.Path(path).name
    while is_problem_file(name):
        name = pathlib.Path(name).stem
    return name


def as_jsonl(path: pathlib.Path) -> pathlib.Path:
    """The file itself where it is JSONL, else the JSONL made of it. Raises DataError for what holds no rows."""
    if path.suffix.lower() == JSONL or not is_problem_file(path):
        return path
    try:
        made = CONVERTED / f"{stem_of(path)}-{sha256_of_file(path)[:16]}.jsonl"
        if not made.is_file():
            rows = read_published(path)
            made.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(made, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    return made


def read_published(path: pathlib.Path) -> list[Any]:
    """The rows of a file of any kind. Raises DataError for what holds none, OSError for what cannot be read."""
    rows = _read_rows(path.name, path.read_bytes() if path.suffix != ".zip" else b"", path)
    if not rows:
        raise DataError(f"{path}: no problems in it")
    return rows


def _read_rows(name: str, content: bytes, path: pathlib.Path) -> list[Any]:
    """The rows of one file, unpacked first where it is packed."""
    import csv  # here, because most files are JSONL: a grading starts sooner without these
    import gzip
    import zipfile

    suffix = pathlib.Path(name).suffix.lower()
    try:
        if suffix == ".zip":
            return _read_rows(*_only_member(path), path)
        if suffix == ".gz":
            with gzip.open(io.BytesIO(content)) as packed:
                return _read_rows(name[: -len(suffix)], _bounded(packed, path), path)
        if suffix == ".parquet":
            import pyarrow.parquet as parquet

            table: list[Any] = parquet.read_table(io.BytesIO(content)).to_pylist()
            return table
        text = content.decode("utf-8-sig")
        if suffix in (".csv", ".tsv"):
            csv.field_size_limit(1 << 30)
            return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if suffix == ".tsv" else ","))
        return list(_json_rows(text, suffix, path))
    except (ValueError, csv.Error, zipfile.BadZipFile, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: no {suffix[1:]} file with problems ({str(error)[:200]}); fetch it again") from error


def _only_member(path: pathlib.Path) -> tuple[str, bytes]:
    """Name and content of the one file of problems in a zip."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        files = [
            item
            for item in archive.infolist()
            if is_problem_file(item.filename) and not item.is_dir() and "__MACOSX" not in item.filename
        ]
        if len(files) != 1:
            raise DataError(
                f"{path}: {len(files)} problem files in it where one is read; unpack it and give one of them"
            )
        with archive.open(files[0]) as member:
            return pathlib.PurePosixPath(files[0].filename).name, _bounded(member, path)


def _bounded(file: Any, path: pathlib.Path) -> bytes:
    content: bytes = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DataError(f"{path}: over {MOST_BYTES >> 30} GiB unpacked; give it as JSONL, which is read row by row")
    return content


def _json_rows(text: str, suffix: str, path: pathlib.Path) -> Iterable[Any]:
    """Rows of a JSONL text, of a JSON list, of an object that holds one list, or of an object of objects by id."""
    if suffix == JSONL:
        return [parse_json(line) for line in text.split("\n") if line.strip()]
    value = parse_json(text)
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        lists = [value[name] for name in LIST_NAMES if isinstance(value.get(name), list)]
        if len(lists) == 1:
            return itertools.chain(lists[0])
        if value and all(isinstance(row, dict) for row in value.values()):
            return _rows_by_id(value)
        columns = [column for column in value.values() if isinstance(column, list)]
        if len(columns) == len(value) and len({len(column) for column in columns}) == 1:
            return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    raise DataError(f"{path}: neither a list of problems nor an object that holds one; make a JSONL file of it")


def _rows_by_id(value: dict[str, Any]) -> Iterator[Any]:
    return ({"id": name, **row} for name, row in value.items())
