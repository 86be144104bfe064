"""Judging a run: asked once, continued after kill -9, within a budget, with what does not parse told apart."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.support.judge_server import RunningJudge, serve_judge
from tools.engines.openai import LIST_TIMEOUT_S

PROBLEMS = 12


@contextlib.contextmanager
def serve_folder(folder: pathlib.Path) -> Iterator[str]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class JudgedRun:
    """A folder of responses to questions, and the door that judges it."""

    def __init__(self, folder: pathlib.Path, run_script, judge: RunningJudge) -> None:
        self.folder, self.judge, self._run_script = folder, judge, run_script
        self.out = folder / "out" / "talk"

    def write(self, template: str, texts: list[str], **fields: object) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        entry = {
            "grader": "judge",
            "grader_options": {"template": template},
            "question": "{problem}",
            "samples_per_seed": 1,
        }
        (self.folder / "talk.json").write_text(json.dumps(entry))
        rows = [{"id": str(number), "problem": f"Question {number}?", **fields} for number in range(len(texts))]
        (self.folder / "talk.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        said = [{"task_id": str(number), "output": text, "seed": 1} for number, text in enumerate(texts)]
        (self.out / "seed1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))

    @property
    def words(self) -> list[str]:
        return ["evaluate_aime.py", "-g", str(self.out), "-q", "talk", "--judge", "judge"]

    @property
    def env(self) -> dict[str, str]:
        return {"BENCHMARKS_DIR": str(self.folder), "OPENAI_BASE_URL": self.judge.url, "MAX_RETRIES": "0"}

    def run(self, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self._run_script("python", *self.words, *more, env=self.env | env)

    def results(self) -> dict:
        return json.loads((self.out / "accuracy_results.json").read_text())

    def verdicts(self) -> list[dict]:
        return [json.loads(line) for line in (self.out / "verdicts.jsonl").read_text().splitlines()]

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in (self.out / "judgments.jsonl").read_text().splitlines()]


@pytest.fixture
def judged(tmp_path: pathlib.Path, run_script) -> Iterator[JudgedRun]:
    with serve_judge(tmp_path) as judge:
        yield JudgedRun(tmp_path, run_script, judge)


def test_a_run_is_judged_once_and_says_by_whom_and_for_how_much(judged: JudgedRun) -> None:
    judged.write("single", [f"My thoughts</think>Answer {number}" for number in range(PROBLEMS)])
    done = judged.run("--judge-price", "1,2")
    assert done.returncode == 0, done.stderr
    section = judged.results()["judge"]
    assert (section["name"], section["judgments"], section["failed_parses"]) == ("judge", PROBLEMS, 0)
    assert section["cost_usd"] == pytest.approx(PROBLEMS * (1000 * 1 + 100 * 2) / 1e6)
    assert section["first_date"]
    shown = " ".join(done.stdout.split())
    assert "judged by judge on" in shown
    assert f"{PROBLEMS} judgments, 0.0144 USD, 0 replies not parsed" in shown
    scores = [row["metrics"]["judge_score"] for row in judged.verdicts()]
    assert section["figures"]["mean"] == pytest.approx(sum(scores) / PROBLEMS)
    assert judged.results()["mean"] == pytest.approx(sum(scores) / PROBLEMS / 10)
    assert "pass_at_k" not in judged.results() or not judged.results()["pass_at_k"]
    (judged.out / "verdicts.jsonl").unlink()
    assert judged.run("--judge-price", "1,2").returncode == 0
    assert len(judged.judge.paid()) == PROBLEMS


def test_the_judge_never_sees_the_reasoning(judged: JudgedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    judged.write("single", ["UNREADABLE thoughts</think>A clear answer"])
    assert judged.run().returncode == 0
    assert judged.lines()[0]["reply"].startswith("Well done")


def test_both_orders_are_asked_and_meet_in_one_share(judged: JudgedRun) -> None:
    judged.write("pairwise", [f"Answer {number}" for number in range(PROBLEMS)])
    rows = [{"id": str(number), "output": "No idea.", "generator": "base"} for number in range(PROBLEMS)]
    (judged.out.parent / "base.json").write_text(json.dumps(rows))
    done = judged.run("--judge-baseline", str(judged.out.parent / "base.json"))
    assert done.returncode == 0, done.stderr
    points = {"A": 1.0, "B": 0.0, "C": 0.5}
    for row in judged.verdicts():
        said = {one["order"]: one["said"] for one in row["details"]["judgments"]}
        assert row["score"] == (points[said["BA"]] + 1 - points[said["AB"]]) / 2
    figures = judged.results()["judge"]["figures"]
    assert figures["win_rate"] == pytest.approx(100 * judged.results()["mean"])
    assert len(judged.judge.paid()) == 2 * PROBLEMS


def test_a_reply_that_does_not_parse_is_asked_again_once(judged: JudgedRun) -> None:
    judged.write("single", ["UNREADABLE", "UNREADABLE ONCE", "fine"])
    done = judged.run()
    assert done.returncode == 0, done.stderr
    assert [row["verdict"] == "grader_error" for row in judged.verdicts()] == [True, False, False]
    assert len(judged.judge.paid()) == 5
    assert sorted(row["attempt"] for row in judged.lines()) == [0, 0, 0, 1, 1]
    assert judged.results()["judge"]["failed_parses"] == 3
    assert not judged.results()["claimable"]
    assert judged.run().returncode == 0  # a grader_error is tried again; its replies are there
    assert len(judged.judge.paid()) == 5


def test_an_estimate_asks_nothing_and_writes_nothing(judged: JudgedRun) -> None:
    judged.write("single", [f"Answer {number}" for number in range(PROBLEMS)])
    done = judged.run("--estimate", "--judge-price", "10,30")
    assert done.returncode == 0, done.stderr
    assert f"{PROBLEMS} judgments by judge (single), 0 more are paid already" in done.stdout
    assert "USD" in done.stdout
    assert not judged.judge.paid()
    assert sorted(path.name for path in judged.out.iterdir()) == ["seed1.jsonl"]
    assert "its price is not known" in judged.run("--estimate").stdout


def test_a_budget_stops_before_it_is_passed_and_goes_on_when_raised(judged: JudgedRun) -> None:
    judged.write("single", [f"Answer {number}" for number in range(PROBLEMS)])
    words = ("--judge-price", "100,100", "--judge-concurrency", "2")  # 0.11 USD each, at most 0.22
    done = judged.run(*words, JUDGE_BUDGET_USD="1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: JUDGE_BUDGET_USD=1 is reached: 0.")
    assert "run the same command again" in done.stderr
    paid = len(judged.judge.paid())
    assert 3 <= paid <= 9
    assert sum(row["cost"] for row in judged.lines()) <= 1
    assert not (judged.out / "accuracy_results.json").exists()
    assert judged.run(*words, JUDGE_BUDGET_USD="10").returncode == 0
    assert len(judged.judge.paid()) == PROBLEMS
    done = judged.run(JUDGE_BUDGET_USD="1")
    assert done.returncode == 2
    assert "needs the price of judge" in done.stderr


def test_what_is_missing_is_said_before_anything_is_asked(judged: JudgedRun) -> None:
    judged.write("pairwise", ["Answer"])
    done = judged.run()
    assert done.returncode == 2
    assert "--judge-baseline" in done.stderr
    done = judged._run_script("python", *judged.words[:-2], env=judged.env)
    assert done.returncode == 2
    assert "give --judge MODEL" in done.stderr
    (judged.out.parent / "base.json").write_text('[{"id": "other", "output": "?"}]')
    done = judged.run("--judge-baseline", str(judged.out.parent / "base.json"))
    assert "has no answer to problem 0" in done.stderr
    assert not judged.judge.paid()


def test_a_truncated_answer_costs_nothing(judged: JudgedRun) -> None:
    judged.write("single", ["<think>never ending", "<think>done</think>It is so."])
    assert judged.run().returncode == 0
    assert judged.verdicts()[0]["verdict"] == "truncated"
    assert len(judged.judge.paid()) == 1


def test_where_nothing_is_to_be_judged_the_judge_is_not_waited_for(judged: JudgedRun) -> None:
    judged.write("single", ["<think>Hm"])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        done = judged.run(OPENAI_BASE_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
    assert done.returncode == 0, done.stderr
    assert "still on their way" not in done.stderr
    assert time.monotonic() - began < LIST_TIMEOUT_S


def test_right_and_wrong_by_a_judge(judged: JudgedRun) -> None:
    judged.write("right_wrong", ["It is 7.", "It is 8."], answer="7")
    assert judged.run().returncode == 0
    results = judged.results()
    assert results["judge"]["figures"]["accuracy"] == 100
    assert results["pass_at_k"]


def test_a_server_that_is_down_is_one_line(judged: JudgedRun) -> None:
    judged.write("single", ["Answer"])
    done = judged.run("--judge-base-url", "http://127.0.0.1:9/v1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the server at http://127.0.0.1:9 does not answer")
    assert done.stderr.count("\n") == 1


def test_a_killed_judging_pays_for_nothing_twice(tmp_path: pathlib.Path, run_script) -> None:
    with serve_judge(tmp_path, delay_s=0.1) as judge:
        judged = JudgedRun(tmp_path, run_script, judge)
        judged.write("single", [f"Answer {number}" for number in range(60)])
        command = [sys.executable, str(ROOT / judged.words[0]), *judged.words[1:], "--judge-concurrency", "8"]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | judged.env, stdout=subprocess.DEVNULL)
        while len(judge.paid()) < 20:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert judged.run().returncode == 0
        counts = judge.counts()
        assert len(counts) == 60
        assert set(counts.values()) == {1}
        assert len({row["key"] for row in judged.lines()}) == len(judged.lines()) == 60


def test_two_turns_are_judged_each_and_a_missing_one_is_no_score(judged: JudgedRun) -> None:
    parts = [
        {"turn": 1, "user": "Question: {question_1} Answer: {answer_1} Say for example Rating: [[5]]"},
        {"turn": 2, "user": "Question: {question_2} Answer: {answer_2} Say for example Rating: [[5]]"},
    ]
    template = judged.out.parent / "two_turns.json"
    judged.write("single", ["x", "x", "x"], turns=["Hi?", "And you?"])
    template.write_text(json.dumps({"kind": "single", "rule": "rating", "scale": [1, 10], "parts": parts}))
    said = [["a</think>Hello", "b</think>Fine"], ["a</think>Hello"], ["a</think>Hello", "b</think>"]]
    rows = [{"task_id": str(n), "output": turns[-1], "turns": turns, "seed": 1} for n, turns in enumerate(said)]
    (judged.out / "seed1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = judged.run("--judge-template", str(template))
    assert done.returncode == 0, done.stderr
    first, second, third = judged.verdicts()
    assert [row["turn"] for row in first["details"]["judgments"]] == [1, 2]
    metrics = first["metrics"]
    assert metrics["judge_score"] == (metrics["judge_score_turn_1"] + metrics["judge_score_turn_2"]) / 2
    assert (second["verdict"], second["reason"]) == ("no_answer", "turn 2 has no answer")
    assert third["verdict"] == "no_answer"
    assert len(judged.judge.paid()) == 2


def test_a_whole_run_is_judged_and_estimated_by_one_command(judged: JudgedRun) -> None:
    judged.write("single", ["fine", "good"])
    words = ["python", "evaluate.py", str(judged.out.parent), "--judge", "judge"]
    done = judged._run_script(*words, "--estimate", env=judged.env)
    assert done.stdout.startswith("talk: 2 judgments by judge (single)"), done.stderr
    done = judged._run_script(*words, env=judged.env)
    assert done.returncode == 0, done.stderr
    assert len(judged.judge.paid()) == 2


def test_commands_for_stored_judgments(tmp_path: pathlib.Path, run_script) -> None:
    rows = [{"question_id": n, "model": "m", "judge": ["g", "s"], "turn": 1, "score": 1 + n % 3} for n in range(9)]
    path = tmp_path / "single.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run_script("python", "-m", "tools", "judge-scores", str(path)).stdout.startswith("m: mean 2.0000")
    done = run_script("python", "-m", "tools", "judge-agreement", str(path), str(path))
    assert "agreement 100.00 %" in done.stdout
    assert run_script("python", "-m", "tools", "judge-agreement", str(path)).returncode == 2


def test_a_verdict_is_weighed_by_the_judges_tokens(judged: JudgedRun) -> None:
    judged.write("pairwise", ["Answer one", "Answer two"])
    template = {"kind": "pairwise", "rule": "model_name", "both_orders": True, "baseline": "any", "top_logprobs": 5}
    template |= {"parts": [{"user": "m: {answer_a} M: {answer_b}"}]}
    (judged.out.parent / "weighted.json").write_text(json.dumps(template))
    rows = [{"id": str(number), "output": "No idea."} for number in range(2)]
    (judged.out.parent / "base.json").write_text(json.dumps(rows))
    words = ["--judge-template", str(judged.out.parent / "weighted.json")]
    done = judged.run(*words, "--judge-baseline", str(judged.out.parent / "base.json"))
    assert done.returncode == 0, done.stderr
    assert [row["first_tokens"] for row in judged.lines()] == [
        pytest.approx({"m": -0.5108, "M": -1.6094, "The": -2.3026}, abs=1e-4)
    ] * 4
    figures = judged.results()["judge"]["figures"]
    assert figures["win_rate"] == pytest.approx(50)  # 0.25 as the second, 0.75 as the first
    assert [row["score"] for row in judged.verdicts()] == [pytest.approx(0.5)] * 2


BASELINE = json.dumps([{"id": str(number), "output": "No idea."} for number in range(PROBLEMS)])
GAMED = "index,preference,std_delta_len,instruction_difficulty,not_gamed_baseline,model\n" + "".join(
    f"{n},{0.3 + n / 40},{n / 3 - 1},{n / 10 - 0.5},False,g\n" for n in range(PROBLEMS)
)


def test_the_length_controlled_rate_of_a_run(judged: JudgedRun) -> None:
    judged.write("pairwise", [f"Answer {'x' * number}" for number in range(PROBLEMS)])
    (judged.out.parent / "base.json").write_text(BASELINE)
    (judged.out.parent / "df_gamed.csv").write_text(GAMED)
    words = ["--judge-baseline", str(judged.out.parent / "base.json")]
    done = judged.run(*words, "--judge-gamed", str(judged.out.parent / "df_gamed.csv"))
    assert done.returncode == 0, done.stderr
    assert 0 < judged.results()["judge"]["figures"]["length_controlled_win_rate"] < 100


def test_the_authors_baseline_and_difficulties_are_fetched_once(judged: JudgedRun) -> None:
    at = {"repository": "their/set", "commit": "c0ffee", "is_on_hub": True}
    template = json.loads((ROOT / "data/judges/pairwise.json").read_text()) | {
        "baseline_file": {**at, "path": "base.json"}, "gamed_file": {**at, "path": "df_gamed.csv"},
    }  # fmt: skip
    mine = judged.folder / "templates" / "mine.json"
    mine.parent.mkdir()
    mine.write_text(json.dumps(template))
    judged.write(str(mine), [f"Answer {'x' * number}" for number in range(PROBLEMS)])
    kept = judged.folder / "kept"
    hub = judged.folder / "hub" / "datasets" / "their" / "set" / "resolve" / "c0ffee"
    hub.mkdir(parents=True)
    (hub / "base.json").write_text(BASELINE)
    with serve_folder(judged.folder / "hub") as url:
        env = {"HF_ENDPOINT": url, "HF_HUB_OFFLINE": "0", "JUDGE_PROMPTS_DIR": str(kept)}
        offline = judged.run(**env | {"HF_HUB_OFFLINE": "1"})
        assert offline.returncode == 1
        assert f"put it, at commit c0ffee, into {kept / 'mine_baseline.json'}" in offline.stderr
        assert offline.stderr.count("\n") == 1
        assert not judged.judge.paid()

        done = judged.run(**env)  # the difficulties are not there: the other figures are
        assert done.returncode == 0, done.stderr
        assert "no length-controlled win rate: df_gamed.csv of their/set could not be fetched" in " ".join(
            done.stdout.split()
        )
        assert "length_controlled_win_rate" not in judged.results()["judge"]["figures"]

        (hub / "df_gamed.csv").write_text(GAMED)
        assert judged.run(**env).returncode == 0
        assert 0 < judged.results()["judge"]["figures"]["length_controlled_win_rate"] < 100
    assert judged.run(**env).returncode == 0  # from what was kept
    assert 0 < judged.results()["judge"]["figures"]["length_controlled_win_rate"] < 100
    assert len(judged.judge.paid()) == 2 * PROBLEMS
