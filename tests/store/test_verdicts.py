"""verdicts.jsonl is followed while it grows; damage is named, and stops those who need every verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.errors import StorageError
from tools.records import Grade, Verdict
from tools.store.verdicts import VerdictLog, read_verdicts


def grade_line(task_id: str, seed: int, verdict: Verdict = Verdict.CORRECT) -> str:
    return Grade(task_id, seed, verdict).to_json() + "\n"


def test_a_verdict_log_follows_a_growing_file(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    log = VerdictLog(path)
    assert not log.refresh()
    path.write_text(grade_line("60", 1))
    assert log.refresh()
    assert not log.refresh()
    with path.open("a") as file:
        file.write(grade_line("61", 1) + grade_line("62", 1)[:20])
    assert log.refresh()
    assert list(log.grades) == [("60", 1), ("61", 1)]
    assert "unfinished" in log.notes[0]
    with path.open("a") as file:
        file.write(grade_line("62", 1)[20:])
    assert log.refresh()
    assert ("62", 1) in log.grades
    assert log.notes == []


@pytest.mark.parametrize("is_replaced", [True, False], ids=["renamed over", "written in place"])
def test_a_verdict_log_reads_a_rewritten_file_anew(tmp_path: Path, is_replaced: bool) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(grade_line("60", 1, Verdict.WRONG) * 1)
    log = VerdictLog(path)
    log.refresh()
    other = tmp_path / "new" if is_replaced else path
    other.write_text(grade_line("60", 1) + grade_line("61", 1) + grade_line("62", 1))
    other.replace(path)
    assert log.refresh()
    assert [grade.is_correct for grade in log.grades.values()] == [True, True, True]


def test_damaged_verdict_lines_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    lines = [
        grade_line("60", 1),
        "{not json}\n",
        '{"task_id": "61"}\n',
        '"text"\n',
        '{"task_id":"6","seed":1,"verdict":"maybe"}\n',
    ]
    path.write_text("".join(lines) + "[" * 5000 + "\n")
    log = VerdictLog(path)
    log.refresh()
    assert list(log.grades) == [("60", 1)]
    assert log.damaged == 5
    assert "5 lines are damaged" in log.notes[0]


def test_reading_all_verdicts_stops_at_a_damaged_line_and_names_it(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist; grade the run again"):
        read_verdicts(tmp_path)
    (tmp_path / "verdicts.jsonl").write_text(grade_line("60", 1) + "\n" + grade_line("61", 1))
    assert [grade.task_id for grade in read_verdicts(tmp_path)] == ["60", "61"]
    (tmp_path / "verdicts.jsonl").write_text(grade_line("60", 1) + grade_line("61", 1)[:20])
    with pytest.raises(StorageError, match="line 2: damaged"):
        read_verdicts(tmp_path)
