"""Estimators and intervals of repeated sampling: pure functions on counts, for results, compare and the report.

A run gives every problem i k_i samples, of which c_i are correct. Two different errors belong to its score, and a
report that mixes them cannot be defended:

- the error from *sampling*: the same problems, other seeds. It falls with the number of samples per problem;
- the error from the *choice of problems*: other problems of the same kind. It falls only with the number of problems.

>>> counts = Counts.from_rows([[1, 1, 1, 0], [0, 0, 1, 0], [1, 1, 1, 1]])
>>> round(avg_at_k(counts), 3), round(float(pass_at_k(4, 1, 2)), 3)
(0.667, 0.5)

Sources: pass@k, Chen et al. 2021 (arXiv:2107.03374, eq. 1); pass^k, Yao et al. 2024 (arXiv:2406.12045); errors
clustered by problem, Miller 2024 (arXiv:2411.00640); Wilson interval, Wilson 1927, with an effective number of
observations as in Korn and Graubard 1998 and Dean and Pagano 2015. Formulas and measured coverage: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.errors import DataError
from tools.statistics.distributions import two_sided_t_quantile

Array = npt.NDArray[np.float64]

DEFAULT_LEVEL = 0.95
CHOICE_AND_SAMPLING = "choice of problems and sampling"
SAMPLING_ONLY = "sampling, with these problems"
_ROUNDING = 1e-12  # squares and rates of equal scores differ by less
CHOICE_ONLY = "choice of problems, with endless sampling"


@dataclass(frozen=True)
class Counts:
    """Points and graded samples per problem, one entry a problem: a correct sample is 1 point, a wrong one 0.

    Where a grader gives shares of a point, `squares` holds the sums of the squared scores; without it every sample is
    0 or 1, whose squares are themselves.
    """

    correct: Array
    samples: Array
    squares: Array | None = None

    def __post_init__(self) -> None:
        if self.correct.shape != self.samples.shape or self.correct.ndim != 1:
            raise DataError("correct and graded samples must be two lists of the same length, one entry a problem")
        if self.correct.size == 0:
            raise DataError("there is no problem to compute a score from; give at least one graded problem")
        if (
            bool(np.any(self.samples < 1))
            or bool(np.any(self.correct < 0))
            or bool(np.any(self.correct > self.samples))
        ):
            raise DataError("every problem needs at least one graded sample, and no more correct ones than graded ones")

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[float]], *, allow_ragged: bool = False) -> Counts:
        """From one row of 0/1 a problem. Rows of unequal length are an error unless allowed.

        Allowed, each problem is divided by its own number of samples: a missing sample is never a wrong one.
        """
        listed = [list(row) for row in rows]
        sizes = {len(row) for row in listed}
        if len(sizes) > 1 and not allow_ragged:
            raise DataError(
                f"problems have between {min(sizes)} and {max(sizes)} samples: complete the run, "
                "or allow unequal numbers, each problem then being divided by its own"
            )
        if any(value not in (0, 1) for row in listed for value in row):
            raise DataError("a sample scores 0 or 1, nothing else; grade it first")
        return cls(np.array([sum(row) for row in listed], float), np.array([len(row) for row in listed], float))

    @classmethod
    def from_scores(cls, rows: Iterable[Sequence[float]]) -> Counts:
        """From one row of scores in 0..1 a problem, each problem divided by its own number of samples.

        >>> Counts.from_scores([[0.5, 1.0], [0.25, 0.25]]).sample_variances.tolist()
        [0.125, 0.0]
        """
        listed = [list(row) for row in rows]
        if any(not 0.0 <= value <= 1.0 for row in listed for value in row):
            raise DataError("a sample scores between 0 and 1; grade it again")
        sums, sizes = np.array([sum(row) for row in listed], float), np.array([len(row) for row in listed], float)
        if all(value in (0, 1) for row in listed for value in row):
            return cls(sums, sizes)
        return cls(np.minimum(sums, sizes), sizes, np.array([sum(x * x for x in row) for row in listed], float))

    def part(self, positions: Sequence[int]) -> Counts:
        """The problems at these positions."""
        chosen = list(positions)
        squares = None if self.squares is None else self.squares[chosen]
        return Counts(self.correct[chosen], self.samples[chosen], squares)

    @property
    def is_binary(self) -> bool:
        """Every sample is right or wrong: what pass@k, maj@k and exact tests need."""
        return self.squares is None

    @property
    def sample_variances(self) -> Array:
        """Unbiased variance of one sample of each problem; every problem needs two samples."""
        rates = self.rates
        if self.squares is None:
            return np.asarray(rates * (1.0 - rates) * self.samples / (self.samples - 1.0))
        spread = self.squares / self.samples - rates * rates
        spread = np.where(spread > _ROUNDING, spread, 0.0)  # three samples of 1/3 do not differ
        return np.asarray(spread * self.samples / (self.samples - 1.0))

    @property
    def problems(self) -> int:
        return int(self.correct.size)

    @property
    def rates(self) -> Array:
        """Mean score of each problem: the share of correct samples where every sample is 0 or 1."""
        return self.correct / self.samples

    @property
    def is_ragged(self) -> bool:
        return bool(np.any(self.samples != self.samples[0]))


@dataclass(frozen=True)
class Interval:
    """An interval that says how it was made and of what it speaks. Fractions, 0..1 unless it is a difference."""

    low: float
    high: float
    level: float
    method: str
    speaks_of: str

    def to_json(self) -> dict[str, object]:
        return dict(self.__dict__)


# --- estimators ---------------------------------------------------------------------------------------------------


def avg_at_k(counts: Counts) -> float:
    """Mean over problems of the share of correct samples: the pass@1 of the literature, called avg@k with k samples."""
    return float(np.mean(counts.rates))


def pass_at_k(num_samples: npt.ArrayLike, num_correct: npt.ArrayLike, k: int) -> Array:
    """Unbiased pass@k of each problem: 1 - C(n - c, k) / C(n, k), as a product that cannot overflow (Chen et al. 2021).

    Raises DataError when a problem has fewer than k samples: then pass@k cannot be had without a bias.
    """
    samples, correct = np.broadcast_arrays(np.asarray(num_samples, float), np.asarray(num_correct, float))
    return np.asarray(1.0 - _share_of_draws(samples, samples - correct, k))


def pass_hat_k(num_samples: npt.ArrayLike, num_correct: npt.ArrayLike, k: int) -> Array:
    """Unbiased pass^k of each problem, the chance that k samples are all right: C(c, k) / C(n, k) (Yao et al. 2024)."""
    samples, correct = np.broadcast_arrays(np.asarray(num_samples, float), np.asarray(num_correct, float))
    return _share_of_draws(samples, correct, k)


def _share_of_draws(samples: Array, marked: Array, k: int) -> Array:
    """C(marked, k) / C(samples, k): the chance that k draws without replacement are all marked."""
    if k < 1 or int(k) != k:
        raise DataError(f"k is a whole number from 1 up, not {k}")
    if bool(np.any(samples < k)):
        raise DataError(f"pass@{k} needs {k} samples of every problem; one has {int(np.min(samples))}")
    if bool(np.any((marked < 0) | (marked > samples))):
        raise DataError("a problem has more correct samples than samples")
    share = np.ones(samples.shape)
    for drawn in range(int(k)):
        share = share * np.maximum(marked - drawn, 0.0) / (samples - drawn)
    return share


def curve_points(num_samples: int) -> list[int]:
    """The k at which curves are given: powers of two, and all samples. 48 gives [1, 2, 4, 8, 16, 32, 48]."""
    powers = [2**exponent for exponent in range(max(num_samples, 1).bit_length()) if 2**exponent <= num_samples]
    return sorted({*powers, num_samples})


def pass_at_k_curve(counts: Counts) -> dict[int, Array]:
    """Per-problem pass@k at each of the curve's points."""
    _refuse_shares(counts)
    return {k: pass_at_k(counts.samples, counts.correct, k) for k in curve_points(int(counts.samples.min()))}


def pass_hat_k_curve(counts: Counts) -> dict[int, Array]:
    """Per-problem pass^k at each of the curve's points."""
    _refuse_shares(counts)
    return {k: pass_hat_k(counts.samples, counts.correct, k) for k in curve_points(int(counts.samples.min()))}


def _refuse_shares(counts: Counts) -> None:
    if not counts.is_binary:
        raise DataError("these samples have shares of points, so none is simply right: pass@k cannot be given for them")


# --- errors, apart ------------------------------------------------------------------------------------------------


def sampling_error(counts: Counts) -> float | None:
    """Standard error of avg@k for the same problems under other seeds; None where a problem has a single sample.

    sqrt(sum_i s_i^2 / k_i) / n, with s_i^2 the unbiased variance of problem i's samples; for samples that are 0 or 1,
    s_i^2 / k_i is p_i (1 - p_i) / (k_i - 1), with p_i the observed rate.
    """
    if bool(np.any(counts.samples < 2)):
        return None
    return math.sqrt(float(np.sum(_sampling_variances(counts)))) / counts.problems


def _sampling_variances(counts: Counts) -> Array:
    """Of each problem's mean."""
    if not counts.is_binary:
        return np.asarray(counts.sample_variances / counts.samples)
    rates = counts.rates
    return np.asarray(rates * (1.0 - rates) / (counts.samples - 1.0))


def clustered_error(values: Array) -> float | None:
    """Standard error of a mean over problems, for other problems and other seeds: s / sqrt(n). None for one problem.

    The samples of a problem are one cluster, so this holds whatever their number; treating 64 x 30 samples as
    independent would give a third of it.
    """
    if values.size < 2:
        return None
    return float(np.std(values, ddof=1)) / math.sqrt(values.size)


def problem_error(counts: Counts) -> float | None:
    """Standard error from the choice of problems alone: what would stay with endless sampling.

    sqrt(max(0, clustered^2 - sampling^2)); None where the two cannot be told apart.
    """
    total, sampling = clustered_error(counts.rates), sampling_error(counts)
    if total is None or sampling is None:
        return None
    return math.sqrt(max(0.0, total**2 - sampling**2))


# --- intervals ----------------------------------------------------------------------------------------------------


def score_interval(
    values: Array, level: float = DEFAULT_LEVEL, speaks_of: str = CHOICE_AND_SAMPLING
) -> Interval | None:
    """Interval of a mean of values in 0..1, one a problem: Wilson's, with the effective number of problems and t.

    With m the mean, v = m (1 - m) and s^2 the variance between problems, n problems weigh as much as n v / s^2
    independent yes/no observations. Where few problems vary (n v small), s^2 is not to be trusted, and the ratio s^2/v
    is drawn towards 1, its largest value, with weight 1 : (n v)^3; so 30 of 30 gives the interval of 30 observations,
    never one of width 0. Covers 94-96 % for scores that are neither near 0 nor near 1 and more there
    (perf/statistics/coverage.py), where mean +- t s/sqrt(n) falls to 80 %. None for a single problem.
    """
    size = int(values.size)
    if size < 2:
        return None
    mean = min(1.0, max(0.0, float(np.mean(values))))
    spread = mean * (1.0 - mean)
    weight = (size * spread) ** 3
    ratio = min(1.0, float(np.var(values, ddof=1)) / spread) if spread > 0 else 1.0
    effective = size / ((weight * ratio + 1.0) / (weight + 1.0))
    quantile = two_sided_t_quantile(level, size - 1)
    low, high = wilson(mean, effective, quantile)
    return Interval(low, high, level, "Wilson with effective sample size, t quantile, clustered by problem", speaks_of)


def wilson(mean: float, size: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval of a proportion seen in `size` (effective) observations; it always holds the mean."""
    shrink = 1.0 + quantile**2 / size
    center = (mean + quantile**2 / (2.0 * size)) / shrink
    half = quantile / shrink * math.sqrt(mean * (1.0 - mean) / size + quantile**2 / (4.0 * size**2))
    return min(mean, max(0.0, center - half)), max(mean, min(1.0, center + half))


def sampling_interval(counts: Counts, level: float = DEFAULT_LEVEL) -> Interval | None:
    """Interval of avg@k for these problems under endless sampling: mean +- t se, Satterthwaite's degrees of freedom.

    Where every problem is always or never solved the observed error is 0; then each rate's variance is taken from its
    Jeffreys posterior instead, so that 2 of 2 is not certainty.
    """
    error = sampling_error(counts)
    if error is None:
        return None
    mean = avg_at_k(counts)
    if error == 0.0:
        a, b = counts.correct + 0.5, counts.samples - counts.correct + 0.5
        error = math.sqrt(float(np.sum(a * b / ((a + b) ** 2 * (a + b + 1.0))))) / counts.problems
        half = two_sided_t_quantile(level, math.inf) * error
        method = "normal, Jeffreys variance (every problem always or never solved)"
    else:
        variances = _sampling_variances(counts)
        freedom = float(np.sum(variances) ** 2 / np.sum(variances**2 / (counts.samples - 1.0)))
        half = two_sided_t_quantile(level, round(freedom, 2)) * error
        method = "t, Satterthwaite degrees of freedom"
    return Interval(max(0.0, mean - half), min(1.0, mean + half), level, method, SAMPLING_ONLY)


def t_interval(values: Array, level: float = DEFAULT_LEVEL, speaks_of: str = CHOICE_AND_SAMPLING) -> Interval | None:
    """mean +- t s/sqrt(n), not clipped: for differences and other unbounded values, one a problem. None for one."""
    error = clustered_error(values)
    if error is None:
        return None
    half, mean = two_sided_t_quantile(level, values.size - 1) * error, float(np.mean(values))
    return Interval(mean - half, mean + half, level, "t, clustered by problem", speaks_of)


def bootstrap_interval(
    values: Array,
    level: float = DEFAULT_LEVEL,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    speaks_of: str = CHOICE_AND_SAMPLING,
) -> Interval | None:
    """Percentile bootstrap over problems (Efron 1979), all resamples in one array operation. None for one problem.

    Rates take few values (k + 1), so a resample is a multinomial draw of how often each occurs, not of n indices.
    A check beside the closed forms, not the default: with 30 problems it is too narrow, as s/sqrt(n) without t is.
    """
    size = int(values.size)
    if size < 2:
        return None
    levels, occurrences = np.unique(values, return_counts=True)
    means = np.random.default_rng(seed).multinomial(size, occurrences / size, resamples) @ levels / size
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(float(low), float(high), level, f"percentile bootstrap over problems, {resamples}", speaks_of)


# --- the short form -----------------------------------------------------------------------------------------------


def compute_statistics(results: Sequence[float] | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracies, mean, std, min and max over seeds. `results`: accuracies, or records that hold an "accuracy".

    std is the sample standard deviation (divisor n - 1) and None for a single seed, which says nothing of spread.

    >>> compute_statistics([0.5, 0.7])["mean"]
    0.6
    """
    accuracies = [float(item["accuracy"] if isinstance(item, Mapping) else item) for item in results]
    if not accuracies:
        raise DataError("there is no accuracy to summarise; grade at least one seed")
    if not all(math.isfinite(value) for value in accuracies):
        raise DataError("an accuracy is not a number; grade that seed again")
    spread = float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None
    return {
        "accuracies": accuracies,
        "mean": float(np.mean(accuracies)),
        "std": spread,
        "min": min(accuracies),
        "max": max(accuracies),
    }
