"""Several benchmarks with one command: one load of the model, each graded, a failing one named; and evaluate.py alone."""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.real_runs import SCRIPTED
from tools.benchmarks.benchmark import list_benchmarks
from tools.errors import UsageError
from tools.results.build import read_results
from tools.sampling.suites import SUITES, find_suite, parse_suite

SUITE = (
    "--benchmarks",
    "aime_sample,livecodebench_sample",
    "--limit",
    "4",
    "--seeds",
    "100",
    "--samples-per-seed",
    "2",
)
FILES = ("seed100.jsonl", "seed101.jsonl", "accuracy_results.json")


def run(run_script: Any, out: pathlib.Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = run_script(
        "bash", "run_benchmarks.sh", "any/name", out, *options, env={"ENGINE": SCRIPTED, "GPUS": "1", **env}
    )
    return done


def test_two_kinds_of_benchmarks_with_one_load(tmp_path: pathlib.Path, run_script: Any) -> None:
    out = tmp_path / "out"
    done = run(run_script, out, *SUITE)
    assert done.returncode == 0, done.stderr
    assert [read_results(out / name).subset.count for name in ("aime_sample", "livecodebench_sample")] == [4, 4]
    table = done.stdout.splitlines()
    assert table[0].split() == [
        "benchmark",
        "metric",
        "k",
        "score",
        "95",
        "%",
        "interval",
        "sampling",
        "problems",
        "cut",
    ]
    assert [line.split()[0] for line in table[2:4]] == ["aime_sample", "livecodebench_sample"]
    assert (out / "report.html").is_file()
    assert len(list((out / "logs").glob("*.log"))) == 1  # one worker for both


def test_a_benchmark_that_cannot_be_graded_is_named_and_the_other_has_its_score(
    tmp_path: pathlib.Path, run_script: Any
) -> None:
    out = tmp_path / "out"
    assert run(run_script, out, *SUITE).returncode == 0
    lines = (out / "aime_sample" / "seed100.jsonl").read_text().splitlines(keepends=True)
    (out / "aime_sample" / "seed100.jsonl").write_text("".join(lines[:-1]))
    done = run_script("python", "evaluate.py", out)
    assert done.returncode == 1
    assert "error: aime_sample has no score: aime_sample: 1 of 8 samples are missing" in done.stderr
    assert "livecodebench_sample" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--benchmarks", "aime_sample,ifeval24x"), "error: ifeval24x: no such problem file; "),
        ((), "error: no benchmarks; name some with --benchmarks aime24,ifeval or --config SUITE"),
        (("--config", "quik"), "error: --config quik: no such file; give a YAML file, or one of the suites "),
        (
            ("--benchmarks", "aime_sample,AIME_sample"),
            "error: DATASETS='aime_sample,AIME_sample' names a benchmark twice",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_nothing_is_written(
    options: tuple[str, ...], message: str, tmp_path: pathlib.Path, run_script: Any
) -> None:
    done = run(run_script, tmp_path / "out", *options)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--benchmarks", "math500"), 2, "has no responses to math500; it has aime_sample, livecodebench_sample"),
        (("--benchmarks", "aime_sampel"), 2, "there is no benchmark of this name; did you mean aime_sample"),
        (
            ("--comparison", "choice", "--benchmarks", "livecodebench_sample"),
            2,
            "no benchmark of this run is graded with",
        ),
        (("-g", "somewhere"), 2, "give a run's folder alone"),
    ],
)
def test_evaluate_refuses_before_it_grades(
    options: tuple[str, ...], code: int, message: str, tmp_path: pathlib.Path, run_script: Any
) -> None:
    for name in ("aime_sample", "livecodebench_sample"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "seed1.jsonl").write_text('{"task_id": "x", "output": "y"}\n')
    done = run_script("python", "evaluate.py", tmp_path, *options)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*/verdicts.jsonl"))


def test_an_empty_folder_is_one_line(tmp_path: pathlib.Path, run_script: Any) -> None:
    for words in ([tmp_path], ["-g", tmp_path, "-q", "aime_sample"]):
        done = run_script("python", "evaluate.py", *words)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr


def test_a_file_as_its_authors_publish_it_is_read_as_the_benchmark_named(
    tmp_path: pathlib.Path, run_script: Any
) -> None:
    """Rows without an id are named by their number; the file may be a part of the benchmark."""
    file = tmp_path / "test.json"
    file.write_text(
        json.dumps([{"question": "3 + 4?", "answer": "Easy.\n#### 7"}, {"question": "2?", "answer": "#### 2"}])
    )
    folder = tmp_path / "stored"
    folder.mkdir()
    rows = [{"task_id": str(number), "output": f"So.\n#### {answer}"} for number, answer in enumerate((7, 3))]
    (folder / "seed0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run_script("python", "evaluate.py", "-g", folder, "-q", file, "--benchmark", "gsm8k", "--allow-incomplete")
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    assert [(row["task_id"], row["verdict"], row["score"]) for row in verdicts] == [
        ("0", "correct", 1.0),
        ("1", "wrong", 0.0),
    ]
    assert "test-" in done.stdout
    assert "has 2 problems where gsm8k has 1319" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_ends_with_equal_files(tmp_path: pathlib.Path, run_script: Any) -> None:
    whole = tmp_path / "whole"
    assert run(run_script, whole, *SUITE).returncode == 0
    generator, cut = random.Random(7), tmp_path / "cut"
    env = {**os.environ, "ENGINE": SCRIPTED, "GPUS": "1", "SCRIPT_DELAY_S": "0.05"}
    for _ in range(6):
        words = ["bash", "run_benchmarks.sh", "any/name", str(cut), *SUITE]
        child = subprocess.Popen(words, cwd=ROOT, env=env, start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(generator.uniform(0.3, 3.0))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    done = run(run_script, cut, *SUITE)
    assert done.returncode == 0, done.stderr
    for name in ("aime_sample", "livecodebench_sample"):
        for file in FILES[:2]:
            assert (cut / name / file).read_bytes() == (whole / name / file).read_bytes()
        assert read_results(cut / name).score == read_results(whole / name).score


def test_every_suite_names_benchmarks_that_there_are() -> None:
    for path in SUITES.glob("*.yaml"):
        import yaml

        named = yaml.safe_load(path.read_text())["benchmarks"]
        assert set(named) <= set(list_benchmarks()), path.name
        assert find_suite(path.stem) == path


def test_the_command_line_says_more_than_a_suite(tmp_path: pathlib.Path) -> None:
    from tools.sampling.settings import parse_settings

    suite = tmp_path / "mine.yaml"
    suite.write_text("benchmarks: [aime_sample]\nseeds: [7]\ntemperature: 0.9\ntop_k: 5\n")
    words = ["--model", "any/name", "--out", "out", "--config", str(suite), "--temperature", "0.1"]
    settings = parse_settings(words, environ={"TOP_K": "20"})
    assert (settings.benchmarks, settings.seeds["aime_sample"]) == (("aime_sample",), (7,))
    assert (settings.sampling.temperature, settings.sampling.top_k) == (0.1, 20)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no suite"),
        ({"seeds": [1]}, "has no key `benchmarks`"),
        ({"benchmarks": ["a"], "tasks": ["b"]}, "has benchmarks and tasks"),
        ({"benchmarks": [{"name": "a"}]}, "names no benchmark"),
    ],
)
def test_what_is_no_suite_is_said(content: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_suite(content, "mine")
