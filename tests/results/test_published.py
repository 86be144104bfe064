"""Consistent with a published figure or not, of which the doubts and the figure's own samples decide."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from tests.support.fake_runs import SETTINGS, grades_from_rows, results_of, simulate_grades
from tools.results import published
from tools.results.published import Measured, Published, judge, published_for
from tools.results.results import Results


def test_consistent_or_not_with_the_interval_and_where_to_look() -> None:
    """Teams that could not tell whether they had matched 72.6."""
    generator = np.random.default_rng(5)
    grades = simulate_grades(generator.beta(1.5, 0.6, 30), range(64), generator)
    ours = results_of(grades).score.mean
    near = results_of(grades, published=Published(ours + 0.01, "model card")).published
    assert near is not None
    assert near.is_consistent is True
    assert near.verdict.startswith("consistent: ours ")
    assert near.look_at_first == ()
    far = results_of(
        grades,
        published=Published(ours + 0.06, "model card"),
        settings={**SETTINGS, "temperature": 1.0},
    ).published
    assert far is not None
    assert far.is_consistent is False
    assert far.interval is not None
    assert far.interval[1] < 0
    assert any("temperature is 1.0" in item for item in far.look_at_first)
    assert far.source == "model card"


def test_a_run_of_the_same_model_is_consistent_95_times_in_a_hundred() -> None:
    generator = np.random.default_rng(6)
    rates = generator.beta(1.5, 0.6, 30)
    agreed = 0
    for _ in range(200):
        runs = [generator.binomial(64, rates) / 64 for _ in range(2)]
        error = float(np.sqrt(np.sum(runs[0] * (1 - runs[0]) / 63)) / 30)
        ours = Measured(float(runs[0].mean()), error, 30, "aime24", 64, settings=SETTINGS, closed_share=1.0)
        agreed += bool(judge(Published(round(float(runs[1].mean()), 3)), ours).is_consistent)
    assert 0.91 <= agreed / 200 <= 0.99


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"subset": "aime25"}, "the published figure is for aime25"),
        ({"max_new_tokens": 65536}, "cap of 65536"),
        ({"problems": 30}, "for 30 problems, this run has 2"),
    ],
)
def test_another_set_or_cap_cannot_be_judged(known: dict[str, Any], reason: str) -> None:
    grades = grades_from_rows({"1": [1, 0], "2": [1, 1]}, [1, 2])
    judged = results_of(grades, published=Published(0.726, "card", **known)).published
    assert judged is not None
    assert judged.is_consistent is None
    assert reason in judged.verdict


def test_figures_for_parts_of_a_set_are_held_against_those_parts() -> None:
    """LiveCodeBench: one run over all problems, published figures for v5 and v6."""
    generator = np.random.default_rng(11)
    rates, ids = generator.beta(1, 1, 60), [str(i) for i in range(60)]
    labels = {"version": {i: "v5" if int(i) < 35 else "v6" for i in ids}}
    grades = simulate_grades(rates, range(8), generator, ids)
    ours = results_of(grades, labels=labels).breakdowns["version"]
    figures = [
        Published(ours["v5"].accuracy + 0.005, "card", breakdown="version", label="v5", problems=35),
        Published(ours["v6"].accuracy + 0.2, "card", breakdown="version", label="v6"),
    ]
    both = results_of(grades, labels=labels, published=figures).published
    assert both is not None
    assert [item.is_consistent for item in both.parts] == [True, False]
    assert both.is_consistent is False
    assert both.verdict.startswith("v5: consistent: ours ")
    assert "; v6: not consistent: ours " in both.verdict
    assert both.look_at_first
    assert both.source == "card"
    absent = results_of(grades, labels=labels, published=dataclasses.replace(figures[0], label="v7")).published
    assert absent is not None
    assert absent.is_consistent is None
    assert "no version v7" in absent.verdict
    few = results_of(grades, labels=labels, published=dataclasses.replace(figures[0], problems=279)).published
    assert few is not None
    assert "for 279 problems, this run has 35" in few.verdict


def test_an_incomplete_or_single_sample_run_cannot_be_judged() -> None:
    grades = grades_from_rows({"1": [1, 0], "2": [1]}, [1, 2])
    part = results_of(grades, allow_incomplete=True, published=Published(0.726, "card"))
    assert part.published is not None
    assert part.published.is_consistent is None
    single = results_of(grades_from_rows({"1": [1], "2": [0]}, [1]), published=Published(0.726, "card"))
    assert "one sample per problem" in ((single.published and single.published.verdict) or "")


def test_the_cards_own_number_of_samples_decides_how_far_it_may_lie() -> None:
    """A figure of 8 samples is less sure than one of 64: the same distance is consistent with one and not the other."""
    generator = np.random.default_rng(12)
    grades = simulate_grades(generator.beta(1.5, 0.6, 30), range(64), generator)
    score = results_of(grades).score
    assert score.sampling_error is not None
    figure = Published(score.mean + 3.5 * score.sampling_error, "card")
    for samples, is_consistent in ((64, False), (8, True)):
        found = results_of(grades, published=dataclasses.replace(figure, samples_per_problem=samples)).published
        assert found is not None
        assert found.is_consistent is is_consistent


def test_published_figures_and_their_samples_are_read_from_the_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    card = published_for("/models/AceReason-Nemotron-7B", "aime24", problems=30)
    assert card is not None
    assert (card.value, card.samples_per_problem, card.subset, card.problems) == (0.69, 64, "aime24", 30)
    part = published_for("nvidia/AceReason-Nemotron-7B", "livecodebench", 279, subset="v5")
    assert part is not None
    assert (part.value, part.samples_per_problem, part.subset, part.problems) == (0.518, 8, "v5", 279)
    assert published_for("nvidia/AceReason-Nemotron-7B", "amc23", 40) is None
    assert published_for("some/other", "aime24", 30) is None
    other = dataclasses.replace(published.find_preset("nvidia/AceReason-Nemotron-7B"), published_samples={"aime24": 16})
    monkeypatch.setattr(published, "find_preset", lambda _: other)
    changed = published_for("nvidia/AceReason-Nemotron-7B", "aime24", 30)
    assert changed is not None
    assert changed.samples_per_problem == 16


@pytest.mark.parametrize("shape", ["one figure", "several"])
def test_a_comparison_is_written_and_read_back(shape: str) -> None:
    grades = grades_from_rows({"1": [1, 0], "2": [1, 1]}, [1, 2])
    figures = [Published(0.726, "card", subset="aime24", samples_per_problem=64), Published(0.5, "paper")]
    results = results_of(grades, published=figures[:1] if shape == "one figure" else figures)
    row = json.loads(json.dumps(results.to_json()))
    assert Results.from_json(row) == results
    assert ("parts" in row["published"]) is (shape == "several")


def test_a_doubt_reaches_headline_and_comparison() -> None:
    """Both used to be computed before an unprotected run was known to be one, and did not show it."""
    grades = grades_from_rows({"1": [1, 0], "2": [1, 1]}, [1, 2])
    doubt = "programs ran without seccomp: they could have read the expected outputs"
    card = Published(0.75, "card")
    for results in (
        results_of(grades, published=card, doubts=[doubt]),
        dataclasses.replace(results_of(grades, published=card), doubts=(doubt,)),
    ):
        for read in (results, Results.from_json(results.to_json())):
            assert not read.is_claimable
            assert doubt in read.headline
            assert read.published is not None
            assert read.published.is_consistent is None
            assert doubt in read.published.verdict
            assert doubt in read.to_json()["headline"]
