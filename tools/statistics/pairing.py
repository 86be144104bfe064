"""Two models on the same problems: the difference, its two errors, exact permutation tests, power and planning.

The difference of problem i is d_i = rate of B minus rate of A; samples of one problem are one cluster. Two questions:

- *on these problems*: would other seeds show the difference again? Samples of A and B are exchangeable under the null;
- *for problems like these*: would other problems show it too? Under the null each d_i is as likely as -d_i.

>>> a, b = Counts.from_rows([[1, 0], [1, 1], [0, 0]]), Counts.from_rows([[1, 1], [1, 1], [1, 0]])
>>> comparison = compare_counts(a, b)
>>> round(comparison.difference, 3), comparison.p_problems, round(comparison.p_sampling, 3)
(0.333, 0.5, 0.5)

Both permutation distributions are computed whole, by convolution, since all counts are whole numbers: no random draws,
the same p every time. Where a grader gives shares of points, the t and normal tests of the same two questions stand in
their place. Sources: Fisher 1935 (randomization of pairs); Miller 2024 (arXiv:2411.00640) for paired,
clustered differences; Holm 1979 for many looks; power by the approximation of Johnson and Kotz to the noncentral t.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.errors import DataError
from tools.statistics import estimators
from tools.statistics.distributions import normal_cdf, normal_quantile, two_sided_p, two_sided_t_quantile
from tools.statistics.estimators import Counts, Interval

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

POWER = 0.8
_TIE = 1e-9  # probabilities closer than this count as equal, so that rounding splits no tie


@dataclass(frozen=True)
class PairedComparison:
    """B minus A, as fractions. `*_problems` speaks of problems like these, `*_sampling` of these very problems."""

    problems: int
    samples: tuple[int, int]
    scores: tuple[float, float]
    difference: float
    interval: Interval | None
    p_problems: float
    error_problems: float | None
    smallest_visible_problems: float | None
    sampling_interval: Interval | None
    p_sampling: float
    error_sampling: float | None
    smallest_visible_sampling: float | None

    def power(self, difference: float, level: float = estimators.DEFAULT_LEVEL) -> float | None:
        """Chance that a run like this one finds a true difference of this size, for problems like these."""
        if not self.error_problems:
            return None
        return power_of_t_test(difference, self.error_problems, self.problems - 1, level)


def compare_counts(first: Counts, second: Counts, level: float = estimators.DEFAULT_LEVEL) -> PairedComparison:
    """Everything about B - A. Both must hold the same problems in the same order, each with one k for all problems."""
    if first.problems != second.problems:
        raise DataError(f"{first.problems} and {second.problems} problems cannot be paired; grade both on one set")
    if first.is_ragged or second.is_ragged:
        raise DataError("problems have unequal numbers of samples, so runs cannot be paired; complete both first")
    differences = second.rates - first.rates
    problem_se = estimators.clustered_error(differences)
    sampling_se = _sampling_error_of_difference(first, second)
    mean = float(np.mean(differences))
    sampling = None
    if sampling_se is not None:
        half = two_sided_t_quantile(level, math.inf) * sampling_se
        sampling = Interval(mean - half, mean + half, level, "normal, paired", estimators.SAMPLING_ONLY)
    freedom = first.problems - 1
    is_exact = first.is_binary and second.is_binary
    return PairedComparison(
        problems=first.problems,
        samples=(int(first.samples[0]), int(second.samples[0])),
        scores=(estimators.avg_at_k(first), estimators.avg_at_k(second)),
        difference=mean,
        interval=estimators.t_interval(differences, level),
        p_problems=sign_flip_p(first, second) if is_exact else _p_of(mean, problem_se, freedom),
        error_problems=problem_se,
        smallest_visible_problems=_smallest_visible(problem_se, freedom, level),
        sampling_interval=sampling,
        p_sampling=exchange_p(first, second) if is_exact else _p_of(mean, sampling_se, math.inf),
        error_sampling=sampling_se,
        smallest_visible_sampling=_smallest_visible(sampling_se, math.inf, level),
    )


def _p_of(difference: float, error: float | None, degrees_of_freedom: float) -> float:
    """Two-sided p of a difference with this standard error; 1 where no error is known, since then nothing is shown."""
    if not error:
        return 1.0 if difference == 0 or error is None else 0.0
    return two_sided_p(difference / error, degrees_of_freedom)


def _sampling_error_of_difference(first: Counts, second: Counts) -> float | None:
    errors = estimators.sampling_error(first), estimators.sampling_error(second)
    if errors[0] is None or errors[1] is None:
        return None
    return math.hypot(errors[0], errors[1])


# --- exact permutation tests --------------------------------------------------------------------------------------


def sign_flip_p(first: Counts, second: Counts) -> float:
    """Exact two-sided p under d_i ~ -d_i: the share of all 2^n sign patterns with a mean at least as far from 0."""
    k_a, k_b = int(first.samples[0]), int(second.samples[0])
    steps = np.abs((second.correct * k_a - first.correct * k_b).astype(np.int64))
    signed = (second.correct * k_a - first.correct * k_b).astype(np.int64)
    unit = int(np.gcd.reduce(steps)) or 1
    steps, observed = steps[steps > 0] // unit, abs(int(signed.sum())) // unit
    total = int(steps.sum())
    chances = np.zeros(2 * total + 1)  # chances[s + total]: probability of a signed sum s
    chances[total] = 1.0
    for step in steps.tolist():
        chances = 0.5 * (np.roll(chances, step) + np.roll(chances, -step))  # nothing wraps: |s| never exceeds total
    sums = np.abs(np.arange(-total, total + 1))
    return min(1.0, float(chances[sums >= observed].sum()))


def exchange_p(first: Counts, second: Counts) -> float:
    """Exact two-sided p under exchange of samples within each problem: the sum of hypergeometric counts, convolved."""
    k_a, k_b = int(first.samples[0]), int(second.samples[0])
    chances: Array = np.ones(1)
    offset = 0
    expected = 0.0
    for right_a, right_b in zip(first.correct.astype(int).tolist(), second.correct.astype(int).tolist(), strict=True):
        lowest, weights = hypergeometric(right_a + right_b, k_a, k_b)
        chances = np.asarray(np.convolve(chances, weights), np.float64)
        offset += lowest
        expected += (right_a + right_b) * k_a / (k_a + k_b)
    sums = np.arange(offset, offset + len(chances))
    observed = abs(float(first.correct.sum()) - expected)
    return min(1.0, float(chances[np.abs(sums - expected) >= observed - _TIE].sum()))


def hypergeometric(right: int, k_a: int, k_b: int) -> tuple[int, Array]:
    """(smallest value, probabilities) of how many of `right` correct samples fall to A, which takes k_a of k_a + k_b."""
    lowest, highest = max(0, right - k_b), min(right, k_a)
    total = math.comb(k_a + k_b, right)
    return lowest, np.array([math.comb(k_a, x) * math.comb(k_b, right - x) / total for x in range(lowest, highest + 1)])


def problem_p(right_a: int, k_a: int, right_b: int, k_b: int) -> float:
    """Fisher's exact two-sided p for one problem: the share of tables that are no likelier than the one seen."""
    lowest, weights = hypergeometric(right_a + right_b, k_a, k_b)
    seen = weights[right_a - lowest]
    return min(1.0, float(weights[weights <= seen * (1 + 1e-7)].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: valid for any dependence between the looks, never weaker than Bonferroni."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def compare_groups(
    first: Counts, second: Counts, groups: Mapping[tuple[str, str], Sequence[int]]
) -> dict[tuple[str, str], tuple[PairedComparison, float]]:
    """Each (breakdown, label) with its comparison and its p after Holm over all of them; single problems left out."""
    found = {
        name: compare_counts(first.part(positions), second.part(positions))
        for name, positions in groups.items()
        if len(positions) > 1
    }
    adjusted = holm([comparison.p_problems for comparison in found.values()])
    return {name: (found[name], p) for name, p in zip(found, adjusted, strict=True)}


# --- power and planning -------------------------------------------------------------------------------------------


def power_of_t_test(
    difference: float, error: float, degrees_of_freedom: float, level: float = estimators.DEFAULT_LEVEL
) -> float:
    """Chance that a two-sided t test finds a true difference, given its standard error."""
    critical = two_sided_t_quantile(level, degrees_of_freedom)
    shift = abs(difference) / error
    if math.isinf(degrees_of_freedom):
        return normal_cdf(shift - critical) + normal_cdf(-shift - critical)
    center = critical * (1.0 - 1.0 / (4.0 * degrees_of_freedom))
    width = math.sqrt(1.0 + critical**2 / (2.0 * degrees_of_freedom))
    return normal_cdf((shift - center) / width) + normal_cdf((-shift - center) / width)


def _smallest_visible(error: float | None, degrees_of_freedom: float, level: float) -> float | None:
    """The smallest true difference that is found with the usual power of 80 %; None where the error is unknown or 0."""
    if not error:
        return None
    critical = two_sided_t_quantile(level, degrees_of_freedom)
    return (critical + normal_quantile(POWER)) * error


@dataclass(frozen=True)
class SeedPlan:
    """Samples per problem, of each model, to find a difference with 80 % power; None: no number of seeds is enough.

    `problems_needed` is given where seeds cannot help: problems of the same kind, at the present k.
    """

    difference: float
    on_these_problems: int | None
    for_such_problems: int | None
    problems_needed: int | None


def plan_seeds(first: Counts, second: Counts, difference: float, level: float = estimators.DEFAULT_LEVEL) -> SeedPlan:
    """How many seeds would show a true difference of this size.

    Var = tau^2 / n + V / k, with V = sum_i (v_Ai + v_Bi) / n^2 the variance that one sample each leaves and tau^2 the
    variance of true differences between problems, estimated as what sampling does not explain.
    """
    sampling = _sampling_error_of_difference(first, second)
    total = estimators.clustered_error(second.rates - first.rates)
    if sampling is None or total is None or difference == 0:
        return SeedPlan(difference, None, None, None)
    per_sample = sum(float(np.sum(counts.sample_variances)) for counts in (first, second)) / (first.problems**2)
    between = max(0.0, total**2 - sampling**2)
    wanted = (difference / (two_sided_t_quantile(level, math.inf) + normal_quantile(POWER))) ** 2
    left = wanted - between
    problems = None if left > 0 else math.ceil(first.problems * total**2 / wanted)
    return SeedPlan(
        difference,
        max(1, math.ceil(per_sample / wanted)),
        max(1, math.ceil(per_sample / left)) if left > 0 else None,
        problems,
    )
