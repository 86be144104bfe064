"""The parts of Results, each frozen, each with the keys that accuracy_results.json has for it.

>>> Group(problems=2, samples=8, accuracy=0.5, error=0.1, sampling_error=0.05, interval=None).to_json()["se"]
0.1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.records import JsonRow
from tools.statistics.estimators import Interval

Bounds = tuple[float, float]


@dataclass(frozen=True)
class SubsetId:
    """Which problems: a name, how many, and the sha256 of their sorted ids (`subset_hash`)."""

    name: str
    count: int
    sha256: str

    def to_json(self) -> dict[str, object]:
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, row: JsonRow) -> SubsetId:
        return cls(str(row["name"]), int(row["count"]), str(row["sha256"]))


@dataclass(frozen=True)
class SeedScore:
    """One seed's samples: how many are correct, how many there are, and their mean score."""

    seed: int
    correct: int
    total: int
    accuracy: float

    def to_json(self) -> dict[str, object]:
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, row: JsonRow) -> SeedScore:
        return cls(int(row["seed"]), int(row["correct"]), int(row["total"]), float(row["accuracy"]))


@dataclass(frozen=True)
class Score:
    """avg@k with its errors, as fractions. None where they cannot be known: one problem, or one sample of a problem.

    `interval` speaks of problems like these, `sampling_interval` of these very problems. `at_most` is what the score can
    become once someone has looked at our own failures (grader and infrastructure errors), which count as 0 here.
    """

    mean: float
    sampling_error: float | None
    problem_error: float | None
    total_error: float | None
    interval: Interval | None
    sampling_interval: Interval | None
    at_most: float

    @property
    def bounds(self) -> Bounds | None:
        return (self.interval.low, self.interval.high) if self.interval else None


@dataclass(frozen=True)
class Curve:
    """A value over k (pass@k, maj@k): its mean over problems, and an interval for problems like these where there is one."""

    means: Mapping[int, float]
    intervals: Mapping[int, Bounds]

    @property
    def last(self) -> float | None:
        """At the largest k; None for a curve that is not given."""
        return self.means[max(self.means)] if self.means else None

    def means_to_json(self) -> dict[str, float]:
        return {str(k): value for k, value in self.means.items()}

    def intervals_to_json(self) -> dict[str, list[float]]:
        return {str(k): list(bounds) for k, bounds in self.intervals.items()}

    @classmethod
    def from_json(cls, means: Mapping[str, float], intervals: Mapping[str, list[float]]) -> Curve:
        return cls(
            {int(k): float(value) for k, value in means.items()},
            {int(k): (float(low), float(high)) for k, (low, high) in intervals.items()},
        )


@dataclass(frozen=True)
class Group:
    """One label of a breakdown. `error` is for problems like these, `sampling_error` for these under other seeds."""

    problems: int
    samples: int
    accuracy: float
    error: float | None
    sampling_error: float | None
    interval: Bounds | None

    @property
    def mean(self) -> float:
        return self.accuracy

    def to_json(self) -> dict[str, object]:
        return {
            "problems": self.problems,
            "samples": self.samples,
            "accuracy": self.accuracy,
            "se": self.error,
            "sampling_error": self.sampling_error,
            "confidence_interval": list(self.interval) if self.interval else None,
        }

    @classmethod
    def from_json(cls, row: JsonRow) -> Group:
        bounds = row["confidence_interval"]
        return cls(
            int(row["problems"]),
            int(row["samples"]),
            float(row["accuracy"]),
            row["se"],
            row["sampling_error"],
            (float(bounds[0]), float(bounds[1])) if bounds else None,
        )


@dataclass(frozen=True)
class Metric:
    """A further value of the samples, as its mean with both errors. It lies in 0..scale; `scale` None: without a bound.
    `weight` names the count in the samples' details of which it is a share, where it is one ratio over all of them.

    >>> Metric.from_json(0.75)  # version 0.1 wrote the mean alone
    Metric(mean=0.75, interval=None, sampling_error=None, higher_is_better=True, scale=1.0, weight=None)
    """

    mean: float
    interval: Interval | None
    sampling_error: float | None
    higher_is_better: bool = True
    scale: float | None = 1.0
    weight: str | None = None

    @property
    def bounds(self) -> Bounds | None:
        return (self.interval.low, self.interval.high) if self.interval else None

    def to_json(self) -> dict[str, object]:
        return {**self.__dict__, "interval": self.interval.to_json() if self.interval else None}

    @classmethod
    def from_json(cls, row: JsonRow | float) -> Metric:
        if isinstance(row, (int, float)):
            return cls(float(row), None, None)
        interval = Interval(**row["interval"]) if row["interval"] else None
        told = {name: row[name] for name in ("sampling_error", "higher_is_better", "scale", "weight")}
        return cls(float(row["mean"]), interval, **told)


@dataclass(frozen=True)
class ReasoningShares:
    """Shares that belong beside a reasoning model's score; None where no sample tells.

    `reasoning_share` of the responses hold reasoning, `closed_share` of those end it.
    """

    truncated_share: float
    reasoning_share: float
    closed_share: float | None
    mean_output_tokens: float | None
    correct_in_reasoning_only: int

    def to_json(self) -> dict[str, object]:
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, row: JsonRow) -> ReasoningShares:
        return cls(
            float(row["truncated_share"]),
            float(row["reasoning_share"]),
            row["closed_share"],
            row["mean_output_tokens"],
            int(row["correct_in_reasoning_only"]),
        )
