"""How long responses are, and what length has to do with being right; what is not known is not invented."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.fake_runs import grade_of
from tools.analysis import lengths


def test_lengths_by_outcome_and_within_problems() -> None:
    grades = [
        grade_of("easy", 1, True, 100),
        grade_of("easy", 2, False, 300),
        grade_of("hard", 1, True, 1000),
        grade_of("hard", 2, False, 1400),
        grade_of("hard", 3, False, None, is_cut_off=True, closes_reasoning=False),
        grade_of("never", 1, False, 9000, closes_reasoning=True, is_correct_in_reasoning=True),
    ]
    record = lengths.describe_lengths(grades)
    assert record.samples == 6
    assert record.with_token_count == 5
    assert record.truncated_share == pytest.approx(1 / 6)
    assert record.unclosed_share == pytest.approx(1 / 2)
    assert record.correct_in_reasoning_only == 1
    assert record.tokens_correct is not None
    assert record.tokens_correct.mean == 550
    assert record.wrong_minus_correct == pytest.approx((200 + 400) / 2)
    assert record.wrong_minus_correct_problems == 2


def test_lengths_unknown_are_not_invented() -> None:
    record = lengths.describe_lengths([grade_of("1", 1, True, None)])
    assert record.tokens is None
    assert record.unclosed_share is None
    assert record.wrong_minus_correct is None
    assert lengths.accuracy_by_length([grade_of("1", 1, True, None)]) == []


def test_accuracy_by_length_bins_every_sample_once() -> None:
    grades = [
        grade_of(str(i % 5), i, i % 2 == 0, tokens) for i, tokens in enumerate([0, 1023, 1024, 5000, 32767, 32768])
    ]
    rows = lengths.accuracy_by_length(grades)
    assert [(row.low, row.high, row.samples) for row in rows] == [
        (0, 1024, 2), (1024, 2048, 1), (4096, 8192, 1), (24576, 32768, 1), (32768, None, 1),
    ]  # fmt: skip
    assert rows[0].accuracy == 0.5
    assert rows[-1].interval is None  # a single problem


def test_ratio_interval_covers_where_problems_have_unequal_numbers_of_samples() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(1500):
        rates, sizes = generator.beta(1.5, 1, 40), generator.integers(1, 20, 40)
        rows = [(generator.random(size) < rate).astype(int).tolist() for rate, size in zip(rates, sizes, strict=True)]
        low, high = lengths.ratio_interval(rows) or (0, 0)
        held += low <= 0.6 <= high
    assert 0.93 <= held / 1500 <= 0.97
