"""First use of a model of the hub: the commit is known before anything is recorded, a broken fetch goes on, errors are one line."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.support.hub_server import COMMIT, TAG, serve_hub

pytest.importorskip("transformers", reason="the runs here load a model with transformers")

FILES = {path.name: path.read_bytes() for path in (ROOT / "data" / "demo_model").iterdir() if path.is_file()}


def start(tmp_path: pathlib.Path, endpoint: str, *words: str, **environ: str) -> subprocess.Popen[str]:
    """A small run of org/tiny with an empty HF_HOME."""
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    settings = {
        "DATASETS": "aime_sample", "SEEDS": "100", "SAMPLES_PER_SEED": "1", "LIMIT": "1", "OUT_SEQ_LEN": "16",
        "MODEL_TYPE": "qwen", "ENGINE": "transformers", "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"),
        "HF_ENDPOINT": endpoint,
    }  # fmt: skip
    command = [
        sys.executable,
        str(ROOT / "inference.py"),
        "--model",
        "org/tiny",
        "--out",
        str(tmp_path / "out"),
        *words,
    ]
    return subprocess.Popen(
        command, cwd=ROOT, env={**clean, **settings, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def finish(run: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = run.communicate(timeout=240)
    return run.returncode, errors


def revision_of(out: pathlib.Path) -> str:
    return json.loads((out / "aime_sample" / "manifest.json").read_text())["settings"]["model_revision"]


@pytest.mark.slow
def test_a_fetch_that_is_killed_goes_on_and_the_commit_is_recorded(tmp_path):
    """Then without the hub at all: more samples from the cache, by the commit of the manifest."""
    with serve_hub({"org/tiny": FILES}, kind="models", bytes_per_s=300_000) as (endpoint, requested):
        run = start(tmp_path, endpoint)
        weights = f"GET /org/tiny/resolve/{COMMIT}/model.safetensors"
        end = time.monotonic() + 120
        while weights not in requested and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert weights in requested
        assert not (tmp_path / "out" / "aime_sample").exists()  # nothing is settled yet
        code, errors = finish(start(tmp_path, endpoint))
        assert code == 0, errors
        assert f"fetching org/tiny at commit {COMMIT[:12]}" in errors
    assert revision_of(tmp_path / "out") == COMMIT
    code, errors = finish(start(tmp_path, endpoint, SEEDS="100 200"))
    assert code == 0, errors
    assert (tmp_path / "out/aime_sample/seed200.jsonl").exists()


ADAPTER = {"adapter_config.json": b'{"r": 8, "peft_type": "LORA"}', "adapter_model.safetensors": b"weights"}
SEE_ADAPTER = """
import pathlib, sys
from tools.sampling.pinning import fetch_models, pin
from tools.sampling.settings import parse_settings
words = ["--model", "data/demo_model", "--out", "o", "--engine", "vllm", "--datasets", "aime_sample", "--adapter", sys.argv[1]]
settings = pin(parse_settings(words, environ={}), pathlib.Path(sys.argv[2]))
fetch_models(settings)
print(settings.engine_options.identity()["adapter"])
"""


def see_adapter(tmp_path: pathlib.Path, endpoint: str, adapter: str) -> tuple[str, str]:
    """What a run records of an adapter of the hub, and what it says on stderr."""
    environ = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf")}
    command = [sys.executable, "-c", SEE_ADAPTER, adapter, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False)
    return done.stdout.strip(), done.stderr


def test_an_adapter_of_the_hub_is_known_by_its_commit(tmp_path):
    """And a run that began with one commit goes on with it, though the hub is gone."""
    with serve_hub({"org/lora": ADAPTER}, kind="models") as (endpoint, _):
        assert see_adapter(tmp_path, endpoint, "org/lora")[0] == f"org/lora@{COMMIT}"
        assert see_adapter(tmp_path, endpoint, f"org/lora@{TAG}")[0] == f"org/lora@{COMMIT}"
        assert "no revision 'v9'" in see_adapter(tmp_path, endpoint, "org/lora@v9")[1]
    (tmp_path / "aime_sample").mkdir()
    row = {"settings": {"model": "demo_model", "adapter": f"org/lora@{COMMIT}"}}
    (tmp_path / "aime_sample" / "manifest.json").write_text(json.dumps(row))
    assert see_adapter(tmp_path, endpoint, "org/lora")[0] == f"org/lora@{COMMIT}"


def test_an_adapter_without_its_weights_is_told_before_an_engine_starts(tmp_path):
    only_config = {name: body for name, body in ADAPTER.items() if name.endswith(".json")}
    with serve_hub({"org/lora": only_config}, kind="models") as (endpoint, _):
        assert "the adapter's weights are missing" in see_adapter(tmp_path, endpoint, "org/lora")[1]


@pytest.mark.parametrize(
    ("hub", "environ", "said"),
    [
        ({"gated": ["org/*"]}, {}, ("gated", "terms", "HF_TOKEN")),
        ({"private": True}, {}, ("no such model", "HF_TOKEN", "terms")),
        ({"status": 503}, {}, ("answers with 503",)),
        ({}, {"REVISION": "v9"}, ("no revision 'v9'",)),
        ({}, {"HF_HUB_OFFLINE": "1"}, ("HF_HUB_OFFLINE", "HF_HOME")),
        ({}, {"HF_ENDPOINT": "http://127.0.0.1:9"}, ("cannot be reached", "HF_ENDPOINT")),
    ],
)
def test_what_the_hub_refuses_is_one_line_before_anything_is_written(tmp_path, hub, environ, said):
    pytest.importorskip("huggingface_hub")
    with serve_hub({"org/tiny": FILES}, kind="models", **hub) as (endpoint, _):
        code, errors = finish(start(tmp_path, endpoint, **environ))
    assert code == 1
    assert all(word in errors for word in said), errors
    lines = [line for line in errors.splitlines() if not line.startswith("fetching ")]
    assert len(lines) == 1
    assert not (tmp_path / "out" / "aime_sample").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model.safetensors": b"version https://git-lfs.github.com/spec/v1\n"}, "Git LFS pointer"),
        ({"tokenizer.json": None}, "no tokenizer"),
    ],
)
def test_a_repository_that_lacks_something_is_told_at_once(tmp_path, changed, said):
    pytest.importorskip("huggingface_hub")
    files = {name: body for name, body in {**FILES, **changed}.items() if body is not None}
    with serve_hub({"org/tiny": files}, kind="models") as (endpoint, _):
        code, errors = finish(start(tmp_path, endpoint, REVISION=TAG))
    assert code == 1
    assert said in errors.splitlines()[-1]
    assert "starting again" not in errors


def test_a_hub_that_names_files_out_of_its_cache_is_refused_before_the_download(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("tests.support.hub_server.etag_of", lambda *_: "../../../../../escaped")
    with serve_hub({"org/tiny": FILES}, kind="models") as (endpoint, requested):
        code, errors = finish(start(tmp_path, endpoint))
    assert code == 1
    assert "could leave its cache; nothing was downloaded" in errors.splitlines()[-1]
    assert not any(path.startswith("GET /org") and path.endswith("model.safetensors") for path in requested)
    assert not list(tmp_path.rglob("*escaped*"))
