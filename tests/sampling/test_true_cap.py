"""A model that ends before OUT_SEQ_LEN: the true cap is on the screen, in the manifest and in the headline."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=240, check=False
    )


def test_the_true_cap_is_told_everywhere(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("transformers")
    model, out = tmp_path / "model", tmp_path / "out"
    shutil.copytree(ROOT / "data" / "demo_model", model)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 160}))
    options = {"DATASETS": "aime_sample", "LIMIT": "2", "SEEDS": "100", "SAMPLES_PER_SEED": "1", "MODEL_TYPE": "qwen"}
    sampled = run(
        "inference.py", "--model", str(model), "--out", str(out), ENGINE="transformers", OUT_SEQ_LEN="400", **options
    )
    assert sampled.returncode == 0, sampled.stderr
    cap = json.loads((out / "aime_sample" / "manifest.json").read_text())["answer_cap"]
    assert 0 < cap < 160
    assert f"the model ends at 160 tokens, so an answer has room for {cap}" in sampled.stderr
    graded = run("evaluate_aime.py", "-g", str(out / "aime_sample"), "-q", "aime_sample")
    shown = " ".join(graded.stdout.split())
    assert f"cap {cap} tokens, not 400: the model ends there" in shown, graded.stderr
    results = json.loads((out / "aime_sample" / "accuracy_results.json").read_text())
    assert results["settings"]["answer_cap"] == cap
