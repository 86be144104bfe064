"""Problem sets from the hub through `datasets`, against a local server that speaks the hub's paths, with a cold cache."""

from __future__ import annotations

import io
import json
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.hub_server import COMMIT, TAG, serve_hub

AIME_ROWS = [{"id": index, "problem": f"What is {index} + 0?", "answer": f"{index:03d}"} for index in range(30)]
CONFIGS = b"""---
configs:
- config_name: full
  data_files:
  - {split: train, path: full/train-*}
  - {split: test, path: full/test-*}
- config_name: sanitized
  data_files:
  - {split: test, path: sanitized/test-*}
---
"""


def to_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def to_parquet(rows: list[dict[str, Any]]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


class Checkout:
    """A copy of the toolkit whose data/ holds entries only, and an empty hub cache, so that the real ones stay as they are."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.fetched = folder, folder / "data" / "fetched"
        shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "data" / "benchmarks", folder / "data" / "benchmarks")

    def run(self, endpoint: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        clean = {"PATH": "/usr/bin:/bin", "HF_ENDPOINT": endpoint, "HF_HOME": str(self.folder / "cold")}
        command = [sys.executable, "-m", "tools.benchmarks", *words]
        return subprocess.run(command, cwd=self.folder, env=clean | env, capture_output=True, text=True, timeout=120)

    def rows(self, name: str) -> list[dict[str, Any]]:
        text = (self.fetched / f"{name}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n") if line]

    def record(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self.fetched / f"{name}.source.json").read_text()))

    def change_entry(self, name: str, **fields: Any) -> None:
        path = self.folder / "data" / "benchmarks" / f"{name}.json"
        entry = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(entry | fields))


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> Checkout:
    pytest.importorskip("datasets")
    return Checkout(tmp_path / "checkout")


def test_parquet_is_fetched_with_a_cold_cache_and_no_code_of_the_repository_is_run(checkout):
    files = {
        "data/train-00000-of-00001.parquet": to_parquet(AIME_ROWS),
        "loading_script.py": b"raise SystemExit('remote code ran')",
    }
    with serve_hub({"HuggingFaceH4/aime_2024": files}) as (endpoint, requested):
        done = checkout.run(endpoint, "fetch", "AIME24")
    assert done.returncode == 0, done.stderr
    assert checkout.rows("aime24") == AIME_ROWS
    assert not any(path.startswith("GET") and path.endswith(".py") for path in requested)
    assert checkout.record("aime24")["revision"] == COMMIT
    assert f"HuggingFaceH4/aime_2024 at {COMMIT}" in done.stdout
    assert not (checkout.folder / "data" / "aime24.jsonl").exists()


def test_a_file_at_hand_is_used_as_it_is_and_the_cache_serves_without_network(checkout):
    with serve_hub({"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS)}}) as (endpoint, requested):
        assert checkout.run(endpoint, "fetch", "aime25").returncode == 0
        count = len(requested)
        assert checkout.run(endpoint, "fetch", "aime25").returncode == 0
        assert len(requested) == count
    first = (checkout.fetched / "aime25.jsonl").read_bytes()
    shutil.rmtree(checkout.fetched)
    done = checkout.run("http://127.0.0.1:9", "fetch", "aime25", HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert (checkout.fetched / "aime25.jsonl").read_bytes() == first
    assert checkout.record("aime25")["revision"] == COMMIT


def test_a_repository_made_by_a_script_asks_for_the_names_of_its_files(checkout):
    script = b"open('ran', 'w').close()"
    hub = {"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS), "aime25.py": script}}
    with serve_hub(hub) as (endpoint, _):
        done = checkout.run(endpoint, "fetch", "aime25")
        checkout.change_entry("aime25", source={"dataset": "math-ai/aime25", "files": ["test.jsonl"]})
        by_files = checkout.run(endpoint, "fetch", "aime25")
    assert done.returncode == 1
    assert "name its data files in source.files" in done.stderr.strip().split("\n")[-1]
    assert by_files.returncode == 0, by_files.stderr
    assert not (checkout.folder / "ran").exists()


def test_files_where_version_0_1_put_them_are_still_found(checkout):
    (checkout.folder / "data" / "aime25.jsonl").write_bytes(to_jsonl(AIME_ROWS))
    done = checkout.run("http://127.0.0.1:9", "fetch", "aime25")
    assert done.returncode == 0, done.stderr
    assert "data/aime25.jsonl" in done.stdout
    assert not checkout.fetched.exists()


def test_config_and_split_are_those_of_the_entry(checkout):
    problems = [{"task_id": number, "text": "Add.", "test_list": ["assert 1"]} for number in range(500)]
    other = to_parquet([{"task_id": 9, "text": "Not this.", "test_list": ["assert 0"]}])
    files = {"README.md": CONFIGS, "full/train-0.parquet": other, "sanitized/test-0.parquet": other}
    files["full/test-0.parquet"] = to_parquet(problems)
    with serve_hub({"google-research-datasets/mbpp": files}) as (endpoint, requested):
        done = checkout.run(endpoint, "fetch", "mbpp")
    assert done.returncode == 0, done.stderr
    assert checkout.rows("mbpp") == problems
    assert not any("sanitized/test" in path and "GET /datasets" in path for path in requested)


def test_a_revision_is_pinned_and_its_commit_recorded(checkout):
    checkout.change_entry("aime25", source={"dataset": "math-ai/aime25", "revision": TAG})
    with serve_hub({"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS)}}) as (endpoint, requested):
        done = checkout.run(endpoint, "fetch", "aime25")
        assert done.returncode == 0, done.stderr
        shutil.rmtree(checkout.fetched)
        checkout.change_entry("aime25", source={"dataset": "math-ai/aime25", "revision": "v9"})
        wrong = checkout.run(endpoint, "fetch", "aime25")
    assert checkout.run(endpoint, "aime25").returncode == 0
    assert any(TAG in path for path in requested)
    assert wrong.returncode == 1
    assert "v9" in wrong.stderr.strip().split("\n")[-1]


def test_fifteen_of_thirty_problems_are_refused_and_nothing_is_left(checkout):
    with serve_hub({"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS[:15])}}) as (endpoint, _):
        done = checkout.run(endpoint, "fetch", "aime25")
    assert done.returncode == 1
    assert "15 problems where aime25 has 30" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(checkout.fetched.iterdir()) == []


@pytest.mark.parametrize("status", [404, 401, 500])
def test_a_hub_that_refuses_gives_one_line_with_file_and_fields(checkout, status):
    with serve_hub({}, status=status) as (endpoint, _):
        done = checkout.run(endpoint, "fetch", "aime24")
    assert done.returncode == 1
    line = done.stderr.strip().split("\n")[-1]  # the hub's client logs its own retries before it
    assert line.startswith("error: HuggingFaceH4/aime_2024")
    assert "id, problem, answer" in line
    assert "data/fetched/aime24.jsonl" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("env", [{}, {"HF_HUB_OFFLINE": "1"}])
def test_without_network_the_error_names_the_file_and_its_fields(checkout, env):
    done = checkout.run("http://127.0.0.1:9", "fetch", "math500", **env)
    assert done.returncode == 1
    assert "data/fetched/math500.jsonl" in done.stderr
    assert "id, problem, answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gated_repository_needs_a_token_and_says_so(checkout):
    hub = {"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS)}}
    with serve_hub(hub, gated=["math-ai/*"], token="ours") as (endpoint, _):
        without = checkout.run(endpoint, "fetch", "aime25")
        with_token = checkout.run(endpoint, "fetch", "aime25", HF_TOKEN="ours")
    assert without.returncode == 1
    assert "accept the terms on the hub and set HF_TOKEN" in without.stderr.strip().split("\n")[-1]
    assert with_token.returncode == 0, with_token.stderr


def parts_of_livecodebench(tests: str) -> dict[str, bytes]:
    names = ["test.jsonl", *(f"test{number}.jsonl" for number in range(2, 7))]
    row = {"question_content": "Add\u2028them.", "starter_code": "", "contest_date": "2024-08-01T00:00:00"}
    return {
        name: to_jsonl([{"question_id": f"q{part}{index}", **row, "private_test_cases": tests} for index in range(2)])
        for part, name in enumerate(names)
    }


def test_parts_become_one_file_in_their_order_word_for_word(checkout):
    """A reader that guesses types makes dates of the dates, and joins rows of different fields."""
    checkout.change_entry("livecodebench", problems=12)
    files = parts_of_livecodebench("[]")
    script = {"code_generation_lite.py": b"raise SystemExit('remote code ran')"}
    with serve_hub({"livecodebench/code_generation_lite": files | script}) as (endpoint, _):
        done = checkout.run(endpoint, "fetch", "livecodebench")
    assert done.returncode == 0, done.stderr
    assert (checkout.fetched / "livecodebench.jsonl").read_bytes() == b"".join(files.values())
    assert checkout.record("livecodebench")["files"] == list(files)


@pytest.mark.slow
def test_gigabytes_of_tests_are_streamed_in_little_memory(checkout):
    """12 rows of 25 MB: the whole would be 300 MB; what is held is a few rows over what `datasets` itself takes."""
    checkout.change_entry("livecodebench", problems=12)
    measure = "import resource, sys, tools.benchmarks.__main__ as m; from tools.benchmarks import fetching\n"
    measure += "fetching.import_datasets(); start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    measure += "m.fetch_all(['livecodebench'])\n"
    measure += "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) // 1024)\n"
    files = parts_of_livecodebench("x" * (25 << 20))
    with serve_hub({"livecodebench/code_generation_lite": files}) as (endpoint, _):
        env = {"PATH": "/usr/bin:/bin", "HF_ENDPOINT": endpoint, "HF_HOME": str(checkout.folder / "cold")}
        done = subprocess.run(
            [sys.executable, "-c", measure], cwd=checkout.folder, env=env, capture_output=True, text=True, timeout=300
        )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 280
    cached = [path for path in (checkout.folder / "cold").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in cached) < 1 << 20


def test_rows_get_the_names_of_this_toolkit_and_only_the_columns_asked_for(checkout):
    rows = [{"unique_id": f"test/{index}", "problem": "1+1", "answer": "2", "image": "x"} for index in range(500)]
    entry = {
        "dataset": "HuggingFaceH4/MATH-500",
        "rename": {"unique_id": "id"},
        "columns": ["unique_id", "problem", "answer"],
    }
    checkout.change_entry("math500", source=entry)
    with serve_hub({"HuggingFaceH4/MATH-500": {"test.jsonl": to_jsonl(rows)}}) as (endpoint, _):
        done = checkout.run(endpoint, "fetch", "math500")
    assert done.returncode == 0, done.stderr
    assert checkout.rows("math500")[0] == {"id": "test/0", "problem": "1+1", "answer": "2"}


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_files_of_every_plain_kind_are_read(checkout, suffix):
    rows = [{"id": f"p{index}", "problem": "1+1", "answer": "two"} for index in range(3)]
    text = {
        "json": json.dumps(rows).encode(),
        "csv": ("id,problem,answer\n" + "".join(f"p{index},1+1,two\n" for index in range(3))).encode(),
        "parquet": to_parquet(rows),
    }[suffix]
    checkout.change_entry("mine", licence="ours", source={"dataset": "us/mine", "files": [f"data/*.{suffix}"]})
    with serve_hub({"us/mine": {f"data/all.{suffix}": text, "README.md": b"hello"}}) as (endpoint, _):
        done = checkout.run(endpoint, "fetch", "mine")
    assert done.returncode == 0, done.stderr
    assert checkout.rows("mine") == rows


def test_a_value_that_json_cannot_hold_is_refused_by_name_of_its_kind(checkout):
    rows = [{"id": "a", "problem": "?", "answer": "1", "image": b"png"}]
    checkout.change_entry("mine", licence="ours", source={"dataset": "us/mine", "files": ["all.parquet"]})
    with serve_hub({"us/mine": {"all.parquet": to_parquet(rows)}}) as (endpoint, _):
        done = checkout.run(endpoint, "fetch", "mine")
    assert done.returncode == 1
    assert "a field holds a bytes" in done.stderr
    assert "source.columns" in done.stderr


def test_without_datasets_installed_one_line_says_what_to_install(checkout):
    blocked = "import sys; sys.modules['datasets'] = None; sys.argv = ['x', 'fetch', 'aime24']\n"
    blocked += "from tools.benchmarks.__main__ import main, run_command; sys.exit(run_command(main))"
    command = [sys.executable, "-c", blocked]
    done = subprocess.run(command, cwd=checkout.folder, env={}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "datasets is not installed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_datasets_is_not_imported_where_nothing_is_fetched():
    probe = "import sys; from tools.benchmarks.problems import load_benchmark; load_benchmark('aime_sample').source\n"
    probe += "assert not {'datasets', 'pyarrow', 'huggingface_hub', 'pandas', 'numpy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", probe], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", ["../../../../../escaped", "/tmp/x/escaped", "..", "a/b", "x" * 300])
def test_a_hub_that_names_files_out_of_its_cache_is_refused_before_the_download(checkout, monkeypatch, name):
    """What it sends as an ETag would be the name of the file that is written."""
    monkeypatch.setattr("tests.support.hub_server.etag_of", lambda *_: name)
    with serve_hub({"math-ai/aime25": {"test.jsonl": to_jsonl(AIME_ROWS)}}) as (endpoint, requested):
        done = checkout.run(endpoint, "fetch", "aime25")
    assert done.returncode == 1
    [line] = done.stderr.strip().split("\n")[-1:]
    assert "could leave its cache; nothing was downloaded" in line
    assert not any(path.startswith("GET /datasets") and path.endswith("test.jsonl") for path in requested)
    assert not list(checkout.folder.rglob("*escaped*"))
