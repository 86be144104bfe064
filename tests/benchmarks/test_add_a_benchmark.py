"""docs/add_a_benchmark.md, done as it says: the texts and commands of the page itself are what is tested."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shlex
import sys
from typing import Any

import pytest

from tests.support.doc_pages import DocPage
from tests.support.openai_server import serve_openai
from tools.benchmarks.benchmark import Benchmark, BenchmarkSource, find_benchmark, list_benchmarks, near_names
from tools.benchmarks.problems import load_benchmark
from tools.errors import DataError
from tools.results.build import read_results

PAGE = DocPage("add_a_benchmark")


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """What steps 1 and 2 leave behind."""
    folder = tmp_path / "my_benchmarks"
    folder.mkdir()
    (folder / "weekdays.json").write_text(PAGE.blocks("json")[0])
    (folder / "weekdays.jsonl").write_text(PAGE.blocks("jsonl")[0])
    monkeypatch.setenv("BENCHMARKS_DIR", str(folder))
    monkeypatch.delenv("DATA_DIR", raising=False)
    return folder


@pytest.mark.slow
def test_the_commands_of_the_page_list_check_sample_and_grade_it(folder, run_script, tmp_path):
    env = {"ENGINE": "openai", "TOKENIZER": "data/demo_model", "MODEL_TYPE": "qwen", "SEEDS": "100"}
    printed = []
    with serve_openai() as (url, asked):
        for line in PAGE.blocks("bash")[0].strip().split("\n")[1:]:
            line = line.replace("MODEL", "served").replace("out", str(tmp_path / "out"))
            words = [sys.executable if word == "python" else word for word in shlex.split(line)]
            done = run_script(*words, env={**env, "BENCHMARKS_DIR": str(folder), "OPENAI_BASE_URL": url})
            assert done.returncode == 0, done.stderr
            printed.append(done.stdout)
    listed, fetched, _, graded = printed
    assert re.search(r"^weekdays +2 +math \(integer\) +WeekDays +nothing +CC0", listed, re.MULTILINE)
    assert fetched.startswith("weekdays: 2 problems, ")
    assert len(asked) == 4
    results = read_results(tmp_path / "out" / "weekdays")
    assert (results.subset.count, results.score.mean) == (2, 0.5)
    assert results.labels["topic"] == {"days": "calendar", "hours": "clock"}
    assert "weekdays" in graded


def test_the_entry_is_found_by_name_and_alias_in_any_case(folder):
    for name in ("weekdays", "WeekDays", "WEEKDAYS"):
        assert [problem.task_id for problem in load_benchmark(name).problems] == ["days", "hours"]
    assert "weekdays" in list_benchmarks()
    assert "aime24" in list_benchmarks()


def test_the_page_names_every_field_there_is():
    entry = {field.name for field in dataclasses.fields(Benchmark)} - {"name", "file"}
    assert PAGE.tabled("Fields of an entry") == entry
    assert PAGE.tabled("Problems from the hub") == {field.name for field in dataclasses.fields(BenchmarkSource)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"graders": "math"}, "graders"),
        ({"aliases": "one"}, "aliases is no list"),
        ({"source": {"repo": "us/mine"}}, "repo"),
        ({"source": {}, "label_fields": {}}, "label_fields is no list"),
        ({"aliases": ["AIME_2024"]}, "'aime_2024' is a name of aime24 already"),
    ],
)
def test_a_damaged_entry_is_one_line_with_its_file(folder, change: dict[str, Any], message: str):
    path = folder / "weekdays.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=message) as caught:
        list_benchmarks()
    assert "weekdays" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aime2024", "aime_2024 (aime24)"),
        ("weekday", "weekdays"),
        ("MATH50", "math500"),
        ("livecodebnch", "livecodebench"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(folder, name: str, expected: str):
    assert expected in near_names(name)
    with pytest.raises(DataError, match="did you mean") as caught:
        load_benchmark(name)
    assert expected in str(caught.value)


def test_a_name_like_no_other_is_told_with_all_of_them(folder):
    with pytest.raises(
        DataError, match=r"no such problem file; give a JSONL file or one of the benchmarks: .*aime24"
    ) as caught:
        load_benchmark("zzzz")
    assert "weekdays" in str(caught.value)


def test_a_folder_of_entries_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("BENCHMARKS_DIR", "/nowhere")
    with pytest.raises(DataError, match="BENCHMARKS_DIR"):
        find_benchmark("aime24")


@pytest.mark.parametrize(
    ("alias", "name"),
    {
        "AIME24": "aime24",
        "AIME25": "aime25",
        "AMC23": "amc23",
        "MATH500": "math500",
        "GPQADiamond": "gpqa_diamond",
        "HumanEval": "humaneval",
        "MBPP": "mbpp",
        "LiveCodeBench": "livecodebench",
    }.items(),
)
def test_names_of_evalchemy_are_known(alias: str, name: str):
    assert find_benchmark(alias).name == name


def test_a_file_of_ones_own_is_not_taken_for_an_alias(tmp_path):
    path = tmp_path / "MATH-500.jsonl"
    path.write_text('{"problem": "1+1", "answer": "2"}\n')
    assert load_benchmark(path).benchmark.problems is None


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [(["fetch"], 2, "needs names"), (["a", "b"], 2, "several words"), (["zzzz"], 2, "no benchmark has 'zzzz'")],
)
def test_wrong_commands_are_one_line(run_script, words: list[str], code: int, message: str):
    done = run_script("python", "-m", "tools.benchmarks", *words)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert message in done.stderr
