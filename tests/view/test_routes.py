"""What the page can ask for, and what it is told: of runs that are whole, that go on, and that are damaged."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import CODE, MATH, Served, serve
from tools.store.line_index import LineIndex


def test_runs_are_listed_with_their_heads(served: Served) -> None:
    runs = served.ask("/api/runs")["runs"]
    assert [(run["name"], [head["dataset"] for head in run["datasets"]]) for run in runs] == [
        ("first", ["aime24", "livecodebench"]), ("second", ["livecodebench"]),
    ]  # fmt: skip
    head = runs[0]["datasets"][0]
    assert (head["generated"], head["planned"], head["model"]) == (24, 24, "example/Reasoner-7B")


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        make_run(tmp_path / parent / "out", RunShape(problems=2, seeds=1, chars=50))
    with serve(tmp_path / "a" / "out", tmp_path / "b" / "out") as server:
        assert [run["name"] for run in server.ask("/api/runs")["runs"]] == ["out", "out-2"]


def test_the_overview_has_one_letter_a_sample_and_the_results_figures(served: Served, runs: Path) -> None:
    overview = served.ask("/api/overview", run="first", dataset="aime24")
    saved = json.loads((runs / "first" / "aime24" / "accuracy_results.json").read_text())
    assert len(overview["map"]) == 24
    assert overview["map"].count("c") == overview["counts"]["correct"] == saved["counts"]["correct"]
    assert overview["facts"]["score"] == saved["avg_at_k"]
    assert overview["facts"]["interval"] == [saved["intervals"]["both"]["low"], saved["intervals"]["both"]["high"]]
    again = served.ask("/api/overview", run="first", dataset="aime24", version=overview["version"])
    assert again["is_unchanged"]


def test_a_sample_has_problem_verdict_reasoning_and_answer(served: Served) -> None:
    sample = served.ask("/api/sample", run="first", dataset="aime24", task="61", seed=100)
    problem = served.ask("/api/problem", run="first", dataset="aime24", task="61")
    assert problem["statement"].startswith("Find the remainder when $7^{1}$")
    assert served.ask("/api/problem", run="first", dataset="aime24", task="999")["http_status"] == 404
    assert sample["verdict"]["verdict"] in ("correct", "wrong", "truncated", "no_answer")
    assert len(sample["response"]["reasoning"]) >= 600
    assert "</think>" not in sample["response"]["answer"]
    assert served.ask("/api/sample", run="first", dataset="aime24", task="61", seed=999)["http_status"] == 404


def test_the_first_failing_test_is_read_from_the_problem_file(served: Served) -> None:
    public = served.ask("/api/test", run="first", dataset="livecodebench", task="abc300_a", number=1)
    private = served.ask("/api/test", run="first", dataset="livecodebench", task="abc300_a", number=2)
    assert (public["input"], public["expected"]) == ("3\n1 2 1\n", "2\n")
    assert (private["input"], private["expected"]) == ("5\n3 1 3 2 1\n", "3\n")
    beyond = served.ask("/api/test", run="first", dataset="livecodebench", task="abc300_a", number=3)
    assert "holds 2 tests" in beyond["error"]


def test_samples_are_filtered_and_searched(served: Served) -> None:
    def find(**query: Any) -> dict[str, Any]:
        return served.ask("/api/samples", run="first", dataset="aime24", **query)

    everything = find()
    assert everything["total"] == 24
    assert len(find(offset=20)["samples"]) == 4
    wrong = find(verdicts="wrong,truncated")
    assert {row["verdict"] for row in wrong["samples"]} <= {"wrong", "truncated"}
    assert wrong["total"] < 24
    assert {row["task_id"] for row in find(task="63")["samples"]} == {"63"}
    assert find(task="63", seed=101)["total"] == 1
    assert find(text="no such words anywhere")["total"] == 0
    found = find(text="\\boxed{7}")
    assert found["total"] >= 1
    assert all("\\boxed{7}" in row["snippet"] for row in found["samples"])
    assert find(text="inequality OF means")["total"] == 0
    assert find(text="call this")["total"] == 24
    assert find(text="finish_reason")["total"] == 0


def test_search_finds_letters_beyond_ascii_in_both_spellings(tmp_path: Path) -> None:
    folder = tmp_path / "aime24"
    folder.mkdir()
    rows = [{"task_id": str(n), "output": "naïve “quote” \n tab", "seed": n} for n in (1, 2)]
    (folder / "seed1.jsonl").write_text(json.dumps(rows[0]) + "\n")
    (folder / "seed2.jsonl").write_text(json.dumps(rows[1], ensure_ascii=False) + "\n")
    with serve(tmp_path) as server:
        for text in ("naïve", "“quote”", "naïve “quote” \n tab"):
            assert server.ask("/api/samples", run=tmp_path.name, dataset="aime24", text=text)["total"] == 2


def test_two_runs_are_compared_by_the_compare_command(served: Served, runs: Path, run_script: Any) -> None:
    sides = {"a_run": "first", "a_dataset": "livecodebench", "b_run": "second", "b_dataset": "livecodebench"}
    shown = served.ask("/api/compare", **sides)
    folders = [str(runs / name / "livecodebench") for name in ("first", "second")]
    printed = json.loads(run_script("python", "-m", "tools.analysis.compare", *folders, "--json", "--no-texts").stdout)[
        0
    ]
    assert shown["comparison"]["overall"] == printed["overall"]
    assert shown["comparison"]["problems"] == printed["problems"]


def test_unlike_runs_are_not_compared(served: Served) -> None:
    sides = {"a_run": "first", "a_dataset": "aime24", "b_run": "second", "b_dataset": "livecodebench"}
    shown = served.ask("/api/compare", **sides)
    assert "do not compare" in shown["refusal"]
    assert "comparison" not in shown


def test_every_set_of_the_same_samples_is_told(tmp_path: Path) -> None:
    folder = make_run(tmp_path, CODE)
    saved = json.loads((folder / "accuracy_results.json").read_text())
    (folder / "accuracy_results_v6.json").write_text(
        json.dumps(saved | {"set": saved["set"] | {"name": "v6"}, "avg_at_k": 0.5})
    )
    with serve(tmp_path) as server:
        overview = server.ask("/api/overview", run=tmp_path.name, dataset="livecodebench")
    assert overview["facts"]["score"] == saved["avg_at_k"]
    assert [(facts["set"]["name"], facts["score"]) for facts in overview["other_sets"]] == [("v6", 0.5)]


def test_the_report_is_served_with_its_own_policy(served: Served) -> None:
    status, body, headers = served.get("/report?run=first&dataset=aime24")
    assert status == 200
    assert body.startswith(b"<!doctype html>")
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


def settled(server: Served, run: str, dataset: str, responses: int) -> dict[str, Any]:
    """The overview once the page has looked through all responses."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        overview = server.ask("/api/overview", run=run, dataset=dataset)
        if overview["signs"]["responses"] == responses:
            time.sleep(0.6)
            return server.ask("/api/overview", run=run, dataset=dataset)
        time.sleep(0.1)
    raise AssertionError(f"only {overview['signs']} after 30 s")


def test_the_page_follows_a_folder_that_grows(tmp_path: Path) -> None:
    whole = make_run(tmp_path / "whole", MATH, is_graded=False)
    folder = tmp_path / "out" / "aime24"
    with_nothing = tmp_path / "out"
    with_nothing.mkdir()
    with serve(with_nothing) as server:
        assert server.ask("/api/runs")["runs"][0]["datasets"] == []
        folder.mkdir()
        (folder / "manifest.json").write_bytes((whole / "manifest.json").read_bytes())
        lines = (whole / "seed100.jsonl").read_text().splitlines(keepends=True)
        (folder / "seed100.jsonl").write_text(lines[0] + lines[1][:40])
        server.ask("/api/runs")
        first = server.ask("/api/overview", run="out", dataset="aime24")
        assert (first["generated"], first["planned"]) == (1, 24)
        (folder / "seed100.jsonl").write_text("".join(lines))
        time.sleep(0.6)
        second = server.ask("/api/overview", run="out", dataset="aime24", version=first["version"])
        assert second["generated"] == 6
        assert second["version"] > first["version"]


def test_integer_answers_have_a_running_score_before_grading(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH, is_graded=False)
    with serve(tmp_path) as server:
        running = settled(server, tmp_path.name, "aime24", 24)
    assert running["is_provisional"]
    assert running["facts"] is None
    graded = make_run(tmp_path / "graded", MATH)
    counts = json.loads((graded / "accuracy_results.json").read_text())["counts"]
    assert running["map"].count("c") == counts["correct"]
    assert running["running"]["graded"] == 24
    assert not (folder / "verdicts.jsonl").exists()


def test_loops_and_cut_off_responses_are_counted_while_a_run_goes(tmp_path: Path) -> None:
    folder = make_run(tmp_path, CODE, is_graded=False)
    rows = [json.loads(line) for line in (folder / "seed100.jsonl").read_text().splitlines()]
    rows[0] |= {"output": "Wait, let me check again. " * 400, "finish_reason": "length"}
    (folder / "seed100.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cut_off = sum('"finish_reason": "length"' in path.read_text() for path in folder.glob("seed100.jsonl"))
    with serve(tmp_path) as server:
        signs = settled(server, tmp_path.name, "livecodebench", 36)["signs"]
    assert (signs["responses"], signs["loops"]) == (36, 1)
    assert signs["cut_off"] >= cut_off == 1


def test_the_status_of_a_run_is_shown_until_it_goes_stale(tmp_path: Path) -> None:
    make_run(tmp_path, MATH, is_graded=False)
    status = {"state": "running", "total": 24, "done": 24, "tokens_per_s": 900.0, "eta_s": 60, "workers": []}
    (tmp_path / "status.json").write_text(json.dumps(status))
    with serve(tmp_path) as server:
        shown = server.ask("/api/overview", run=tmp_path.name, dataset="aime24")
        assert shown["status"]["is_live"]
        assert shown["notes"] == []
        old = time.time() - 3600
        import os

        os.utime(tmp_path / "status.json", (old, old))
        shown = server.ask("/api/overview", run=tmp_path.name, dataset="aime24")
        assert not shown["status"]["is_live"]
        assert any("not graded yet" in note for note in shown["notes"])


def test_one_data_set_of_a_run_finds_the_runs_status(tmp_path: Path) -> None:
    make_run(tmp_path, MATH, is_graded=False)
    (tmp_path / "status.json").write_text('{"state": "running"}')
    with serve(tmp_path / "aime24") as server:
        assert server.ask("/api/runs")["runs"][0]["status"]["is_live"]


def test_files_of_the_original_are_shown_by_row_number(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH)
    for path in folder.glob("seed*.jsonl"):
        outputs = [json.loads(line)["output"] for line in path.read_text().splitlines()]
        rows = [json.dumps({"task_id": number, "output": output}) for number, output in enumerate(outputs)]
        path.write_text("\n".join(rows) + "\n")
    with serve(tmp_path) as server:
        overview = server.ask("/api/overview", run=tmp_path.name, dataset="aime24")
        assert overview["task_ids"] == ["60", "61", "62", "63", "64", "65"]
        sample = server.ask("/api/sample", run=tmp_path.name, dataset="aime24", task="65", seed=101)
        assert len(sample["response"]["reasoning"]) >= 600
        assert server.ask("/api/samples", run=tmp_path.name, dataset="aime24", text="call this")["total"] == 24


@pytest.mark.parametrize(
    "file", ["manifest.json", "verdicts.jsonl", "accuracy_results.json", "seed100.jsonl", "../status.json"]
)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\x00", b'{"task_id": {"a": 1}, "seed": []}\n', b'{"plan": 3, "data": 5}\n']
)
def test_damaged_files_never_break_an_answer(tmp_path: Path, file: str, content: bytes) -> None:
    folder = make_run(tmp_path, RunShape(problems=3, seeds=2, chars=60))
    (folder / file).write_bytes(content)
    with serve(tmp_path) as server:
        name = tmp_path.name
        for path, parameters in (
            ("/api/runs", {}), ("/api/overview", {}), ("/api/samples", {"text": "a"}),
            ("/api/sample", {"task": "60", "seed": 100}), ("/api/test", {"task": "60", "number": 1}),
            ("/api/compare", {"a_run": name, "a_dataset": "aime24", "b_run": name, "b_dataset": "aime24"}),
        ):  # fmt: skip
            assert server.ask(path, run=name, dataset="aime24", **parameters)["http_status"] < 500, path
        assert server.get(f"/report?run={name}&dataset=aime24")[0] == 200


@pytest.mark.parametrize("is_graded", [True, False], ids=["graded", "not yet graded"])
def test_only_what_is_looked_at_is_read(tmp_path: Path, is_graded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a view of 4000 responses costs no more than one of 40; perf/view.py has the times."""
    make_run(tmp_path, CODE, is_graded=is_graded)
    read: list[tuple[str, int]] = []
    real = LineIndex.read
    monkeypatch.setattr(LineIndex, "read", lambda self, *key: read.append(key) or real(self, *key))
    monkeypatch.setattr("tools.view.provisional.ProvisionalGrader.catch_up", lambda *_: 0)
    with serve(tmp_path) as server:
        overview = server.ask("/api/overview", run=tmp_path.name, dataset="livecodebench")
        assert len(overview["map"]) == 36
        assert read == []
        task, seed = overview["task_ids"][3], overview["seeds"][-1]
        server.ask("/api/sample", run=tmp_path.name, dataset="livecodebench", task=task, seed=seed)
        assert read == [(task, seed)]
