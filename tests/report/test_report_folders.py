"""Reading run folders: growth, damage and absence are followed and said, never guessed around."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.report_runs import RunShape, make_run
from tools.errors import DataError
from tools.records import Grade, Verdict
from tools.results.run_folder import RunFolder, find_folders
from tools.store.line_index import LineIndex, complete_lines


def grade_line(task_id: str, seed: int, verdict: Verdict = Verdict.CORRECT) -> str:
    return Grade(task_id, seed, verdict).to_json() + "\n"


def test_the_index_reads_single_lines_of_every_layout(tmp_path: Path) -> None:
    (tmp_path / "seed100.jsonl").write_text(
        '{"task_id": "60", "output": "a \\"seed\\": 7 \\u00e9", "seed": 100, "finish_reason": "length", "output_tokens": 12}\n'
        '{"output": "keys in another order", "task_id": 61, "finish_reason": "stop"}\n'
    )
    (tmp_path / "0to2_seed5.jsonl").write_text('{"task_id": 0, "generation": "of the original"}\n')
    index = LineIndex(tmp_path)
    assert index.refresh()
    assert set(index.lines) == {("60", 100), ("61", 100), ("0", 5)}
    assert (index.lines["60", 100].finish_reason, index.lines["60", 100].output_tokens) == ("length", 12)
    assert index.lines["61", 100].finish_reason == "stop"
    row = index.read("60", 100)
    assert row is not None
    assert row["output"] == 'a "seed": 7 é'
    assert index.read("60", 101) is None


def test_the_index_follows_files_that_grow_shrink_and_vanish(tmp_path: Path) -> None:
    path = tmp_path / "seed1.jsonl"
    line = '{"task_id": "%s", "output": "x", "seed": 1}\n'
    path.write_text(line % "a" + (line % "b")[:-3])
    index = LineIndex(tmp_path)
    index.refresh()
    assert set(index.lines) == {("a", 1)}
    assert index.torn == {"seed1.jsonl"}
    path.write_text(line % "a" + line % "b" + line % "c")
    assert index.refresh()
    assert set(index.lines) == {("a", 1), ("b", 1), ("c", 1)}
    assert index.torn == set()
    path.write_text(line % "d")
    index.refresh()
    assert set(index.lines) == {("d", 1)}
    path.unlink()
    index.refresh()
    assert index.lines == {}


def test_the_index_counts_damaged_lines(tmp_path: Path) -> None:
    (tmp_path / "seed1.jsonl").write_bytes(
        b'{"task_id": "a", "output": "x"}\n{"torn\nnull\n\xff\xfe\n{"task_id": "b", "output": "\xff"}\n'
    )
    index = LineIndex(tmp_path)
    index.refresh()
    assert set(index.lines) == {("a", 1), ("b", 1)}
    assert index.damaged == {"seed1.jsonl": 3}
    assert (index.read("b", 1) or {})["output"] == "\ufffd"


def test_lines_are_found_across_blocks(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = [b"x" * length for length in (10, 5_000_000, 0, 3_000_000, 17)]
    path.write_bytes(b"\n".join(lines) + b"\nrest")
    found = list(complete_lines(path, 0, path.stat().st_size))
    assert [line.text[:-1] for line in found] == lines
    content = path.read_bytes()
    assert all(content[line.offset : line.offset + line.length] == line.text for line in found)


def test_a_run_of_several_sets_is_found(tmp_path: Path) -> None:
    make_run(tmp_path, RunShape(dataset="aime24", problems=3, seeds=2, chars=50))
    make_run(tmp_path, RunShape("code", "livecodebench", 3, 2, 50))
    (tmp_path / "logs").mkdir()
    assert [run.folder.name for run in find_folders(tmp_path)] == ["aime24", "livecodebench"]
    assert find_folders(tmp_path / "aime24") == [RunFolder(tmp_path / "aime24")]


def test_no_run_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is it a run"):
        find_folders(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        find_folders(tmp_path / "absent")


@pytest.mark.parametrize(
    ("file", "content", "note"),
    [
        ("manifest.json", None, "No readable manifest.json"),
        ("manifest.json", "{", "manifest.json is damaged"),
        ("manifest.json", "[1]", "manifest.json holds a list"),
        ("verdicts.jsonl", None, "No verdicts.jsonl"),
        ("accuracy_results.json", None, "there is no score"),
        ("accuracy_results.json", '{"avg_at_k": ', "accuracy_results.json is damaged"),
        ("accuracy_results.json", "[" * 100_000, "accuracy_results.json is damaged"),
    ],
)
def test_what_is_missing_or_damaged_is_named(tmp_path: Path, file: str, content: str | None, note: str) -> None:
    folder = make_run(tmp_path, RunShape(problems=3, seeds=2, chars=50))
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    assert any(note in found for found in RunFolder(folder).survey().notes)


def test_verdicts_that_the_plan_asks_for_are_counted(tmp_path: Path) -> None:
    folder = make_run(tmp_path, RunShape(problems=4, seeds=2, chars=50))
    assert RunFolder(folder).survey().notes == ()
    lines = (folder / "verdicts.jsonl").read_text().splitlines(keepends=True)
    (folder / "verdicts.jsonl").write_text("".join(lines[3:]) + grade_line("stranger", 1))
    notes = RunFolder(folder).survey().notes
    assert "3 of 8 planned samples have no verdict." in notes
    assert any("1 verdicts belong to samples" in note for note in notes)


def test_a_plan_of_odd_types_is_no_plan(tmp_path: Path) -> None:
    folder = make_run(tmp_path, RunShape(problems=3, seeds=2, chars=50))
    for plan in (5, {"seeds": 1, "task_ids": "abc"}, {"seeds": ["x", None], "task_ids": [[], 1]}):
        manifest = json.loads((folder / "manifest.json").read_text()) | {"plan": plan}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        assert len(RunFolder(folder).survey().grades) == 6
