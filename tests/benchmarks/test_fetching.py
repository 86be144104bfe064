"""The hub client against a local server that speaks the hub's paths, with a cold cache every time."""

from __future__ import annotations

import io
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.hub_server import serve_hub

AIME_ROWS = [{"id": index, "problem": f"What is {index} + 0?", "answer": f"{index:03d}"} for index in range(30)]


def to_jsonl(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def to_parquet(rows: list[dict]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the toolkit whose data/ is without fetched sets, so that the real data/ stays as it is."""
    target = tmp_path / "checkout"
    shutil.copytree(ROOT / "tools", target / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (target / "data").mkdir()
    shutil.copy(ROOT / "data" / "catalogue.json", target / "data")
    return target


def fetch(
    checkout: pathlib.Path, tmp_path: pathlib.Path, endpoint: str, name: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """`python -m tools.benchmarks.problems NAME` in the copy, with an empty hub cache."""
    clean = {
        "PATH": "/usr/bin:/bin",
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(tmp_path / "cold"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        **env,
    }
    words = [sys.executable, "-m", "tools.benchmarks.problems", name]
    return subprocess.run(words, cwd=checkout, env=clean, capture_output=True, text=True, timeout=60)


def test_pains_15_plain_files_are_fetched_with_a_cold_cache_and_no_remote_code(checkout, tmp_path):
    files = {
        "data/train-00000-of-00001.parquet": to_parquet(AIME_ROWS),
        "loading_script.py": b"raise SystemExit('remote code ran')",
    }
    with serve_hub({"HuggingFaceH4/aime_2024": files}) as (endpoint, requested):
        done = fetch(checkout, tmp_path, endpoint, "aime24")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (checkout / "data" / "aime24.jsonl").read_text().split("\n") if line]
    assert [row["answer"] for row in rows] == [row["answer"] for row in AIME_ROWS]
    assert not any("loading_script" in path for path in requested)


def test_jsonl_files_serve_as_well_and_a_file_already_there_is_used_as_it_is(checkout, tmp_path):
    with serve_hub({"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS)}}) as (endpoint, requested):
        assert fetch(checkout, tmp_path, endpoint, "aime25").returncode == 0
        count = len(requested)
        assert fetch(checkout, tmp_path, endpoint, "aime25").returncode == 0
        assert len(requested) == count


def test_pains_19_a_set_with_15_of_30_problems_is_refused_and_nothing_is_left(checkout, tmp_path):
    with serve_hub({"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS[:15])}}) as (endpoint, _):
        done = fetch(checkout, tmp_path, endpoint, "aime25")
    assert done.returncode == 1
    assert "15 problems where aime25 has 30" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in (checkout / "data").iterdir()] == ["catalogue.json"]


@pytest.mark.parametrize("status", [404, 401, 500])
def test_a_hub_that_refuses_gives_one_line_with_file_and_fields(checkout, tmp_path, status):
    with serve_hub({}, status=status) as (endpoint, _):
        done = fetch(checkout, tmp_path, endpoint, "aime24")
    assert done.returncode == 1
    line = done.stderr.strip().split("\n")[-1]  # the hub's client logs its own retries before it
    assert line.startswith("error: HuggingFaceH4/aime_2024")
    assert "id, problem and answer" in line
    assert "data/aime24.jsonl" in line
    assert "Traceback" not in done.stderr


def test_without_network_the_error_names_the_file_and_its_fields(checkout, tmp_path):
    done = fetch(checkout, tmp_path, "http://127.0.0.1:9", "math500")
    assert done.returncode == 1
    assert "data/math500.jsonl" in done.stderr
    assert "id, problem and answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_parts_of_a_set_become_one_file_in_their_order(checkout, tmp_path):
    catalogue = json.loads((checkout / "data" / "catalogue.json").read_text())
    catalogue["livecodebench"]["problems"] = 12
    (checkout / "data" / "catalogue.json").write_text(json.dumps(catalogue))
    names = ["test.jsonl", *(f"test{number}.jsonl" for number in range(2, 7))]
    files = {
        name: to_jsonl(
            [{"question_id": f"q{part}{index}", "question_content": "Add.", "starter_code": ""} for index in range(2)]
        )
        for part, name in enumerate(names)
    }
    with serve_hub({"livecodebench/code_generation_lite": files}) as (endpoint, _):
        done = fetch(checkout, tmp_path, endpoint, "livecodebench")
    assert done.returncode == 0, done.stderr
    ids = [
        json.loads(line)["question_id"]
        for line in (checkout / "data" / "livecodebench.jsonl").read_text().split("\n")
        if line
    ]
    assert ids == [f"q{part}{index}" for part in range(6) for index in range(2)]


def test_math500_gets_its_id_from_unique_id(checkout, tmp_path):
    rows = [{"unique_id": f"test/algebra/{index}.json", "problem": "1+1", "answer": "2"} for index in range(500)]
    with serve_hub({"HuggingFaceH4/MATH-500": {"test.jsonl": to_jsonl(rows)}}) as (endpoint, _):
        done = fetch(checkout, tmp_path, endpoint, "math500")
    assert done.returncode == 0, done.stderr
    assert json.loads((checkout / "data" / "math500.jsonl").read_text().split("\n")[0])["id"] == "test/algebra/0.json"
