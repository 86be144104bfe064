"""Files that version 0.1 wrote are read, say the same, and would be written again letter by letter but for the version."""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from tests.conftest import ROOT
from tools.results.build import read_results
from tools.results.run_folder import RunFolder

KEPT = sorted((ROOT / "tests" / "golden" / "runs").glob("*/expected/*_results.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_file_of_version_0_1_says_the_same(path: pathlib.Path) -> None:
    saved = json.loads(path.read_text(encoding="utf-8")) | {"schema_version": 2}
    assert list(saved.items()) == list(read_results(path).to_json().items())
    assert json.dumps(saved) == json.dumps(read_results(path).to_json())  # keys in their order, at every depth


def test_a_graded_folder_of_version_0_1_is_surveyed_without_a_note(tmp_path: pathlib.Path) -> None:
    run = ROOT / "tests" / "golden" / "runs" / "aime_sample"
    shutil.copytree(run, tmp_path / "aime_sample", ignore=shutil.ignore_patterns("expected"))
    for kind in ("results.json", "verdicts.jsonl"):
        name = "accuracy_results.json" if kind == "results.json" else kind
        shutil.copy(run / "expected" / f"ours_{kind}", tmp_path / "aime_sample" / name)
    survey = RunFolder(tmp_path / "aime_sample").survey()
    assert survey.notes == ()
    assert len(survey.grades) == 80
    counts = RunFolder(tmp_path / "aime_sample").counts(survey.results[0].task_ids)
    assert counts.is_binary
    assert counts.problems == 20


def test_parts_stand_in_the_file_of_the_whole_without_what_they_share(tmp_path: pathlib.Path) -> None:
    """As the file of a whole LiveCodeBench has its v5 and v6."""
    path = next(path for path in KEPT if "livecodebench" in path.parts[-3])
    saved = json.loads(path.read_text(encoding="utf-8"))
    shared = ("task_ids", "labels", "breakdowns", "settings", "sandbox", "timing", "sets")
    part = {name: value for name, value in saved.items() if name not in shared}
    part["set"] = {"name": "v5", "count": 20, "sha256": "ab" * 32}
    part["total_problems"] = 20
    part["headline"] = part["headline"].replace("28 problems", "20 problems").replace("livecodebench_sample", "v5")
    saved["sets"] = {"v5": part}
    saved["schema_version"] = part["schema_version"] = 2
    (tmp_path / "accuracy_results.json").write_text(json.dumps(saved), encoding="utf-8")
    results = read_results(tmp_path)
    v5 = results.part("v5")
    assert v5 is not None
    assert results.part("v6") is None
    assert (v5.subset.count, v5.cap, v5.benchmark) == (20, 512, "livecodebench_sample")
    assert json.dumps(results.to_json()) == json.dumps(saved)
