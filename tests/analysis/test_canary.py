"""The canary sounds when an engine's version breaks the scores, and is quiet otherwise."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from tests.support.fake_runs import SETTINGS, command, grades_from_rows, simulate_grades, write_run
from tools.analysis import canary
from tools.errors import SettingsMismatch, StorageError
from tools.results.run_folder import find_graded


def test_canary_sounds_when_a_version_breaks_and_is_quiet_otherwise(tmp_path: pathlib.Path) -> None:
    """A new release of an engine scores lower, and nobody has a small test for it."""
    generator = np.random.default_rng(8)
    rates = generator.beta(1, 0.6, 30)
    write_run(tmp_path / "full", simulate_grades(rates, range(100, 164), generator), model="/models/some-7B/")
    made = command("tools.analysis.canary", "make", tmp_path / "full", tmp_path / "canary.json")
    assert made.returncode == 0, made.stderr
    saved = json.loads((tmp_path / "canary.json").read_text())
    assert len(saved["expected"]) == 5
    assert len(saved["seeds"]) == 8
    expectation = canary.read_expectation(tmp_path / "canary.json")
    assert expectation.to_json() == saved
    chosen = list(expectation.correct)
    false_alarms = 0
    for _ in range(200):
        grades = simulate_grades([rates[int(i)] for i in chosen], range(8), generator, chosen)
        write_run(tmp_path / "good", grades, model="org/some-7B")
        (run,) = find_graded(tmp_path / "good").values()
        false_alarms += canary.check_expectation(run, expectation).is_alarm
    assert false_alarms <= 8
    write_run(tmp_path / "broken", grades_from_rows({i: [0] * 8 for i in chosen}, range(8)), model="org/some-7B")
    answer = command("tools.analysis.canary", "check", tmp_path / "broken", tmp_path / "canary.json")
    assert answer.returncode == 1
    assert answer.stdout.startswith("ALARM: 0.0 % on 5 problems")
    write_run(tmp_path / "warm", grades, settings={**SETTINGS, "temperature": 1.0}, model="some-7B")
    (run,) = find_graded(tmp_path / "warm").values()
    with pytest.raises(SettingsMismatch, match="temperature"):
        canary.check_expectation(run, expectation)
    with pytest.raises(StorageError, match="no canary expectation"):
        canary.read_expectation(tmp_path / "full" / "accuracy_results.json")
