"""tools/sampling/monitor.py: what a user sees of a run from another shell."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tools.errors import StorageError
from tools.records import Generation
from tools.sampling.monitor import duration, read_status, render
from tools.sampling.progress import find_alarm
from tools.sampling.status import RunStatus
from tools.store import generations
from tools.store.provenance import now


def status(**changes: Any) -> dict[str, Any]:
    worker = {"name": "gpu0", "state": "running", "done": 40, "in_flight": 9, "tokens_per_s": 1234.5, "restarts": 1, "log": "logs/gpu0.log"}  # fmt: skip
    made = {
        "updated_at": now(), "state": "running", "elapsed_s": 90.0, "eta_s": 7200, "total": 100, "done": 40,
        "answered": 40, "truncated": 2, "unclosed": 2, "failed": 0, "tokens_per_s": 1234.5, "workers": [worker],
        "datasets": {"aime24": {"total": 100, "done": 40}},
    }  # fmt: skip
    return {**made, **changes}


def write(out: pathlib.Path, row: dict[str, Any]) -> None:
    (out / "status.json").write_text(json.dumps(row))


def test_a_running_run_shows_counts_rate_and_every_worker(tmp_path):
    write(tmp_path, status())
    page = render(read_status(tmp_path))
    for words in ("40/100 samples  running", "about 2:00 h left", "1,234 tokens/s", "5.0% of 40 cut off", "gpu0", "logs/gpu0.log"):  # fmt: skip
        assert words in page
    assert max(map(len, page.splitlines())) <= 80


def test_a_launcher_that_went_silent_is_not_called_running(tmp_path):
    write(tmp_path, status(updated_at="2026-01-01T00:00:00Z"))
    assert "its launcher is gone or hangs" in read_status(tmp_path).state


def test_many_cut_off_answers_raise_an_alarm():
    assert "9 of the first 40 answers are cut off" in render(RunStatus.from_json(status(truncated=9)))
    assert "warning" not in render(RunStatus.from_json(status(truncated=8)))


def test_reasoning_that_never_ends_raises_an_alarm():
    row = status(unclosed=9)
    assert "never close their reasoning" in (find_alarm(RunStatus.from_json(row), 32768) or "")
    assert find_alarm(RunStatus.from_json({**row, "is_reasoning": False}), 32768) is None  # as version 0.1 counted


def test_files_without_status_are_counted_against_the_plan(tmp_path):
    folder = tmp_path / "aime24"
    folder.mkdir()
    for task_id in ("60", "61"):
        generations.append(folder, Generation(task_id, 100, "[THINK]x", "stop"))
    manifest = {"settings": {}, "plan": {"seeds": [100, 200], "task_ids": ["60", "61"]}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = read_status(tmp_path)
    assert (found.done, found.total) == (2, 4)
    assert found.unclosed == 2
    assert "incomplete" in render(found)


def test_a_folder_without_a_run_is_one_line(tmp_path):
    with pytest.raises(StorageError, match="no run here"):
        read_status(tmp_path)


def test_the_command_prints_once_and_tells_by_its_exit_code(tmp_path, run_script):
    write(tmp_path, status(state="failed"))
    answer = run_script("python", "-m", "tools.sampling.monitor", str(tmp_path), "--once")
    assert answer.returncode == 1
    assert "failed" in answer.stdout
    write(tmp_path, status(state="finished"))
    assert run_script("python", "-m", "tools.sampling.monitor", str(tmp_path)).returncode == 0


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05 min"), (90, "1:30 min"), (7265, "2:01 h")])
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text
