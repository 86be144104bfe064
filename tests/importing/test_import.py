"""Responses of other toolkits: told by their rows, joined to problems, checked, and written as files of ours."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tools.benchmarks.problems import load_benchmark
from tools.errors import DataError, StorageError, UsageError
from tools.grading.responses import find_folder
from tools.importing.convert import Imported, convert, find_inputs
from tools.store.foreign import ForeignFormat, recognize
from tools.store.generations import read_folder

LOADED = load_benchmark("aime_sample")
PROBLEMS = LOADED.problems[:3]
TEXT = "Sum it.\n</think>\nIt is \\boxed{1}."


def said(problem: Any, number: int) -> str:
    return f"{problem.task_id} {number}: {TEXT}"


def chat(text: str, **more: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": "Solve."}, {"role": "assistant", "content": text, **more}]


# name of the file -> rows of three problems with two samples each, in one or two files
LAYOUTS: dict[str, Callable[[], dict[str, list[Any]]]] = {
    "nemo-skills": lambda: {
        f"output-rs{seed}.jsonl": [
            {"problem": one.statement, "expected_answer": one.answer, "generation": said(one, seed)} for one in PROBLEMS
        ]
        for seed in (0, 1)
    },
    "lm-eval": lambda: {
        "samples_aime24_2025.jsonl": [
            {"doc_id": row, "doc": {"Problem": one.statement}, "target": one.answer, "filter": name,
             "resps": [[said(one, 0), said(one, 1)]], "filtered_resps": ["1"]}
            for name in ("none", "flexible")
            for row, one in enumerate(PROBLEMS)
        ]
    },
    "openai-batch": lambda: {
        "batch_output.jsonl": [
            {"custom_id": one.task_id, "error": None, "response": {"status_code": 200, "body": {"choices": [
                {"message": {"role": "assistant", "content": said(one, place)}, "finish_reason": "stop"}
                for place in (0, 1)]}}}
            for one in PROBLEMS
        ]
    },
    "matharena": lambda: {
        "outputs.jsonl": [
            {"problem_idx": row + 1, "messages": [chat(said(one, 0)), chat(said(one, 1))]}
            for row, one in enumerate([*PROBLEMS, *LOADED.problems[3:]])
        ]
    },
    "evalchemy": lambda: {
        "results_2025.json": [
            {"results": {"AIME24": {"examples": [
                {"id": one.task_id, "expected_answer": one.answer, "model_outputs": [said(one, 0), said(one, 1)]}
                for one in PROBLEMS]}}}
        ]
    },
    "plain": lambda: {
        "mine.jsonl": [{"task_id": one.task_id, "output": [said(one, 0), said(one, 1)]} for one in PROBLEMS]
    },
}  # fmt: skip


def write(folder: pathlib.Path, files: dict[str, list[Any]]) -> pathlib.Path:
    folder.mkdir()
    for name, rows in files.items():
        text = json.dumps(rows[0]) if name.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
        (folder / name).write_text(text)
    return folder


def imported(path: pathlib.Path, out: pathlib.Path) -> Imported:
    return convert(find_inputs([path], None), LOADED, out)


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_a_folder_of_each_toolkit_becomes_one_of_ours(tmp_path: pathlib.Path, name: str) -> None:
    folder, out = write(tmp_path / "theirs", LAYOUTS[name]()), tmp_path / "ours"
    done = imported(folder, out)
    assert (done.formats, done.seeds, done.failed) == ((ForeignFormat(name),), (0, 1), 0)
    texts = {(one.task_id, one.seed): one.output for one in read_folder(out)}
    assert {(one.task_id, seed): said(one, seed) for one in PROBLEMS for seed in (0, 1)}.items() <= texts.items()
    assert len(texts) == done.samples


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_a_grading_calls_it_by_its_name_and_names_the_command(tmp_path: pathlib.Path, name: str) -> None:
    folder = write(tmp_path / "theirs", LAYOUTS[name]())
    first = sorted(folder.iterdir())[0]
    for path in (folder, first):
        with pytest.raises(StorageError) as error:
            find_folder(path, None)
        assert ForeignFormat(name).words in str(error.value)
        assert "python -m tools import" in str(error.value)
    if first.suffix == ".jsonl":
        first.rename(folder / "seed0.jsonl")
        with pytest.raises(StorageError) as error:
            list(read_folder(find_folder(folder, None)))
        assert ForeignFormat(name).words in str(error.value)
        assert "delete this line" not in str(error.value)


def test_row_numbers_in_any_writing_find_their_problems(tmp_path: pathlib.Path) -> None:
    rows = [{"task_id": f"aime_sample/{row}", "output": said(one, 0)} for row, one in enumerate(PROBLEMS)]
    imported(write(tmp_path / "theirs", {"seed5.jsonl": rows}), tmp_path / "ours")
    assert [(one.task_id, one.seed) for one in read_folder(tmp_path / "ours")] == [(one.task_id, 5) for one in PROBLEMS]


def test_another_benchmark_is_refused_by_its_references_or_its_ids(tmp_path: pathlib.Path) -> None:
    wrong = [{"problem": one.statement, "expected_answer": "77777", "generation": "x"} for one in PROBLEMS]
    with pytest.raises(DataError, match="its reference is '77777'"):
        imported(write(tmp_path / "a", {"output-rs0.jsonl": wrong}), tmp_path / "ours")
    stranger = [{"id": "abc300_a", "generation": "x"}]
    with pytest.raises(DataError, match="'abc300_a' is no problem of aime_sample"):
        imported(write(tmp_path / "b", {"output-rs0.jsonl": stranger}), tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_errors_of_a_server_are_missing_samples_and_reasoning_is_kept(tmp_path: pathlib.Path) -> None:
    first, second, _ = PROBLEMS
    message = {"content": "It is 1.", "reasoning_content": "Sum it."}
    rows = [
        {"custom_id": first.task_id, "response": None, "error": {"message": "overloaded"}},
        {
            "custom_id": second.task_id,
            "response": {"body": {"choices": [{"message": message, "finish_reason": "length"}]}},
        },
    ]
    done = imported(write(tmp_path / "theirs", {"b.jsonl": rows}), tmp_path / "ours")
    [one] = read_folder(tmp_path / "ours")
    assert done.failed == 1
    assert (one.output, one.finish_reason) == ("<think>\nSum it.\n</think>\n\nIt is 1.", "length")


def test_a_folder_with_responses_is_never_written_over(tmp_path: pathlib.Path) -> None:
    folder = write(tmp_path / "theirs", LAYOUTS["plain"]())
    imported(folder, tmp_path / "ours")
    with pytest.raises(UsageError, match="holds responses already"):
        imported(folder, tmp_path / "ours")


@pytest.mark.parametrize(
    "row", [{"task_id": "1", "output": "x"}, {"task_id": 1, "generation": "x", "seed": None}, {}, [], 5, {"id": "1"}]
)
def test_our_rows_and_odd_ones_are_no_foreign_format(row: Any) -> None:
    assert recognize(row) is None


def test_the_commands_run(tmp_path: pathlib.Path, run_script: Any) -> None:
    folder = write(tmp_path / "theirs", LAYOUTS["plain"]())
    out = tmp_path / "aime_sample"
    done = run_script("python", "-m", "tools", "import", folder, "--to", out, "--benchmark", "aime_sample")
    assert done.returncode == 0, done.stderr
    assert "6 responses to 3 of 20 problems, seeds 0 1" in done.stdout
    golds = tmp_path / "mine.jsonl"
    golds.write_text('{"problem": "a", "answer": "204"}\n{"problem": "b", "answer": "\\\\frac{}{2}"}\n')
    checked = run_script("python", "-m", "tools", "check-golds", golds)
    assert checked.returncode == 1
    assert "problem 1: " in checked.stdout
    assert "1 of 2 reference answers" in checked.stdout
