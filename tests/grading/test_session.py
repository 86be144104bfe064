"""evaluate_aime.py on folders of responses: right verdicts, true denominators, and one line for what is wrong."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tools.errors import IncompleteRun, StorageError
from tools.grading.grader import GradingOptions
from tools.grading.session import grade
from tools.records import Grade
from tools.results.build import read_results

ANSWERS = {"a": "204", "b": "33", "c": "7"}


@pytest.fixture
def dataset(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "threes.jsonl"
    path.write_text(
        "".join(json.dumps({"id": name, "problem": "?", "answer": answer}) + "\n" for name, answer in ANSWERS.items())
    )
    return path


def write_run(folder: pathlib.Path, outputs: dict[int, dict[str, str]], **manifest: object) -> pathlib.Path:
    folder.mkdir(exist_ok=True)
    for seed, by_id in outputs.items():
        rows = [json.dumps({"task_id": name, "output": text, "seed": seed}) + "\n" for name, text in by_id.items()]
        (folder / f"seed{seed}.jsonl").write_text("".join(rows))
    if manifest:
        (folder / "manifest.json").write_text(json.dumps({"settings": {}, **manifest}))
    return folder


def right(seed: int = 0) -> dict[str, str]:
    return {name: f"thinking {seed}</think>So \\boxed{{{answer}}}." for name, answer in ANSWERS.items()}


def verdicts(folder: pathlib.Path) -> dict[tuple[str, int], Grade]:
    rows = [Grade.from_row(json.loads(line)) for line in (folder / "verdicts.jsonl").read_text().split("\n") if line]
    return {(row.task_id, row.seed): row for row in rows}


def test_right_answers_score_one(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right(1), 2: right(2)})
    results = grade(folder, str(dataset))
    assert results.score.mean == 1.0
    assert [row.accuracy for row in read_results(folder).by_seed] == [1.0, 1.0]
    assert results.maj_at_k.means[2] == 1.0


def test_rows_join_by_key_in_any_order(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: dict(reversed(right().items()))})
    assert grade(folder, str(dataset)).score.mean == 1.0


def test_a_lost_row_is_incomplete_and_no_score(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: {"a": right()["a"]}})
    with pytest.raises(IncompleteRun, match=r"2 of 3 samples are missing \(problem b seed 1"):
        grade(folder, str(dataset))
    assert not (folder / "accuracy_results.json").exists()


def test_half_the_seeds_missing_is_said_and_allowed_only_by_name(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right()}, plan={"seeds": [1, 2], "task_ids": list(ANSWERS)})
    with pytest.raises(IncompleteRun, match="seed 2"):
        grade(folder, str(dataset))
    results = grade(folder, str(dataset), GradingOptions(allow_incomplete=True))
    assert [(row.seed, row.correct, row.total) for row in results.by_seed] == [(1, 3, 3)]
    assert not results.is_complete
    assert not results.is_claimable


def test_a_box_in_reasoning_that_is_cut_off_is_truncated_not_an_answer(tmp_path, dataset):
    outputs = {1: {**right(), "a": "maybe \\boxed{204}, let me check"}, 2: right()}
    folder = write_run(tmp_path / "run", outputs)
    results = grade(folder, str(dataset))
    graded = verdicts(folder)["a", 1]
    assert graded.verdict == "truncated"
    assert graded.is_correct_in_reasoning
    assert results.sections["would_differ_read_anywhere"] == 1
    anywhere = grade(folder, str(dataset), GradingOptions(grader={"answer_from": "anywhere"}))
    assert anywhere.score.mean == 1.0


def test_the_manifest_says_that_prompts_open_the_reasoning(tmp_path, dataset):
    outputs = {1: dict.fromkeys(ANSWERS, "maybe \\boxed{204}")}
    folder = write_run(tmp_path / "run", outputs, is_reasoning_opened_by_prompt=True)
    grade(folder, str(dataset))
    assert {graded.verdict for graded in verdicts(folder).values()} == {"truncated"}


def test_a_model_without_reasoning_is_graded_on_its_whole_text(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: {name: f"It is \\boxed{{{answer}}}" for name, answer in ANSWERS.items()}})
    assert grade(folder, str(dataset)).score.mean == 1.0


def test_an_unfinished_last_box_is_truncated_and_no_earlier_box_wins(tmp_path, dataset):
    outputs = {1: {**right(), "a": "x</think>First \\boxed{204}, but no: \\boxed{20"}}
    folder = write_run(tmp_path / "run", outputs)
    grade(folder, str(dataset))
    assert verdicts(folder)["a", 1].verdict == "truncated"


def test_a_box_with_a_space_is_a_box(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: {**right(), "a": "The \\boxed command.</think>So \\boxed {204}"}})
    assert grade(folder, str(dataset)).score.mean == 1.0


def test_an_answer_like_line_in_the_reasoning_is_no_answer(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: {**right(), "a": "The answer is **204**\nis \\(204\\)</think>I give up."}})
    grade(folder, str(dataset), GradingOptions(grader={"comparison": "integer"}))
    assert verdicts(folder)["a", 1].verdict == "no_answer"


def test_two_seeds_with_the_same_texts_are_warned_of(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right(1), 2: right(1), 3: right(3)})
    results = grade(folder, str(dataset))
    assert results.sections["identical_samples"] == 3
    assert any("seeds 1 and 2 gave the same text for every problem" in warning for warning in results.warnings)


def test_a_single_text_that_comes_twice_is_counted_and_no_alarm(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right(1), 2: {**right(2), "a": right(1)["a"]}})
    results = grade(folder, str(dataset))
    assert results.sections["identical_samples"] == 1
    assert not any("is the seed used" in warning for warning in results.warnings)


def test_truncated_and_thinking_shares_stand_in_the_headline(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: {**right(), "a": "still thinking"}, 2: right()})
    results = grade(folder, str(dataset))
    assert "16.7 % truncated" in results.headline
    assert results.reasoning.closed_share == pytest.approx(5 / 6)


def test_every_score_says_how_many_samples_problems_and_which_cap(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right(), 2: right()}, settings={"max_new_tokens": 512})
    headline = grade(folder, str(dataset)).headline
    assert headline.startswith("avg@2 = 100.0 % (3 problems, 2 seeds, threes, cap 512 tokens)")


def test_the_same_sample_twice_with_other_text_is_an_error_and_with_the_same_text_is_one(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right()})
    with (folder / "0to3_seed1.jsonl").open("w") as file:
        file.write(json.dumps({"task_id": "a", "output": right()["a"]}) + "\n")
    assert grade(folder, str(dataset)).by_seed[0].total == 3
    (folder / "0to3_seed1.jsonl").write_text(json.dumps({"task_id": "a", "output": "other"}) + "\n")
    with pytest.raises(StorageError, match="stands there twice"):
        grade(folder, str(dataset))


def test_responses_made_from_another_file_of_the_same_name_are_refused(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right()}, data={"sha256": "0" * 64})
    with pytest.raises(StorageError, match="made from a file with sha256 000000000000"):
        grade(folder, str(dataset))


def test_files_of_the_original_are_graded_by_row_number(tmp_path, data_dir):
    rows = [json.loads(line) for line in (data_dir / "aime24.jsonl").read_text(encoding="utf-8").split("\n") if line]
    folder = tmp_path / "original"
    folder.mkdir()
    with (folder / "0to30_seed100.jsonl").open("w") as file:
        for index, row in enumerate(rows):
            file.write(json.dumps({"task_id": index, "output": f"hm</think>**{int(row['answer'])}**"}) + "\n")
    assert grade(folder, str(data_dir / "aime24.jsonl")).score.mean == 1.0


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_takes_the_originals_option_names(tmp_path, dataset, run_script):
    folder = write_run(tmp_path / "run", {1: right(), 2: right()})
    for first, second in (
        ("--modelfolder", "--dataset"),
        ("--modelfolder", "--test_data"),
        ("--generation-path", "--question-path"),
    ):
        done = run_script("python", "evaluate_aime.py", first, folder, second, dataset)
        assert done.returncode == 0, done.stderr
        assert "100.0" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "--modelfolder"),
        (["--modelfolder", "{tmp}/nowhere", "--dataset", "{data}"], 1, "no such folder"),
        (["--modelfolder", "{tmp}", "--dataset", "{data}"], 1, "no file named seed<N>.jsonl"),
        (["--modelfolder", "{run}", "--dataset", "{tmp}/none.jsonl"], 1, "no such problem file"),
        (["--modelfolder", "{run}", "--dataset", "aime_sample"], 1, "belong to another set"),
        (["--modelfolder", "{run}", "--dataset", "{data}", "--seeds", "x"], 2, "--seeds"),
        (["--modelfolder", "{run}", "--dataset", "{data}", "--seeds", "1 9"], 1, "seed 9"),
    ],
)
def test_wrong_commands_end_in_one_line_and_leave_nothing(tmp_path, dataset, run_script, words, code, message):
    run = write_run(tmp_path / "run", {1: right()})
    before = sorted(run.iterdir())
    done = run_script(
        "python", "evaluate_aime.py", *(word.format(tmp=tmp_path, run=run, data=dataset) for word in words)
    )
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(run.iterdir()) == before


def test_a_damaged_line_in_the_middle_is_one_line_of_error(tmp_path, dataset, run_script):
    run = write_run(tmp_path / "run", {1: right()})
    lines = (run / "seed1.jsonl").read_text().split("\n")
    (run / "seed1.jsonl").write_text("\n".join([lines[0], lines[1][:9], lines[2], ""]))
    done = run_script("python", "evaluate_aime.py", "--modelfolder", run, "--dataset", dataset)
    assert done.returncode == 1
    assert "seed1.jsonl, line 2: damaged" in done.stderr
    assert done.stderr.count("\n") == 1


def test_grading_integers_and_help_load_no_heavy_package(tmp_path, dataset):
    folder = write_run(tmp_path / "run", {1: right(), 2: right()})
    check = (
        "import sys, runpy; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path('evaluate_aime.py', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'vllm', 'sympy', 'transformers', 'antlr4', 'ray', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    for words in (["--help"], ["--modelfolder", str(folder), "--dataset", str(dataset)]):
        done = subprocess.run(
            [sys.executable, "-c", check, "evaluate_aime.py", *words], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "script", ["run_aime.sh", "generate_aime.sh", "run_livecodebench.sh", "generate_livecodebench.sh"]
)
def test_help_of_the_shell_doors_fits_80_columns(script, run_script):
    done = run_script("bash", script, "--help", env={"COLUMNS": "80"})
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: bash {script} MODEL")
    assert "--out-seq-len" in done.stdout
    assert max(map(len, done.stdout.split("\n"))) <= 80


@pytest.mark.parametrize("script", ["evaluate_aime.py", "evaluate_livecodebench.py", "inference.py"])
def test_help_fits_80_columns_and_loads_little(script):
    done = subprocess.run(
        [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, env={"COLUMNS": "80"}
    )
    assert done.returncode == 0
    assert max(map(len, done.stdout.split("\n"))) <= 80
    code = f"import runpy, sys\nsys.argv = [{script!r}, '--help']\ntry: runpy.run_path({script!r}, run_name='__main__')\nexcept SystemExit: pass\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "sympy", "torch", "vllm", "transformers", "datasets", "tqdm"} & set(
        loaded.split("\n")[-2].split()
    )
