"""The front door for code: from generation files to results, with everything that can be wrong with the files."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
GOOD = "print(int(input()) * 2)"
DATES = ("2024-05-04", "2024-08-31", "2025-03-01")


def write_problems(path: pathlib.Path, count: int = 3) -> pathlib.Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            tests = [{"input": f"{n}\n", "output": f"{2 * n}\n", "testtype": "stdin"} for n in (number, 7)]
            row = {
                "question_id": f"p{number}", "question_content": "double", "difficulty": "easy", "platform": "atcoder",
                "contest_date": DATES[number % 3] + "T00:00:00", "starter_code": "", "metadata": "{}",
                "public_test_cases": json.dumps(tests[:1]), "private_test_cases": json.dumps(tests[1:]),
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")
    return path


def answer(code: str) -> str:
    return f"hm</think>So:\n```python\n{code}\n```\n"


def write_answers(folder: pathlib.Path, seed: int, codes: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"seed{seed}.jsonl").open("w", encoding="utf-8") as file:
        for task_id, code in codes.items():
            file.write(json.dumps({"task_id": task_id, "output": answer(code)}) + "\n")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    write_problems(tmp_path / "doubles.jsonl")
    write_answers(tmp_path / "out", 100, {"p0": GOOD, "p1": GOOD, "p2": "print(1)"})
    write_answers(tmp_path / "out", 200, {"p0": GOOD, "p1": "print(", "p2": "raise OSError"})
    return tmp_path / "out"


def grade(run_script: Any, folder: pathlib.Path, *options: str, env: dict[str, str] | None = None) -> Any:
    questions = str(folder.parent / "doubles.jsonl")
    return run_script("python", "evaluate_livecodebench.py", "-g", str(folder), "-q", questions, *options, env=env)


def results_of(folder: pathlib.Path) -> dict[str, Any]:
    return dict(json.loads((folder / "accuracy_results.json").read_text(encoding="utf-8")))


def verdicts_of(folder: pathlib.Path) -> dict[tuple[str, int], str]:
    lines = (folder / "verdicts.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    return {(row["task_id"], row["seed"]): row["verdict"] for row in rows}


def test_a_folder_is_graded_with_all_its_numbers(run_script: Any, folder: pathlib.Path) -> None:
    done = grade(run_script, folder)
    assert done.returncode == 0, done.stderr
    results = results_of(folder)
    assert results["avg_at_k"] == 0.5
    assert results["pass_at_k"] == {"1": 0.5, "2": pytest.approx(2 / 3)}
    assert [row["correct"] for row in results["detailed_results"]] == [2, 1]
    assert results["breakdowns"]["month"].keys() == {"2024-05", "2024-08", "2025-03"}
    assert results["breakdowns"]["month"]["2024-05"]["accuracy"] == 1.0
    assert results["sandbox"]["is_safe"]
    assert results["timing"] == {"hangs_on_time": [], "score_range": [0.5, 0.5]}
    assert verdicts_of(folder) == {
        ("p0", 100): "correct", ("p1", 100): "correct", ("p2", 100): "wrong",
        ("p0", 200): "correct", ("p1", 200): "compile_error", ("p2", 200): "runtime_error",
    }  # fmt: skip
    assert "2024-08" in done.stdout
    assert "sandbox: holds" in done.stdout


def test_a_killed_grading_continues_where_it_was(tmp_path: pathlib.Path, run_script: Any) -> None:
    write_problems(tmp_path / "doubles.jsonl", 20)
    slow = f"import time, os\nt = time.process_time()\nwhile time.process_time() - t < 0.05: pass\n{GOOD}"
    write_answers(tmp_path / "out", 1, {f"p{n}": slow for n in range(20)})
    folder = tmp_path / "out"
    command = [
        sys.executable,
        "evaluate_livecodebench.py",
        "-g",
        str(folder),
        "-q",
        str(tmp_path / "doubles.jsonl"),
        "-w",
        "1",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = folder / "verdicts.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not path.exists() or path.read_bytes().count(b"\n") < 5):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = path.read_text(encoding="utf-8").split("\n")[:4]
    with path.open("a", encoding="utf-8") as file:
        file.write('{"task_id": "p19", "se')  # as a write cut in the middle leaves it
    assert grade(run_script, folder).returncode == 0
    lines = path.read_text(encoding="utf-8").split("\n")
    assert set(kept) <= set(lines)  # times and all: these were not graded again
    assert len(verdicts_of(folder)) == 20
    assert results_of(folder)["avg_at_k"] == 1.0


def test_verdicts_of_other_programs_or_limits_are_not_kept(run_script: Any, folder: pathlib.Path) -> None:
    burns = f"import time\nuntil = time.process_time() + 0.4\nwhile time.process_time() < until: pass\n{GOOD}"
    write_answers(folder, 100, {"p0": GOOD, "p1": GOOD, "p2": burns})
    grade(run_script, folder)
    assert verdicts_of(folder)["p2", 100] == "correct"
    write_answers(folder, 100, {"p0": "print(1)", "p1": GOOD, "p2": burns})
    assert grade(run_script, folder, "--timeout", "0.1").returncode == 0
    assert verdicts_of(folder)["p0", 100] == "wrong"
    assert verdicts_of(folder)["p1", 100] == "correct"
    assert verdicts_of(folder)["p2", 100] == "timeout"


def test_two_gradings_of_one_folder_do_not_mix(run_script: Any, folder: pathlib.Path) -> None:
    import fcntl

    with (folder / "verdicts.jsonl").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = grade(run_script, folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is being graded by another process" in done.stderr


def test_an_incomplete_run_is_no_score(run_script: Any, folder: pathlib.Path) -> None:
    write_answers(folder, 200, {"p0": GOOD})
    done = grade(run_script, folder)
    assert done.returncode == 1
    assert done.stderr.startswith("error: doubles: 2 of 6 samples are missing")
    assert grade(run_script, folder, "--allow-incomplete").returncode == 0
    assert not results_of(folder)["complete"]
    assert grade(run_script, folder, "--seeds", "100").returncode == 0
    assert results_of(folder)["seeds"] == [100]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-t", "0"], "--timeout 0 is not between"),
        (["-w", "0"], "--workers 0 is not between"),
        (["-s", "a b"], "--seeds 'a b' is not a list"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_wrong_options_are_one_line_and_exit_2(
    run_script: Any, folder: pathlib.Path, options: list[str], message: str
) -> None:
    done = grade(run_script, folder, *options)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr


def test_wrong_folders_and_files_are_one_line(run_script: Any, folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    script = ("python", "evaluate_livecodebench.py")
    empty = tmp_path / "empty"
    empty.mkdir()
    other = write_problems(tmp_path / "other.jsonl")
    other.write_text(other.read_text(encoding="utf-8").replace('"p', '"q'), encoding="utf-8")
    damaged = tmp_path / "damaged.jsonl"
    damaged.write_text("{", encoding="utf-8")
    for arguments, message in (
        (["-g", str(tmp_path / "nowhere")], "no such folder"),
        (["-g", str(empty)], "no file named seed<N>.jsonl there"),
        (["-g", str(folder), "-q", str(tmp_path / "nofile.jsonl")], "no such problem file"),
        (["-g", str(folder), "-q", str(damaged)], "line 1: not JSON"),
        (["-g", str(folder), "-q", str(other)], "belong to another set"),
        ([], "give the folder"),
    ):
        done = run_script(*script, *arguments)
        assert done.returncode in (1, 2), message
        assert done.stderr.count("\n") == 1, done.stderr
        assert message in done.stderr


def test_responses_to_unknown_problems_are_counted_and_nothing_else_is_lost(
    run_script: Any, folder: pathlib.Path
) -> None:
    with (folder / "seed100.jsonl").open("a") as file:
        file.write(json.dumps({"task_id": "elsewhere", "output": "x"}) + "\n")
    assert grade(run_script, folder).returncode == 0
    results = results_of(folder)
    assert results["avg_at_k"] == 0.5
    assert not results["claimable"]
    assert "elsewhere" in results["not_claimable_because"][0]


def test_bad_responses_and_damaged_tests_have_their_verdicts(run_script: Any, tmp_path: pathlib.Path) -> None:
    path = write_problems(tmp_path / "doubles.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    rows[2]["private_test_cases"] = "gASVcorrupt"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    folder = tmp_path / "out"
    write_answers(folder, 1, {"p2": GOOD})
    with (folder / "seed1.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"task_id": "p0", "output": "never closed <think>" + answer(GOOD)[8:]}) + "\n")
        file.write(json.dumps({"task_id": "p1", "generation": "\x00\x01</think>```python\n\x00```"}) + "\n")
    done = grade(run_script, folder)
    assert done.returncode == 0, done.stderr
    assert verdicts_of(folder) == {("p0", 1): "truncated", ("p1", 1): "compile_error", ("p2", 1): "grader_error"}
    assert not results_of(folder)["claimable"]


def test_without_protection_it_refuses_or_says_so(run_script: Any, folder: pathlib.Path) -> None:
    weak = {"SANDBOX_WITHOUT": "seccomp"}
    done = grade(run_script, folder, env=weak)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "seccomp does not hold" in done.stderr
    assert grade(run_script, folder, "--unsafe-no-sandbox", env=weak).returncode == 0
    results = results_of(folder)
    assert results["sandbox"]["missing"] == ["seccomp"]
    assert not results["claimable"]


def test_the_original_s_rules_count_what_differs(run_script: Any, folder: pathlib.Path) -> None:
    write_answers(folder, 100, {"p0": GOOD, "p1": "print(int(input()) * 2 + 1e-9)", "p2": GOOD})
    with (folder / "seed200.jsonl").open("w") as file:
        for task_id in ("p0", "p1", "p2"):
            file.write(json.dumps({"task_id": task_id, "output": f"```python\n{GOOD}\n```"}) + "\n")
    (folder / "manifest.json").write_text(json.dumps({"settings": {}, "is_reasoning_opened_by_prompt": False}))
    assert grade(run_script, folder).returncode == 0
    assert results_of(folder)["avg_at_k"] == pytest.approx(5 / 6)
    assert grade(run_script, folder, "--grader", "original").returncode == 0
    results = results_of(folder)
    assert results["avg_at_k"] == 0.5  # what has no </think> fails there
    assert results["grader"]["differs_from_original"] == 4


def test_the_sample_set_is_graded_as_labelled(tmp_path: pathlib.Path, run_script: Any) -> None:
    solutions = ROOT / "data" / "livecodebench_sample_solutions.jsonl"
    if not solutions.exists():
        pytest.skip("the sample set is not in this checkout")
    rows = [json.loads(line) for line in solutions.read_text(encoding="utf-8").split("\n") if line]
    rows = [row for row in rows if row["expected"] != "timeout"]
    names = {"wrong_answer": "wrong"}
    from tools.code_verifier import verify_many

    problems = (ROOT / "data" / "livecodebench_sample.jsonl").read_text(encoding="utf-8").split("\n")
    found = verify_many([json.loads(line) for line in problems if line], rows, 2)
    expected = {row["solution_id"]: names.get(row["expected"], row["expected"]) for row in rows}
    assert {row["solution_id"]: row["status"] for row in found} == expected


def test_calibration_reports_a_factor(run_script: Any) -> None:
    done = run_script("python", "evaluate_livecodebench.py", "--calibrate")
    assert done.returncode == 0
    assert "times the reference's CPU time" in done.stdout
