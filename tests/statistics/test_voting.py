"""maj@k against enumeration of all draws; ties, abstentions, wavering graders."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import DataError
from tools.statistics.voting import VoteClass, maj_at_k, vote_classes


def enumerate_votes(classes: list[VoteClass], abstentions: int, k: int) -> float:
    """Mean credit of the winner over all C(n, k) draws, ties shared equally."""
    pool: list[int | None] = [index for index, vote in enumerate(classes) for _ in range(vote.samples)]
    pool += [None] * abstentions
    credits = []
    for draw in itertools.combinations(pool, k):
        tally = Counter(answer for answer in draw if answer is not None)
        winners = [answer for answer, votes in tally.items() if votes == max(tally.values())]
        credits.append(sum(classes[winner].credit for winner in winners) / len(winners) if winners else 0.0)
    return sum(credits) / len(credits)


vote = st.builds(VoteClass, st.integers(1, 4), st.sampled_from([0.0, 0.0, 1.0, 0.5]))


@settings(max_examples=60, deadline=None)
@given(st.lists(vote, max_size=4), st.integers(0, 3))
def test_maj_at_k_equals_enumeration(classes: list[VoteClass], abstentions: int) -> None:
    total = sum(item.samples for item in classes) + abstentions
    ks = list(range(1, total + 1))
    ours = maj_at_k(classes, abstentions=abstentions, ks=ks)
    for k in ks:
        assert ours[k] == pytest.approx(enumerate_votes(classes, abstentions, k), abs=1e-12)


def test_ties_are_split_evenly() -> None:
    assert maj_at_k([VoteClass(3, 1.0), VoteClass(3, 0.0)], abstentions=0, ks=[6])[6] == 0.5
    assert maj_at_k([VoteClass(1, 1.0)] + [VoteClass(1, 0.0)] * 3, abstentions=0, ks=[4])[4] == 0.25


def test_no_answer_has_no_vote() -> None:
    classes, abstentions = vote_classes([None, None, None, 0], [False, False, False, True])
    assert (classes, abstentions) == ([VoteClass(1, 1.0)], 3)
    assert maj_at_k(classes, abstentions=abstentions, ks=[1, 4]) == {1: 0.25, 4: 1.0}
    assert maj_at_k([], abstentions=4, ks=[1, 4]) == {1: 0.0, 4: 0.0}


def test_maj_at_1_is_the_average() -> None:
    classes, abstentions = vote_classes([0, 0, 1, None], [True, True, False, False])
    assert maj_at_k(classes, abstentions=abstentions, ks=[1])[1] == pytest.approx(0.5)


def test_a_class_on_which_the_grader_wavers_has_its_share_as_credit() -> None:
    classes, _ = vote_classes([7, 7], [True, False])
    assert classes == [VoteClass(2, 0.5)]


def test_k_beyond_the_samples_and_unequal_lists_are_errors() -> None:
    with pytest.raises(DataError, match="1 <= k <= 2"):
        maj_at_k([VoteClass(2, 1.0)], abstentions=0, ks=[3])
    with pytest.raises(DataError, match="both a class"):
        vote_classes([1], [])
