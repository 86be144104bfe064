"""Files that nobody wrote with us in mind: each is one line of error or a named row, in bounded time and memory."""

from __future__ import annotations

import json
import os
import pathlib
import resource
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT
from tools.errors import StorageError
from tools.records import Generation, Grade, Verdict
from tools.store.generations import append, list_files, read_folder
from tools.store.json_object import note_object, read_object
from tools.store.line_index import LineIndex
from tools.store.verdict_file import open_verdicts
from tools.store.verdicts import VerdictLog, read_verdicts, write_grade

GOOD = {"task_id": "60", "output": "So 204.", "seed": 1}
DEEP = "[" * 100_000
BAD_ROWS = {
    "seed is 1.5": {**GOOD, "seed": 1.5},
    "seed is true": {**GOOD, "seed": True},
    "seed is inf": {**GOOD, "seed": float("inf")},
    "seed is a list": {**GOOD, "seed": [1]},
    "seed is a text": {**GOOD, "seed": "\u0661"},
    "seed is not between": {**GOOD, "seed": 10**30},
    "output_tokens is a list": {**GOOD, "output_tokens": [5]},
    "prompt_tokens is -1": {**GOOD, "prompt_tokens": -1},
    "finish_reason is an object": {**GOOD, "finish_reason": {}},
    "task_id is a list": {**GOOD, "task_id": ["60"]},
    "task_id is true": {**GOOD, "task_id": True},
    "half of a surrogate pair": {**GOOD, "task_id": "\ud800"},
    "output is not a text": {**GOOD, "output": None},
    "it has no task_id": {"output": "So 204."},
}


def special(path: pathlib.Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)


@pytest.mark.parametrize("kind", ["pipe", "folder", "/dev/zero", "/dev/tty", "nowhere"])
def test_what_is_no_file_is_never_waited_for_nor_read(tmp_path: pathlib.Path, kind: str) -> None:
    for name in ("seed1.jsonl", "verdicts.jsonl", "manifest.json"):
        special(tmp_path / name, kind)
    with pytest.raises(StorageError, match=r"seed1.jsonl: cannot be read"):
        list(read_folder(tmp_path))
    with pytest.raises(StorageError, match=r"verdicts.jsonl (cannot be read|does not exist)"):
        read_verdicts(tmp_path)
    notes: list[str] = []
    assert note_object(tmp_path / "manifest.json", notes) is None
    assert "cannot be read" in " ".join(notes) or kind == "nowhere"
    index, log = LineIndex(tmp_path), VerdictLog(tmp_path / "verdicts.jsonl")
    index.refresh()
    log.refresh()
    assert (index.lines, log.grades) == ({}, {})
    if kind != "nowhere":
        with pytest.raises(StorageError, match="cannot be written"), open_verdicts(tmp_path):
            pass
        with pytest.raises(StorageError, match="cannot be written"):
            append(tmp_path, Generation("60", 1, "x" * 100_000))


@pytest.mark.parametrize("said", list(BAD_ROWS))
def test_a_value_of_a_wrong_type_is_named_with_file_and_line(tmp_path: pathlib.Path, said: str) -> None:
    rows = [GOOD, BAD_ROWS[said]]
    (tmp_path / "seed1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(StorageError) as error:
        list(read_folder(tmp_path))
    assert "seed1.jsonl, line 2: damaged" in str(error.value)
    assert said in str(error.value)
    index = LineIndex(tmp_path)
    index.refresh()
    assert ("60", 1) in index.lines


@pytest.mark.parametrize(
    "text", [DEEP, '{"task_id": "1", "task_id": "2", "output": "x"}', "null", '"x"', "NaN", '{"a":' * 5000]
)
def test_odd_json_is_named(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "seed1.jsonl").write_text(text + "\n")
    (tmp_path / "verdicts.jsonl").write_text(text + "\n")
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StorageError, match="line 1: damaged"):
        list(read_folder(tmp_path))
    with pytest.raises(StorageError, match="line 1: damaged"):
        read_verdicts(tmp_path)
    with pytest.raises(StorageError, match=r"manifest.json (is damaged|holds a)"):
        read_object(tmp_path / "manifest.json")


def test_a_seed_that_is_null_is_the_file_names(tmp_path: pathlib.Path) -> None:
    (tmp_path / "seed7.jsonl").write_text(json.dumps({**GOOD, "seed": None}) + "\n")
    assert [generation.seed for generation in read_folder(tmp_path)] == [7]


def test_seeds_in_other_digits_are_no_files_of_samples(tmp_path: pathlib.Path) -> None:
    for name in ("seed\u0661.jsonl", "seed\uff11.jsonl", f"seed{'9' * 200}.jsonl", "seed1.jsonl"):
        (tmp_path / name).write_text("")
    assert [path.name for _, path in list_files(tmp_path)] == ["seed1.jsonl"]


def test_lines_of_300_megabytes_cost_neither_memory_nor_the_page(tmp_path: pathlib.Path) -> None:
    """In a process of its own, whose memory is limited to less than twice the limit of a line."""
    program = f"""
import pathlib, resource
from tools.errors import StorageError
from tools.store.generations import read_folder
from tools.store.line_index import LineIndex
from tools.store.verdicts import VerdictLog, read_verdicts
folder = pathlib.Path({str(tmp_path)!r})
for name in ("seed1.jsonl", "verdicts.jsonl"):
    with (folder / name).open("wb") as file:
        file.write(b'{{"task_id": "60", "output": "')
        for _ in range(300):
            file.write(b"x" * (1 << 20))
        file.write(b'"}}\\n{{"task_id": "61", "seed": 1, "verdict": "wrong", "output": "y"}}\\n')
for read in (lambda: list(read_folder(folder)), lambda: read_verdicts(folder)):
    try:
        read()
    except StorageError as error:
        print(error)
index, log = LineIndex(folder), VerdictLog(folder / "verdicts.jsonl")
index.refresh(), log.refresh()
print(list(index.lines), index.damaged, list(log.grades), log.damaged)
"""
    limit = 400 << 20
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    first, second, third = done.stdout.strip().split("\n")
    assert "seed1.jsonl, line 1: damaged (it has 300 MiB)" in first
    assert "verdicts.jsonl, line 1: damaged (it has 300 MiB)" in second
    assert third == "[('61', 1)] {'seed1.jsonl': 1} [('61', 1)] 1"


def test_an_index_survives_a_bad_escape_in_an_id(tmp_path: pathlib.Path) -> None:
    (tmp_path / "seed1.jsonl").write_bytes(b'{"task_id": "\\x", "output": "y"}\n{"task_id": "b", "output": "y"}\n')
    index = LineIndex(tmp_path)
    index.refresh()
    assert (list(index.lines), index.damaged) == ([("b", 1)], {"seed1.jsonl": 1})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("answer", ["204"]), ("reason", 5), ("is_cut_off", "yes"), ("output_tokens", [9]), ("share", 1.5), ("share", "1"),
        ("share", float("nan")), ("metrics", [1]), ("metrics", {"a": "b"}), ("cost", True), ("cost", -1), ("details", "x"),
        ("verdict", "maybe"), ("verdict", ["correct"]), ("seed", 1.0), ("seed", True), ("seed", None), ("task_id", {}),
    ],
)  # fmt: skip
def test_a_verdict_with_a_wrong_type_is_named(tmp_path: pathlib.Path, field: str, value: Any) -> None:
    row = {**json.loads(Grade("60", 1, Verdict.CORRECT).to_json()), field: value}
    (tmp_path / "verdicts.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(StorageError, match="line 1: damaged"):
        read_verdicts(tmp_path)
    log = VerdictLog(tmp_path / "verdicts.jsonl")
    log.refresh()
    assert (log.grades, log.damaged) == ({}, 1)


def test_a_verdict_changed_by_hand_is_seen(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    lines = [write_grade(Grade(str(number), 1, Verdict.WRONG, answer="a\ud800")) for number in range(3)]
    path.write_text("".join(lines), encoding="utf-8", errors="surrogatepass")
    assert [grade.verdict for grade in read_verdicts(tmp_path)] == [Verdict.WRONG] * 3
    lines[1] = lines[1].replace("wrong", "correct")
    path.write_text("".join(lines), encoding="utf-8", errors="surrogatepass")
    with pytest.raises(StorageError, match=r"line 2: it was changed after it was graded"):
        read_verdicts(tmp_path)
    with open_verdicts(tmp_path) as file:  # the next grading takes up the two that nobody changed
        assert sorted(file.known) == [("0", 1), ("2", 1)]


def test_a_line_put_in_without_a_checksum_is_seen_and_a_file_of_version_0_1_is_read(tmp_path: pathlib.Path) -> None:
    path, plain = tmp_path / "verdicts.jsonl", Grade("61", 1, Verdict.CORRECT).to_json() + "\n"
    path.write_text(write_grade(Grade("60", 1, Verdict.WRONG)) + plain)
    with pytest.raises(StorageError, match="put in by hand"):
        read_verdicts(tmp_path)
    path.write_text(plain)
    assert len(read_verdicts(tmp_path)) == 1


def test_the_page_says_that_a_verdict_was_changed(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(write_grade(Grade("60", 1, Verdict.WRONG)).replace("wrong", "correct"))
    log = VerdictLog(path)
    log.refresh()
    assert log.grades == {}
    assert "1 line was changed by hand" in log.notes[0]
