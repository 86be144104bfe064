"""The page's server: what it tells, to whom, how fast, and what it refuses."""

from __future__ import annotations

import json
import posixpath
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import Served, serve
from tools.view import vendoring
from tools.view.problem_index import ProblemIndex, leading_fields
from tools.view.server import ASSET_FOLDERS, find_assets

ROOT = Path(__file__).resolve().parents[2]
MATH = RunShape(problems=6, seeds=4, chars=600)
CODE = RunShape("code", "livecodebench", 12, 3, 600)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "first", MATH)
    make_run(folder / "first", CODE)
    make_run(folder / "second", RunShape("code", "livecodebench", 12, 3, 600, draw=2))
    return folder


@pytest.fixture(scope="module")
def served(runs: Path) -> Iterator[Served]:
    with serve(runs / "first", runs / "second") as server:
        yield server


# --- what it tells ------------------------------------------------------------------------------------------------


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


# --- a run that is going ------------------------------------------------------------------------------------------


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


# --- what it refuses ----------------------------------------------------------------------------------------------


def test_it_listens_on_the_loopback_interface_only(served: Served) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{served.port:04X}")] == [
        f"0100007F:{served.port:04X}"
    ]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "localhost.evil.example:1", "[::2]"]
)
def test_another_hosts_name_is_refused(served: Served, host: str) -> None:
    status, body, _ = served.get("/api/runs", {"Host": host})
    assert status == 403
    assert b"first" not in body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9", "LOCALHOST", "[::1]:5", "[::1]"])
def test_this_machines_names_are_answered_at_any_port_for_tunnels(served: Served, host: str) -> None:
    assert served.get("/api/runs", {"Host": host})[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/api/runs", "/static/app.js", "/report?run=first&dataset=aime24", "//", "/x/api/runs"]
)
def test_without_the_token_nothing_is_shown(served: Served, path: str) -> None:
    """Another user of the machine reaches the port, but was not told the address."""
    with urllib.request.urlopen(served.url + "api/runs") as answer:
        assert b"first" in answer.read()
    for token in ("", "/" + "A" * len(served.server.token)):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"http://127.0.0.1:{served.port}{token}{path}")
        assert refusal.value.code == 403
        assert b"first" not in refusal.value.read()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_by_other_pages_are_refused(served: Served, site: str) -> None:
    assert served.get("/api/runs", {"Sec-Fetch-Site": site})[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_there_is_nothing_to_write(served: Served, method: str) -> None:
    assert served.get("/api/runs", method=method)[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd", "/static/../server.py", "/static/%2e%2e/server.py", "/vendor/parts.json", "//etc/passwd",
        "/static/..%2fserver.py", "/static/", "/vendor", "/api/", "/%00", "/static/app.js%00", "/api/sample?run=../..&dataset=.",
        "/api/overview?run=first&dataset=../first/aime24", "/report?run=first&dataset=..", "/api/sample?run=first&dataset=aime24&task=../../x&seed=1",
    ],
)  # fmt: skip
def test_nothing_beside_the_page_and_the_runs_can_be_read(served: Served, path: str) -> None:
    status, body, _ = served.get(path)
    assert status == 404
    assert b"root:" not in body
    assert b"import" not in body


def test_every_answer_carries_the_policy(served: Served) -> None:
    for path in ("/", "/static/app.js", "/api/runs", "/nothing"):
        headers = served.get(path)[2]
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_texts_travel_as_json_of_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "aime24"
    folder.mkdir()
    text = '</script>\u2028 \\ud800 "'
    (folder / "seed1.jsonl").write_text('{"task_id": "a", "output": "</script>\\u2028 \\ud800 x", "seed": 1}\n')
    with serve(tmp_path) as server:
        status, body, headers = server.get(f"/api/sample?run={tmp_path.name}&dataset=aime24&task=a&seed=1")
    assert status == 200
    assert body.isascii()
    assert headers["content-type"] == "application/json"
    assert text[:9] in json.loads(body)["response"]["answer"]


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_prints_its_address_and_ends_with_ctrl_c(runs: Path) -> None:
    command = [sys.executable, "-m", "tools.view", str(runs / "first"), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/", url)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize(("arguments", "code"), [(["absent"], 1), ([".", "--port", "70000"], 2), ([], 2)])
def test_the_command_fails_in_one_line(tmp_path: Path, run_script: Any, arguments: list[str], code: int) -> None:
    words = [str(tmp_path / word) if word in ("absent", ".") else word for word in arguments]
    finished = run_script("python", "-m", "tools.view", *words)
    assert finished.returncode == code
    assert "Traceback" not in finished.stderr


def test_a_taken_port_is_said(served: Served, tmp_path: Path, run_script: Any) -> None:
    finished = run_script("python", "-m", "tools.view", str(tmp_path), "--port", str(served.port))
    assert finished.returncode == 2
    assert finished.stderr == f"error: port {served.port}: Address already in use; choose another with --port\n"


# --- problem files and vendored parts -----------------------------------------------------------------------------


def test_leading_fields_stop_where_the_line_is_cut() -> None:
    line = b' {"id": 7, "problem": "a \\"b\\"", "n": [1, {"x": 2}], "tests": "eJxL'
    assert leading_fields(line) == {"id": 7, "problem": 'a "b"', "n": [1, {"x": 2}]}
    assert leading_fields(b"") == leading_fields(b"[1]") == leading_fields(b'{"a') == {}
    assert leading_fields(b'{"whole": 1}\n') == {"whole": 1}


def test_statements_are_found_behind_gigabytes_of_tests(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    with path.open("w") as file:
        for number in range(5):
            row = {
                "question_content": f"What is {number}?",
                "question_id": f"q{number}",
                "private_test_cases": "x" * 6_000_000,
            }
            file.write(json.dumps(row) + "\n")
    index = ProblemIndex(path)
    found = index.read("q3")
    assert found is not None
    assert found["statement"] == "What is 3?"
    assert "private_test_cases" not in found
    assert len((index.read_whole("q4") or {})["private_test_cases"]) == 6_000_000
    assert index.read("q9") is None
    assert ProblemIndex(tmp_path / "absent.jsonl").read("q1") is None


def test_vendored_files_are_those_of_npm() -> None:
    assert vendoring.changed_files() == []
    assert all(part["integrity"].startswith("sha512-") for part in vendoring.read_parts())


def test_an_altered_vendored_file_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "vendor"
    shutil.copytree(vendoring.VENDOR_FOLDER, copy)
    monkeypatch.setattr(vendoring, "VENDOR_FOLDER", copy)
    monkeypatch.setattr(vendoring, "PARTS_FILE", copy / "parts.json")
    (copy / "katex" / "katex.min.js").write_text("alert(1)")
    (copy / "stranger.js").write_text("")
    (copy / "uplot" / "LICENSE").unlink()
    assert vendoring.changed_files() == [
        "katex.min.js: not the file of katex 0.19.1", "LICENSE: missing", "stranger.js: not recorded in parts.json",
    ]  # fmt: skip


def test_vendored_parts_are_small_and_licensed() -> None:
    assert vendoring.total_bytes() < 1_000_000
    for part in vendoring.read_parts():
        assert (vendoring.VENDOR_FOLDER / part["folder"] / "LICENSE").stat().st_size > 500


def test_every_address_in_the_page_is_an_asset() -> None:
    assets = find_assets()
    static = ASSET_FOLDERS[0]
    page = re.findall(r'(?:href|src)="([^"#][^"]+)"', (static / "index.html").read_text())
    modules = "".join(path.read_text() for path in static.glob("*.js"))
    named = [*page, *(f"static/{name}" for name in re.findall(r'^import .*from "([^"]+)"', modules, re.M))]
    assert len(named) > 30
    for name in named:
        assert posixpath.normpath(name) in assets, name


# --- large runs ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [RunShape("math", "aime24", 60, 64, 30_000), RunShape("code", "livecodebench", 1055, 8, 12_000)],
    ids=["64 seeds x 60 problems x 30 kB", "8 x 1055"],
)
@pytest.mark.parametrize("is_graded", [True, False], ids=["graded", "not yet graded"])
def test_a_large_run_answers_at_once(tmp_path: Path, shape: RunShape, is_graded: bool) -> None:
    make_run(tmp_path, shape, is_graded=is_graded)
    with serve(tmp_path) as server:

        def timed(path: str, **parameters: Any) -> tuple[float, dict[str, Any]]:
            # Server and client run in this process: its CPU time is what an answer costs on a machine that is not busy.
            started = time.process_time()
            answer = server.ask(path, run=tmp_path.name, dataset=shape.dataset, **parameters)
            return time.process_time() - started, answer

        seconds, overview = timed("/api/overview")
        assert seconds < 1.0
        assert len(overview["map"]) == shape.problems * shape.seeds
        for task in overview["task_ids"][:: len(overview["task_ids"]) // 7]:
            seconds, sample = timed("/api/sample", task=task, seed=overview["seeds"][-1])
            assert seconds < 0.2
            assert len(sample["response"]["reasoning"]) >= shape.chars
        assert timed("/api/samples", text="no such words")[0] < 1.5
