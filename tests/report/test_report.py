"""report.html: one file without script or network, whose figures are those of the results file, whatever the folder holds."""

from __future__ import annotations

import html.parser
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_runs import RunShape, make_run
from tools.records import Grade, Verdict
from tools.report import charts, figures
from tools.report.audit import audit_lists
from tools.report.facts import LengthBins, length_bins, running_curve, running_score
from tools.report.html import Markup, escape, table, tag
from tools.report.page import build_report, report_policy, write_report
from tools.results.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
MATH = RunShape(problems=6, seeds=8, chars=400)
CODE = RunShape("code", "livecodebench", 40, 4, 400)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)></textarea>\u202e\x00\ud800'\"&"


class PageReader(html.parser.HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def read_saved(folder: Path) -> dict[str, Any]:
    saved: dict[str, Any] = json.loads((folder / "accuracy_results.json").read_text())
    return saved


def change_results(folder: Path, **changes: Any) -> None:
    (folder / "accuracy_results.json").write_text(json.dumps(read_saved(folder) | changes))


def test_html_escapes_everything_but_markup() -> None:
    assert tag("p", "1 < 2", Markup("<b>x</b>"), title='"&') == '<p title="&quot;&amp;">1 &lt; 2<b>x</b></p>'
    assert escape("a\x00b\ud800") == "a\ufffdb?"
    assert tag("br") == "<br>"
    assert "<td>&lt;b&gt;</td>" in table(["head"], [["<b>"]])


def test_the_headline_names_score_k_set_cap_and_shares(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH)
    saved = read_saved(folder)
    text = PageReader(build_report([RunFolder(folder)])).text
    assert f"{100 * saved['avg_at_k']:.1f} % avg@8" in text
    assert f"avg@8 = {100 * saved['avg_at_k']:.1f} % (6 problems, 8 seeds, aime24, cap 32768 tokens)" in text
    assert saved["set"]["sha256"][:8] in text
    for kind in ("both", "sampling"):
        interval = saved["intervals"][kind]
        assert f"{100 * interval['low']:.1f} – {100 * interval['high']:.1f}" in text
    assert f"{100 * saved['reasoning']['truncated_share']:.1f} %" in text


def test_every_picture_is_there(tmp_path: Path) -> None:
    page = build_report([RunFolder(make_run(tmp_path, MATH)), RunFolder(make_run(tmp_path, CODE))], cutoff="2024-11-01")
    reader = PageReader(page)
    labels = [attributes.get("aria-label") or "" for name, attributes in reader.tags if name == "svg"]
    for wanted in (
        "with its intervals", "Curves over k", "Score at smaller budgets", "Accuracy by year", "Accuracy by month",
        "Accuracy by difficulty", "Accuracy by platform", "Accuracy by length", "Lengths",
        "Verdicts of 6 problems by 8 seeds", "Verdicts of 40 problems by 4 seeds",
    ):  # fmt: skip
        assert any(wanted in label for label in labels), wanted
    assert "before 2024-11-01" in reader.text
    for name in ("pass@k", "maj@k", "pass^k"):
        assert name in reader.text


def test_the_page_has_no_script_and_loads_nothing(tmp_path: Path) -> None:
    page = build_report([RunFolder(make_run(tmp_path, MATH))])
    reader = PageReader(page)
    assert not {name for name, _ in reader.tags} & {"script", "link", "img", "iframe", "form", "object", "a"}
    assert not [
        key
        for _, attributes in reader.tags
        for key in attributes
        if key in ("href", "src", "style") or key.startswith("on")
    ]
    assert report_policy().startswith("default-src 'none'")
    assert "url(" not in page
    assert "@import" not in page


def test_a_hostile_response_stays_text(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH)
    hostile = Grade("60", 100, Verdict.GRADER_ERROR, HOSTILE, reason=HOSTILE, details={"max_cpu_s": HOSTILE})
    lines = (folder / "verdicts.jsonl").read_text().splitlines()[1:]
    row = json.dumps({"task_id": "60", "seed": 100, "verdict": "grader_error", "answer": HOSTILE, "reason": HOSTILE})
    (folder / "verdicts.jsonl").write_text("\n".join([row, *lines]) + "\n")
    (folder / "seed100.jsonl").write_text(json.dumps({"task_id": "60", "output": HOSTILE}) + "\n")
    manifest = json.loads((folder / "manifest.json").read_text()) | {"model": HOSTILE, HOSTILE: HOSTILE}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    change_results(folder, headline=HOSTILE, warnings=[HOSTILE], model=HOSTILE)
    reader = PageReader(build_report([RunFolder(folder)]))
    assert "script" not in {name for name, _ in reader.tags}
    assert "img" not in {name for name, _ in reader.tags}
    assert reader.text.count("<script>alert(1)</script>") >= 4
    assert hostile.answer == HOSTILE


def test_the_audit_lists_what_may_hang_on_the_grader() -> None:
    grades = [
        Grade("a", 1, Verdict.GRADER_ERROR),
        Grade("b", 1, Verdict.WRONG, differs_from_original=True),
        Grade("c", 1, Verdict.TIMEOUT, details={"is_near_timeout": True}),
        Grade("d", 1, Verdict.CORRECT, details={"hangs_on_time": True}),
        Grade("e", 1, Verdict.TRUNCATED, is_correct_in_reasoning=True),
        Grade("f", 1, Verdict.CORRECT),
    ]
    found = [[grade.task_id for grade in listed.grades] for listed in audit_lists(grades)]
    assert found == [["a"], ["b"], ["c", "d"], ["e"]]
    assert all(listed.is_checked for listed in audit_lists(grades))


def test_what_no_verdict_tells_is_not_reported_as_clean(tmp_path: Path) -> None:
    checked = [listed.is_checked for listed in audit_lists([Grade("f", 1, Verdict.CORRECT)])]
    assert checked == [True, False, False, False]
    text = PageReader(build_report([RunFolder(make_run(tmp_path, MATH))])).text
    assert "Decided by the clock: not checked" in text


def test_the_audit_shows_the_end_of_the_response(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH)
    rows = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    rows[0] |= {"verdict": "wrong", "differs_from_original": True}
    (folder / "verdicts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "seed100.jsonl").write_text(json.dumps({"task_id": "60", "output": "thought</think>the very end"}) + "\n")
    text = PageReader(build_report([RunFolder(folder)])).text
    assert "the very end" in text


def test_a_published_figure_stands_beside_ours_with_what_to_look_at(tmp_path: Path) -> None:
    folder = make_run(tmp_path, RunShape(problems=30, seeds=16, chars=100, skill=0.3))
    text = PageReader(build_report([RunFolder(folder)])).text
    assert "not consistent: ours" in text
    assert "published 72.6" in text
    assert "Look first at" in text


@pytest.mark.parametrize("gone", ["accuracy_results.json", "verdicts.jsonl", "manifest.json", "seed100.jsonl"])
@pytest.mark.parametrize("content", [None, "", "{", '{"a": ', "[]", "null", "\x00\xff"])
def test_damage_is_said_and_no_figure_invented(tmp_path: Path, gone: str, content: str | None) -> None:
    folder = make_run(tmp_path, RunShape(problems=3, seeds=2, chars=60))
    if content is None:
        (folder / gone).unlink()
    else:
        (folder / gone).write_bytes(content.encode("latin-1"))
    reader = PageReader(build_report([RunFolder(folder)]))
    if gone == "accuracy_results.json":
        assert "no score: see below" in reader.text
        assert not re.search(r"\d % avg@", reader.text)
        assert "there is no score" in reader.text


@pytest.mark.parametrize(
    "changes",
    [
        {"avg_at_k": None}, {"avg_at_k": "many"}, {"avg_at_k": float("nan")}, {"intervals": None}, {"intervals": {"both": 3}},
        {"breakdowns": [1]}, {"breakdowns": {"year": {"2024": None, "2025": {"accuracy": "x"}}}}, {"pass_at_k": None},
        {"pass_at_k": {"1": None, "2": "x"}}, {"published": "yes"}, {"published": {"verdict": 3}}, {"settings": None},
        {"set": None}, {"reasoning": None}, {"sets": 5}, {"sets": {"v5": 3, "v6": {}}}, {"timing": {"hangs_on_time": 1, "score_range": [None, "x"]}}, {"not_claimable_because": 7}, {"headline": {}}, {"task_ids": None},
    ],
)  # fmt: skip
def test_results_of_another_shape_never_break_the_page(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = make_run(tmp_path, RunShape(problems=3, seeds=2, chars=60))
    change_results(folder, **changes)
    assert "</html>" in build_report([RunFolder(folder)])


def test_an_incomplete_run_has_no_score(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH)
    share = f"{100 * read_saved(folder)['avg_at_k']:.1f} % avg@8"
    assert share in PageReader(build_report([RunFolder(folder)])).text
    change_results(
        folder, missing_count=7, complete=False, claimable=False, not_claimable_because=["7 samples are missing"]
    )
    page = PageReader(build_report([RunFolder(folder)]))
    assert "no score: see below" in page.text
    assert "Not a score to claim: 7 samples are missing" in page.text
    assert share not in page.text
    assert not any("Score" in (attributes.get("aria-label") or "") for name, attributes in page.tags if name == "svg")


def test_every_set_of_the_same_samples_has_its_line(tmp_path: Path) -> None:
    folder = make_run(tmp_path, CODE)
    second = read_saved(folder) | {"set": {"name": "v6", "count": 20, "sha256": "ab" * 32}, "avg_at_k": 0.12345}
    (folder / "accuracy_results_v6.json").write_text(json.dumps(second))
    text = PageReader(build_report([RunFolder(folder)])).text
    assert "12.3 % avg@4" in text
    assert "v6 abababab" in text


def test_parts_and_timing_of_a_code_run_are_shown(tmp_path: Path) -> None:
    folder = make_run(tmp_path, CODE)
    saved = read_saved(folder)
    shared = ("task_ids", "labels", "breakdowns", "settings")
    part = {name: value for name, value in saved.items() if name not in shared}
    part |= {"avg_at_k": 0.234, "set": {"name": "v5", "count": 20, "sha256": "cd" * 32}}
    timing = {"hangs_on_time": [{"task_id": "a", "seed": 1, "verdict": "timeout"}], "score_range": [0.511, 0.522]}
    change_results(folder, sets={"v5": part}, timing=timing, sandbox={"layers": ["landlock"]})
    text = PageReader(build_report([RunFolder(folder)])).text
    assert "23.4 % avg@4" in text
    assert "v5 cdcdcdcd" in text
    assert "1 verdicts hang on time: on another machine the score could lie between 51.1 % and 52.2 %." in text
    assert "sandbox.layers" in text


def test_a_complete_run_with_doubts_is_marked(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH)
    change_results(folder, claimable=False, not_claimable_because=["2 samples ended in grader_error"])
    text = PageReader(build_report([RunFolder(folder)])).text
    assert "avg@8 not to be claimed" in text
    assert "Not a score to claim: 2 samples ended in grader_error" in text


def test_the_command_writes_one_file_and_prints_its_path(tmp_path: Path, run_script: Any) -> None:
    make_run(tmp_path, MATH)
    finished = run_script("python", "-m", "tools.report", str(tmp_path))
    assert finished.stdout == f"{tmp_path / 'report.html'}\n"
    assert finished.returncode == 0
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    target = tmp_path / "elsewhere.html"
    assert run_script("python", "-m", "tools.report", str(tmp_path / "aime24"), "-o", str(target)).returncode == 0
    assert target.exists()


@pytest.mark.parametrize("arguments", [["absent"], ["."], ["run", "--cutoff", "soon"], ["run", "-o", "absent/x.html"]])
def test_the_command_fails_in_one_line(tmp_path: Path, run_script: Any, arguments: list[str]) -> None:
    make_run(tmp_path / "run", RunShape(problems=3, seeds=2, chars=60))
    (tmp_path / "empty").mkdir()
    words = [str(tmp_path / "empty") if word == "." else word for word in arguments]
    words[0] = str(tmp_path / words[0])
    finished = run_script("python", "-m", "tools.report", *words)
    assert finished.returncode == 1
    assert finished.stderr.startswith("error: ")
    assert finished.stderr.count("\n") == 1


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, tools.report.__main__; print([m for m in ('numpy', 'sympy', 'torch') if m in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [RunShape("math", "aime", 60, 64, 30_000), RunShape("code", "livecodebench", 1055, 8, 12_000)],
    ids=["64 seeds x 60 problems x 30 kB", "8 x 1055"],
)
def test_a_large_run_takes_under_1_gb(tmp_path: Path, shape: RunShape) -> None:
    make_run(tmp_path, shape)
    # VmHWM is this process's own peak; RUSAGE_CHILDREN's would be that of any child that the tests ever had.
    report_its_peak = (
        "import sys, tools.report.__main__ as report; sys.argv[0] = 'report'; code = report.main()\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(peak.split()[1]); sys.exit(code)"
    )
    command = [sys.executable, "-c", report_its_peak, str(tmp_path)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    peak_bytes = int(child.stdout.split()[-1]) * 1024
    assert child.stderr == ""
    assert peak_bytes < 1e9
    assert (tmp_path / "report.html").stat().st_size < 1_500_000


def test_a_missing_report_file_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    make_run(tmp_path, RunShape(problems=3, seeds=2, chars=60))
    path = write_report(tmp_path)
    assert path.exists()
    assert not list(tmp_path.glob(".*"))


# --- pictures and running figures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.55, 0.72, [0.55, 0.6, 0.65, 0.7]), (0, 0, [0]), (0, 32768, [0, 10000, 20000, 30000])],
)  # fmt: skip
def test_ticks_are_round_and_inside(low: float, high: float, expected: list[float]) -> None:
    assert charts.ticks(low, high, 5) == pytest.approx(expected)


def test_a_map_draws_every_sample_once() -> None:
    drawn = charts.sample_map([("60", "cwc", "note"), ("61", "wwx", "note")], label="map")
    counts = {found[1]: found[0].count("z") for found in re.findall(r'<path d="([^"]*)" class="cell v-(.)"', drawn)}
    assert counts == {"c": 2, "w": 3, "x": 1}


def test_charts_take_single_points_and_extremes() -> None:
    assert "<svg" in charts.points_chart([charts.Point("one", 1.0)], label="x")
    assert "<svg" in charts.interval_chart(None, None, 0.0, None)
    assert "<svg" in charts.curves_chart({"flat": [(1, 0.0), (2, 0.0)]}, label="x", x_labels=[(1, "1")], is_log=True)
    assert "NaN" not in charts.stacked_bars([{"a": 0}], ("a",), width=1, label="x")


def test_groups_stand_in_their_own_order() -> None:
    labels = ["hard", "easy", "02/25-04/25", "05/23-05/24", "06/24-01/25", "medium"]
    ordered = [point.label for point in figures._in_order([charts.Point(label, 0.5) for label in labels])]
    assert ordered == ["easy", "medium", "hard", "05/23-05/24", "06/24-01/25", "02/25-04/25"]


def test_running_figures_say_how_much_they_stand_on() -> None:
    grades = [
        Grade(str(n), 1, Verdict.CORRECT if n < 3 else Verdict.TRUNCATED, output_tokens=100 * n) for n in range(4)
    ]
    running = running_score(grades, planned=10)
    assert running is not None
    assert (running.graded, running.planned, running.mean, running.truncated_share) == (4, 10, 0.75, 0.25)
    assert running_score([], planned=10) is None
    assert running_curve(grades)[-1] == (4, 0.75)
    bins = length_bins(grades, bins=3)
    assert bins == LengthBins(100, correct=(1, 1, 1), other=(0, 0, 0), truncated=(0, 0, 1))
    assert length_bins([Grade("a", 1, Verdict.WRONG)]) is None
