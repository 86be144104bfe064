"""Golden runs: what version 0.1 made of two folders of responses, kept byte by byte (measured times masked).

The responses were made by rule from our own sample sets: right, wrong, cut off, boxed in the reasoning only, without an
answer; programs of every outcome. A refactoring that changes a verdict, a figure or a key shows here.
"""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
RUNS = ROOT / "tests" / "golden" / "runs"
DOORS = {"aime_sample": "evaluate_aime.py", "livecodebench_sample": "evaluate_livecodebench.py"}
# Measured anew by every grading, saying by which version of a grader it was made, or not yet written by version 0.1.
MASKED = {
    "cpu_s", "max_cpu_s", "wall_s", "peak_bytes", "fingerprint", "checksum", "version", "sandbox", "score", "schema_version",
}  # fmt: skip


def masked(value: Any) -> Any:
    """The same value without what another grading may well measure otherwise."""
    if isinstance(value, dict):
        kept = {name: masked(item) for name, item in value.items() if name not in MASKED}
        return {name: item for name, item in kept.items() if (name, item) != ("details", {})}
    return [masked(item) for item in value] if isinstance(value, list) else value


def lines_of(text: str) -> list[str]:
    return [json.dumps(masked(json.loads(line)), ensure_ascii=False) for line in text.splitlines()]


@pytest.mark.parametrize("rules", ["ours", "original"])
@pytest.mark.parametrize("name", list(DOORS))
def test_a_golden_run_is_graded_as_ever(name: str, rules: str, tmp_path: pathlib.Path, run_script: Any) -> None:
    folder = tmp_path / name
    shutil.copytree(RUNS / name, folder, ignore=shutil.ignore_patterns("expected"))
    done = run_script("python", DOORS[name], "-g", folder, "-q", f"data/{name}.jsonl", "--grader", rules)
    assert done.returncode == 0, done.stderr
    expected = RUNS / name / "expected"
    verdicts = (folder / "verdicts.jsonl").read_text(encoding="utf-8")
    assert lines_of(verdicts) == lines_of((expected / f"{rules}_verdicts.jsonl").read_text(encoding="utf-8"))
    results = (folder / "accuracy_results.json").read_text(encoding="utf-8")
    kept = (expected / f"{rules}_results.json").read_text(encoding="utf-8")
    assert lines_of(json.dumps(json.loads(results))) == lines_of(json.dumps(json.loads(kept)))
