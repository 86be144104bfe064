"""maj@k: the score of the most frequent answer among k samples, ties split, exactly.

A problem's n samples fall into classes of equal answers (tools/grading/votes.py); a sample without an answer
has no vote. maj@k is the mean, over all C(n, k) ways to take k of the n samples, of the credit of the winning class;
where t classes tie, each wins with 1/t. Nothing is drawn at random: the mean is computed.

>>> maj_at_k([VoteClass(2, 1.0), VoteClass(2, 0.0)], abstentions=0, ks=[1, 4])
{1: 0.5, 4: 0.5}

How: fix the class c and its number of votes x. It wins if every other class has at most x votes. Class d with n_d
samples contributes the polynomial  sum_{j<x} C(n_d, j) z^j + u C(n_d, x) z^x,  where u marks a tie; the coefficient of
z^(k-x) counts the draws, as a polynomial in u, and T ties count 1/(T+1), the integral of u^T over 0..1, which
Gauss-Legendre nodes give exactly. All terms are positive, so nothing cancels.
Source of maj@k: Wang et al. 2022, "self-consistency" (arXiv:2203.11171). Ties are split by chance, not by order, since
the order of samples carries no information.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tools.errors import DataError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, order=True)
class VoteClass:
    """Samples with equal answers; `credit` is the share of them graded correct (0 or 1 unless the grader wavers)."""

    samples: int
    credit: float


def vote_classes(answers: Sequence[Hashable | None], is_correct: Sequence[bool]) -> tuple[list[VoteClass], int]:
    """Classes and number of abstentions of one problem, from class numbers (None: no answer) and verdicts."""
    if len(answers) != len(is_correct):
        raise DataError("every sample needs both a class of answers and a verdict")
    tally: dict[Hashable, list[int]] = {}
    for answer, correct in zip(answers, is_correct, strict=True):
        if answer is not None:
            entry = tally.setdefault(answer, [0, 0])
            entry[0] += 1
            entry[1] += bool(correct)
    return [VoteClass(total, right / total) for total, right in tally.values()], sum(a is None for a in answers)


def maj_at_k(classes: Sequence[VoteClass], *, abstentions: int, ks: Sequence[int]) -> dict[int, float]:
    """maj@k of one problem for each k; raises DataError when a k exceeds the number of samples."""
    total = sum(vote.samples for vote in classes) + abstentions
    if any(k < 1 or k > total for k in ks):
        raise DataError(f"maj@k needs 1 <= k <= {total}, the number of samples of the problem; asked for {list(ks)}")
    values = _maj_at_ks(tuple(sorted(classes)), abstentions, tuple(ks))
    return dict(zip(ks, values, strict=True))


@lru_cache(maxsize=8192)
def _maj_at_ks(classes: tuple[VoteClass, ...], abstentions: int, ks: tuple[int, ...]) -> tuple[float, ...]:
    total = sum(vote.samples for vote in classes) + abstentions
    partial = [k for k in ks if k < total]
    wins = np.zeros(max(partial, default=0) + 1)
    if partial:
        for position, vote in enumerate(classes):
            if vote.credit > 0:
                others = [other.samples for other in classes[:position] + classes[position + 1 :]]
                wins += vote.credit * _winning_draws(vote.samples, others, abstentions, max(partial))
    return tuple(_full_vote(classes) if k == total else float(wins[k] / math.comb(total, k)) for k in ks)


def _full_vote(classes: tuple[VoteClass, ...]) -> float:
    most = max((vote.samples for vote in classes), default=0)
    return float(np.mean([vote.credit for vote in classes if vote.samples == most])) if most else 0.0


def _winning_draws(own: int, others: list[int], abstentions: int, largest_k: int) -> Array:
    """For each k up to `largest_k`: in how many draws of k samples this class wins, ties counted in parts."""
    votes = np.arange(1, min(own, largest_k) + 1)
    nodes, weights = _unit_interval_nodes(len(others) // 2 + 1)
    counts = np.zeros((len(votes), len(nodes), largest_k + 1))  # ways to fill k places with the classes seen so far
    counts[:, :, 0] = 1.0
    most_taken = range(1, min(max(others, default=0), int(votes[-1])) + 1)
    factors = [
        np.where(n < votes[:, None], 1.0, np.where(n == votes[:, None], nodes[None, :], 0.0)) for n in most_taken
    ]
    for size in others:
        grown = counts.copy()  # none is taken of this class
        for taken, factor in zip(range(1, size + 1), factors, strict=False):
            ways = factor * math.comb(size, taken)
            grown[:, :, taken:] += ways[:, :, None] * counts[:, :, : largest_k + 1 - taken]
        counts = grown
    per_votes = np.einsum("u,xuk->xk", weights, counts)
    free = np.array([math.comb(abstentions, j) for j in range(min(abstentions, largest_k) + 1)], float)
    wins = np.zeros(largest_k + 1)
    for row, x in enumerate(votes):
        filled = np.convolve(per_votes[row], free)[: largest_k + 1 - x]
        wins[x:] += math.comb(own, int(x)) * filled
    return wins


@lru_cache(maxsize=64)
def _unit_interval_nodes(number: int) -> tuple[Array, Array]:
    """Gauss-Legendre on 0..1: exact for polynomials of degree 2 number - 1."""
    nodes, weights = np.polynomial.legendre.leggauss(number)
    return (nodes + 1.0) / 2.0, weights / 2.0
