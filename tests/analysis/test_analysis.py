"""Lengths, budgets, loops, contamination, published figures, planner, canary: what each says and what it refuses to say."""

from __future__ import annotations

import json
import pathlib
import random
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy import stats

from tests.support.fake_runs import SETTINGS, grades_from_rows, results_of, simulate_grades, write_run
from tools.analysis import budgets, canary, contamination, lengths, loops, planner
from tools.analysis.summary import analyse
from tools.errors import DataError, SettingsMismatch, StorageError, UsageError
from tools.records import Grade, Verdict
from tools.results.published import judge_published
from tools.results.run_folder import find_runs
from tools.statistics.estimators import Counts

ROOT = pathlib.Path(__file__).resolve().parents[2]


def command(module: str, *words: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def sample(task_id: str, seed: int, is_right: bool, tokens: int | None, **fields) -> Grade:
    verdict = Verdict.CORRECT if is_right else Verdict.WRONG
    return Grade(task_id, seed, verdict, output_tokens=tokens, **fields)


def counts_of(correct: list[int], samples: int) -> Counts:
    return Counts(np.array(correct, float), np.full(len(correct), float(samples)))


# --- lengths


def test_lengths_by_outcome_and_within_problems() -> None:
    grades = [
        sample("easy", 1, True, 100),
        sample("easy", 2, False, 300),
        sample("hard", 1, True, 1000),
        sample("hard", 2, False, 1400),
        sample("hard", 3, False, None, is_cut_off=True, closes_reasoning=False),
        sample("never", 1, False, 9000, closes_reasoning=True, is_correct_in_reasoning=True),
    ]
    record = lengths.describe_lengths(grades)
    assert record["samples"] == 6
    assert record["with_token_count"] == 5
    assert record["truncated_share"] == pytest.approx(1 / 6)
    assert record["unclosed_share"] == pytest.approx(1 / 2)
    assert record["correct_in_reasoning_only"] == 1
    assert record["tokens_correct"]["mean"] == 550
    assert record["wrong_minus_correct_tokens"] == pytest.approx((200 + 400) / 2)
    assert record["wrong_minus_correct_problems"] == 2


def test_lengths_unknown_are_not_invented() -> None:
    record = lengths.describe_lengths([sample("1", 1, True, None)])
    assert record["tokens"] is None
    assert record["unclosed_share"] is None
    assert record["wrong_minus_correct_tokens"] is None
    assert lengths.accuracy_by_length([sample("1", 1, True, None)]) == []


def test_accuracy_by_length_bins_every_sample_once() -> None:
    grades = [sample(str(i % 5), i, i % 2 == 0, tokens) for i, tokens in enumerate([0, 1023, 1024, 5000, 32767, 32768])]
    rows = lengths.accuracy_by_length(grades)
    assert [(row["low"], row["high"], row["samples"]) for row in rows] == [
        (0, 1024, 2), (1024, 2048, 1), (4096, 8192, 1), (24576, 32768, 1), (32768, None, 1),
    ]  # fmt: skip
    assert rows[0]["accuracy"] == 0.5
    assert rows[-1]["confidence_interval"] is None  # a single problem


def test_ratio_interval_covers_where_problems_have_unequal_numbers_of_samples() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(1500):
        rates, sizes = generator.beta(1.5, 1, 40), generator.integers(1, 20, 40)
        rows = [(generator.random(size) < rate).astype(int).tolist() for rate, size in zip(rates, sizes, strict=True)]
        low, high = lengths.ratio_interval(rows) or (0, 0)
        held += low <= 0.6 <= high
    assert 0.93 <= held / 1500 <= 0.97


# --- budgets


def test_score_at_budgets_is_a_recount() -> None:
    grades = [
        sample("a", 1, True, 5000),
        sample("a", 2, True, 16384),
        sample("b", 1, True, 20000),
        sample("b", 2, False, 900),
    ]
    rows = budgets.score_at_budgets(grades, (8192, 16384, 24576), cap=32768)
    assert [(row["budget"], row["score"], row["truncated_share"]) for row in rows] == [
        (8192, 0.25, 0.5), (16384, 0.5, 0.25), (24576, 0.75, 0.0), (32768, 0.75, 0.0),
    ]  # fmt: skip


def test_budgets_equal_a_run_that_was_really_cut_there() -> None:
    """The same samples, generated under the smaller cap: the long ones end at the cap as truncated."""
    generator = np.random.default_rng(0)
    grades = simulate_grades(generator.beta(1, 1, 30), range(8), generator)
    cut = [
        g if (g.output_tokens or 0) <= 8192 else Grade(g.task_id, g.seed, Verdict.TRUNCATED, is_cut_off=True)
        for g in grades
    ]
    (row,) = budgets.score_at_budgets(grades, [8192])
    shorter = results_of(cut)
    assert row["score"] == pytest.approx(shorter["avg_at_k"])
    assert row["confidence_interval"] == pytest.approx(shorter["results"]["confidence_interval"])
    assert row["truncated_share"] == pytest.approx(shorter["reasoning"]["truncated_share"])


def test_budgets_above_the_cap_or_without_token_counts_are_not_guessed() -> None:
    assert [row["budget"] for row in budgets.score_at_budgets([sample("a", 1, True, 5)], (8192, 65536), 16384)] == [
        8192, 16384,
    ]  # fmt: skip
    with pytest.raises(DataError, match="1 of 2 samples have no token count"):
        budgets.score_at_budgets([sample("a", 1, True, 5), sample("a", 2, True, None)])
    curve = budgets.budget_curve([sample("a", 1, True, 500), sample("a", 2, True, 1000)], 1024, points=4)
    assert [(row["budget"], row["score"]) for row in curve] == [(256, 0), (512, 0.5), (768, 0.5), (1024, 1)]


# --- loops


@pytest.mark.parametrize(
    "text",
    [
        "Start. " + "Wait, let me check. " * 50,
        "x" * 700,
        "So the answer is 5. " + "a paragraph that is rather long, with many words in it. " * 20 + "a paragraph that",
        "Long thought. " + "".join(f"sentence {i} of the period; " for i in range(100)) * 5,
        "".join(f"Alternatively, perhaps I can consider case {i}, but that is not helpful.\n\n" for i in range(200)),
    ],
)
def test_loops_are_found(text: str) -> None:
    loop = loops.find_loop(text)
    assert loop is not None
    assert 0 <= loop.start < len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "Wait. " * 20,
        "".join(random.Random(0).choices("etaoin shrdlu", k=20000)),
        "| 1 | 2 |\n" * 40,
        "".join(random.Random(1).choices("etaoin shrdlu", k=400)) * 3,  # a paragraph said three times
    ],
)
def test_honest_texts_are_no_loops(text: str) -> None:
    assert loops.find_loop(text) is None


def test_an_exact_loop_says_where_it_begins_and_how_often_it_repeats() -> None:
    loop = loops.find_loop("A prelude that ends here! " + "again and again; " * 60)
    assert loop is not None
    assert loop.kind == "exact"
    assert loop.start == pytest.approx(26, abs=1)
    assert loop.repeats == pytest.approx(60, abs=0.2)
    assert sorted(loop.unit) == sorted("again and again; ")


def test_real_answered_responses_hold_no_loop_and_runaway_ones_do(data_dir: pathlib.Path) -> None:
    rows = [json.loads(line) for line in (data_dir / "aime24_generations.jsonl").read_bytes().split(b"\n") if line]
    answered = [row["response_or_answer"] for row in rows if row["has_boxed"]]
    runaway = [row["response_or_answer"] for row in rows if not row["has_boxed"]]
    start = time.process_time()
    assert sum(loops.find_loop(text) is not None for text in answered) == 0
    found = sum(loops.find_loop(text) is not None for text in runaway)
    assert found > len(runaway) / 2
    assert time.process_time() - start < 2  # 11 MB of text


# --- contamination


def dated(generator: np.random.Generator, before: float, after: float, size: int = 120):
    ids = [str(position) for position in range(2 * size)]
    dates = {task_id: "2024-03-05T00:00:00" if int(task_id) < size else "2024-09-01" for task_id in ids}
    rates = np.clip(generator.beta(2, 2, 2 * size) + np.repeat([before, after], size), 0, 1)
    counts = Counts(generator.binomial(8, rates).astype(float), np.full(2 * size, 8.0))
    return counts, ids, dates


def test_a_fall_at_the_cutoff_is_found_and_agrees_with_scipy() -> None:
    counts, ids, dates = dated(np.random.default_rng(0), 0.2, 0.0)
    split = contamination.split_at_cutoff(counts, ids, dates, "2024-08-01")
    before, after = counts.rates[:120], counts.rates[120:]
    theirs = stats.ttest_ind(after, before, equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    assert split.confidence_interval == pytest.approx((low, high), rel=1e-3)
    assert split.p < 0.001
    assert (split.problems_before, split.problems_after) == (120, 120)
    on_the_day = contamination.split_at_cutoff(counts, ids, dates, "2024-09-01")
    assert on_the_day.problems_after == 120
    assert split.difference == pytest.approx(after.mean() - before.mean())
    assert "contamination, or harder problems; difficulty is not known" in split.verdict
    level = contamination.split_at_cutoff(*dated(np.random.default_rng(1), 0.0, 0.0), "2024-08-01")
    assert level.verdict == "no difference beyond chance before and after the cut-off"


def test_permutation_p_agrees_with_scipys() -> None:
    counts, ids, dates = dated(np.random.default_rng(2), 0.06, 0.0, size=60)
    ours = contamination.split_at_cutoff(counts, ids, dates, "2024-08").p
    theirs = stats.permutation_test(
        (counts.rates[:60], counts.rates[60:]),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        vectorized=True,
        n_resamples=4000,
        rng=0,
    ).pvalue
    assert ours == pytest.approx(theirs, abs=0.03)


def test_harder_problems_are_told_from_contamination() -> None:
    """More hard problems after the cut-off, each as hard as before."""
    generator = np.random.default_rng(3)
    ids = [str(position) for position in range(300)]
    is_hard = [position % 5 == 0 if position < 150 else position % 5 != 0 for position in range(300)]
    dates = {task_id: "2024-01-01" if int(task_id) < 150 else "2024-12-01" for task_id in ids}
    strata = {task_id: "hard" if hard else "easy" for task_id, hard in zip(ids, is_hard, strict=True)}
    rates = np.where(is_hard, 0.2, 0.9)
    counts = Counts(generator.binomial(8, rates).astype(float), np.full(300, 8.0))
    split = contamination.split_at_cutoff(counts, ids, dates, "2024-08-01", strata)
    assert split.difference < -0.3
    assert abs(split.difference_within_strata or 1) < 0.03
    assert "the problems are harder" in split.verdict
    memorised = Counts(np.where(np.arange(300) < 150, 8.0, counts.correct), counts.samples)
    split = contamination.split_at_cutoff(memorised, ids, dates, "2024-08-01", strata)
    assert "what contamination would look like" in split.verdict


def test_months_come_in_order_with_intervals_and_nothing_is_said_without_dates() -> None:
    counts = counts_of([8, 4, 0], 8)
    rows = contamination.score_by_month(counts, ["a", "b", "c"], {"a": "2025-01-04", "b": "2024-08", "c": "2024-08-30"})
    assert [(row["month"], row["problems"], row["score"]) for row in rows] == [
        ("2024-08", 2, 0.25),
        ("2025-01", 1, 1.0),
    ]
    assert rows[1]["confidence_interval"] is None
    with pytest.raises(DataError, match="problem c has no date"):
        contamination.score_by_month(counts, ["a", "b", "c"], {"a": "2024-08-01", "b": "2024-08-01"})
    with pytest.raises(DataError, match="is no date"):
        contamination.parse_date("August")
    with pytest.raises(UsageError, match="both sides need two"):
        contamination.split_at_cutoff(counts, ["a", "b", "c"], dict.fromkeys("abc", "2024-08-01"), "2020-01-01")


def test_1055_problems_are_tested_within_two_seconds() -> None:
    counts, ids, dates = dated(np.random.default_rng(4), 0.0, 0.0, size=527)
    strata = {task_id: str(int(task_id) % 3) for task_id in ids}
    start = time.process_time()
    contamination.split_at_cutoff(counts, ids, dates, "2024-08-01", strata)
    assert time.process_time() - start < 4


# --- published figures


def test_pains_13_consistent_or_not_with_the_interval_and_where_to_look() -> None:
    """MiMo #4, OREAL #5: teams that could not tell whether they had matched 72.6."""
    generator = np.random.default_rng(5)
    grades = simulate_grades(generator.beta(1.5, 0.6, 30), range(64), generator)
    ours = results_of(grades)["avg_at_k"]
    near = results_of(grades, published={"value": 100 * ours + 1.0, "source": "model card"})["published"]
    assert near["consistent"] is True
    assert near["verdict"].startswith("consistent: ours ")
    assert near["look_at_first"] == []
    far = results_of(
        grades,
        published={"value": ours + 0.06, "source": "model card"},
        settings={**SETTINGS, "temperature": 1.0},
    )["published"]
    assert far["consistent"] is False
    assert far["difference_interval"][1] < 0
    assert any("temperature is 1.0" in item for item in far["look_at_first"])
    assert far["source"] == "model card"


def test_a_run_of_the_same_model_is_consistent_95_times_in_a_hundred() -> None:
    generator = np.random.default_rng(6)
    rates = generator.beta(1.5, 0.6, 30)
    agreed = 0
    for _ in range(200):
        runs = [generator.binomial(64, rates) / 64 for _ in range(2)]
        results = {
            "complete": True, "claimable": True, "avg_at_k": runs[0].mean(), "samples_per_problem": 64,
            "sampling_error": float(np.sqrt(np.sum(runs[0] * (1 - runs[0]) / 63)) / 30), "settings": SETTINGS,
            "set": {"name": "aime24", "count": 30}, "grader": {},
            "reasoning": {"truncated_share": 0.0, "closed_share": 1.0},
        }  # fmt: skip
        agreed += bool(judge_published({"value": round(100 * runs[1].mean(), 1)}, results)["consistent"])
    assert 0.91 <= agreed / 200 <= 0.99


@pytest.mark.parametrize(
    ("published", "reason"),
    [
        ({"set": "aime25"}, "the published figure is for aime25"),
        ({"max_new_tokens": 65536}, "cap of 65536"),
        ({"problems": 30}, "for 30 problems, this run has 2"),
    ],
)
def test_another_set_or_cap_cannot_be_judged(published: dict, reason: str) -> None:
    grades = grades_from_rows({"1": [1, 0], "2": [1, 1]}, [1, 2])
    judged = results_of(grades, published={"value": 72.6, "source": "card", **published})["published"]
    assert judged["consistent"] is None
    assert reason in judged["verdict"]


def test_figures_for_parts_of_a_set_are_held_against_those_parts() -> None:
    """LiveCodeBench: one run over all problems, published figures for v5 and v6."""
    generator = np.random.default_rng(11)
    rates, ids = generator.beta(1, 1, 60), [str(i) for i in range(60)]
    labels = {"version": {i: "v5" if int(i) < 35 else "v6" for i in ids}}
    part = {"breakdown": "version", "source": "card"}
    grades = simulate_grades(rates, range(8), generator, ids)
    ours = results_of(grades, labels=labels)["breakdowns"]["version"]
    figures = [
        {**part, "label": "v5", "value": 100 * ours["v5"]["accuracy"] + 0.5, "problems": 35},
        {**part, "label": "v6", "value": 100 * ours["v6"]["accuracy"] + 20},
    ]
    both = results_of(grades, labels=labels, published=figures)["published"]
    assert [item["consistent"] for item in both["parts"]] == [True, False]
    assert both["consistent"] is False
    assert both["verdict"].startswith("v5: consistent: ours ")
    assert "; v6: not consistent: ours " in both["verdict"]
    assert both["look_at_first"]
    assert both["source"] == "card"
    absent = results_of(grades, labels=labels, published={**figures[0], "label": "v7"})["published"]
    assert absent["consistent"] is None
    assert "no version v7" in absent["verdict"]
    few = results_of(grades, labels=labels, published={**figures[0], "problems": 279})["published"]
    assert "for 279 problems, this run has 35" in few["verdict"]


def test_an_incomplete_or_single_sample_run_cannot_be_judged() -> None:
    grades = grades_from_rows({"1": [1, 0], "2": [1]}, [1, 2])
    part = results_of(grades, allow_incomplete=True, published={"value": 72.6, "source": "card"})
    assert part["published"]["consistent"] is None
    single = results_of(grades_from_rows({"1": [1], "2": [0]}, [1]), published={"value": 72.6, "source": "card"})
    assert "one sample per problem" in single["published"]["verdict"]


# --- planner and canary


def test_pains_46_planner_gives_the_k_that_a_width_needs() -> None:
    generator = np.random.default_rng(7)
    rates = generator.beta(1, 0.6, 30)
    pilot = Counts(generator.binomial(64, rates).astype(float), np.full(30, 64.0))
    plan = planner.plan_k(30, 0.01, pilot)
    means = [generator.binomial(plan.needed, rates).mean() / plan.needed for _ in range(3000)]
    assert np.mean(np.abs(np.array(means) - rates.mean()) <= 0.01) == pytest.approx(0.95, abs=0.025)
    assert plan.problem_half_width is not None
    assert plan.problem_half_width > 0.05
    worst = planner.plan_k(30, 0.01)
    assert worst.needed == 321  # 0.25 / 30 * (1.96 / 0.01)^2
    assert worst.needed > plan.needed
    with pytest.raises(UsageError, match="half-width"):
        planner.plan_k(30, 0.0)


def test_planner_learns_without_bias_from_few_samples() -> None:
    generator = np.random.default_rng(10)
    rates = generator.beta(1, 1, 40)
    widths = []
    for _ in range(400):
        pilot = Counts(generator.binomial(2, rates).astype(float), np.full(40, 2.0))
        widths.append(planner.plan_k(40, 0.01, pilot).rows[0][1])
    exact = 1.959964**2 * float(np.sum(rates * (1 - rates))) / 40**2
    assert np.mean(np.square(widths)) == pytest.approx(exact, rel=0.05)


def test_planner_command_speaks_of_both_errors(tmp_path: pathlib.Path) -> None:
    generator = np.random.default_rng(0)
    write_run(tmp_path / "aime24", simulate_grades(generator.beta(1, 1, 30), range(8), generator))
    answer = command("tools.analysis.planner", tmp_path, "--half-width", "2")
    assert answer.returncode == 0
    assert "For +- 2.00 points:" in answer.stdout
    assert "whatever the number of seeds" in answer.stdout
    assert command("tools.analysis.planner", "--half-width", "x").returncode == 2
    assert "half-width between" in command("tools.analysis.planner", "--half-width", "0").stderr


def test_pains_07_canary_sounds_when_a_version_breaks_and_is_quiet_otherwise(tmp_path: pathlib.Path) -> None:
    """vLLM #15533, #17689: a new release scores lower, and nobody has a small test for it."""
    generator = np.random.default_rng(8)
    rates = generator.beta(1, 0.6, 30)
    write_run(tmp_path / "full", simulate_grades(rates, range(100, 164), generator), model="/models/some-7B/")
    made = command("tools.analysis.canary", "make", tmp_path / "full", tmp_path / "canary.json")
    assert made.returncode == 0, made.stderr
    expectation = json.loads((tmp_path / "canary.json").read_text())
    assert len(expectation["expected"]) == 5
    assert len(expectation["seeds"]) == 8
    chosen = list(expectation["expected"])
    false_alarms = 0
    for _ in range(200):
        grades = simulate_grades([rates[int(i)] for i in chosen], range(8), generator, chosen)
        write_run(tmp_path / "good", grades, model="org/some-7B")
        (run,) = find_runs(tmp_path / "good").values()
        false_alarms += canary.check_expectation(run, expectation).is_alarm
    assert false_alarms <= 8
    write_run(tmp_path / "broken", grades_from_rows({i: [0] * 8 for i in chosen}, range(8)), model="org/some-7B")
    answer = command("tools.analysis.canary", "check", tmp_path / "broken", tmp_path / "canary.json")
    assert answer.returncode == 1
    assert answer.stdout.startswith("ALARM: 0.0 % on 5 problems")
    write_run(tmp_path / "warm", grades, settings={**SETTINGS, "temperature": 1.0}, model="some-7B")
    (run,) = find_runs(tmp_path / "warm").values()
    with pytest.raises(SettingsMismatch, match="temperature"):
        canary.check_expectation(run, expectation)
    with pytest.raises(StorageError, match="no canary expectation"):
        canary.read_expectation(tmp_path / "full" / "accuracy_results.json")


# --- everything together


def test_analysis_of_a_folder_says_what_is_not_known(tmp_path: pathlib.Path) -> None:
    """A folder of the original toolkit: no token counts, no dates, no manifest, and here no generations any more."""
    write_run(tmp_path, grades_from_rows({"1": [1, 0], "2": [1, 1]}, [1, 2]))
    (run,) = find_runs(tmp_path).values()
    record = analyse(run, cutoff="2024-08-01")
    assert record["budgets"] is None
    assert record["months"] is None
    assert record["texts"] is None
    assert [reason.split(",")[0][-30:] for reason in record["unknown"]] != []
    assert len(record["unknown"]) == 3
    answer = command("tools.analysis", tmp_path)
    assert answer.returncode == 0
    assert answer.stdout.count("Unknown: ") == 3


def test_analysis_of_a_whole_run_prints_every_part(tmp_path: pathlib.Path) -> None:
    generator = np.random.default_rng(9)
    ids = [str(i) for i in range(40)]
    grades = simulate_grades(generator.beta(1, 1, 40), range(8), generator, ids)
    texts = {(g.task_id, g.seed): f"{g.task_id} {g.seed} done" for g in grades}
    texts["0", 0] = "Wait, let me check. " * 100
    texts["1", 1] = texts["1", 2] = "the same"
    labels = {
        "contest_date": {i: f"2024-{int(i) % 12 + 1:02}-15" for i in ids},
        "difficulty": {i: "easy" if int(i) % 2 else "hard" for i in ids},
    }
    write_run(tmp_path / "lcb", grades, texts=texts, labels=labels, published={"value": 50.0, "source": "card"})
    answer = command("tools.analysis", tmp_path, "--cutoff", "2024-08-01")
    assert answer.returncode == 0, answer.stderr
    for part in (
        "Truncated:",
        "Score at smaller budgets",
        "Score by month",
        "Cut-off 2024-08-01",
        "within equal",
        "Loops: 1 of",
    ):
        assert part in answer.stdout
    (record,) = json.loads(command("tools.analysis", tmp_path, "--json").stdout)
    assert record["texts"]["repeated_responses"] == 1
    assert record["texts"]["loops_listed"][0]["kind"] == "exact"
    assert record["unknown"] == []
