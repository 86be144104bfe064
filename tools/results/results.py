"""The results of one benchmark under one plan, as a frozen record: what build.py makes and everything else reads.

Accuracies are fractions 0..1. The headline and the comparison with a published figure are computed when they are read, so
they cannot be older than the doubts. On disk (accuracy_results.json) the keys are those of version 0.1; `to_json` and
`from_json` translate, and nothing else does.

>>> from tools.results.build import build_results
>>> grades = [Grade("60", 100, Verdict.WRONG), Grade("61", 100, Verdict.CORRECT)]
>>> results = build_results(model="m", dataset="aime24", set_name="aime24", grades=grades, task_ids=["60", "61"],
...     seeds=[100], settings={"max_new_tokens": 32768}, grader={"name": "ours", "version": "1"})
>>> dataclasses.replace(results, doubts=("it ran without a sandbox",)).headline
'avg@1 = 50.0 % (2 problems, 1 seed, aime24, cap 32768 tokens); 0.0 % truncated, not claimable: it ran without a sandbox'
>>> type(results).from_json(results.to_json()) == results
True
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.records import Grade, JsonObject, JsonRow, Verdict
from tools.results.parts import Curve, Group, Metric, ReasoningShares, Score, SeedScore, SubsetId
from tools.results.published import Measured, Published, PublishedVerdict, judge, judge_all
from tools.statistics import estimators
from tools.statistics.estimators import Interval

Key = tuple[str, int]
Labels = Mapping[str, Mapping[str, str]]

SCHEMA_VERSION = 2  # 1: metrics were means alone
READ_VERSIONS = (1, 2)
ACCURACY = "accuracy"
CURVES = ("pass_at_k", "pass_hat_k", "maj_at_k")
NO_INTERVAL = "none: a single problem says nothing of others"
# A part (LiveCodeBench's v5 within the whole) is kept without what it shares with the whole.
SHARED_WITH_PARTS = ("task_ids", "labels", "breakdowns", "settings")
# Every key that Results itself holds or computes; others are sections, the facts of one kind of grader.
OWN_KEYS = frozenset((
    "schema_version", "model", "dataset", "total_problems", "seeds", "samples_per_problem", "complete", "missing",
    "missing_count", "set", "task_ids", "labels", "settings", "grader", "counts", "results", "detailed_results",
    "accuracies", "mean", "std", "min", "max", "avg_at_k", "sampling_error", "problem_error", "total_error", "intervals",
    "score_range", *CURVES, "curve_intervals", "reasoning", "breakdowns", "not_claimable_because", "claimable",
    "warnings", "published", "headline", "metric", "metrics", "gives_shares", "sets",
))  # fmt: skip


@dataclass(frozen=True)
class Results:
    """All numbers of one benchmark, or of one of its subsets, under one plan: `task_ids` x `seeds`.

    `missing` lists at most the first hundred samples, `missing_count` counts all. `doubts` are the reasons for which the
    score cannot be claimed; without any it can. `labels`: breakdown -> task_id -> label. `figures` are the published ones
    to compare with. `metrics` are further values that the grader gave. `metric` is what the score is called; `gives_shares` says that a sample can earn a part
    of the points: then there is no pass@k. `sections` are facts of one kind of
    grader ("sandbox", "timing"). `parts` are subsets scored from the same samples; None for a benchmark without
    subsets. A part that was read from a file has no task_ids of its own.
    """

    model: str
    benchmark: str
    subset: SubsetId
    task_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    missing: tuple[Key, ...]
    missing_count: int
    labels: Labels
    settings: JsonRow
    grader: JsonRow
    counts: Mapping[Verdict, int]
    score: Score
    by_seed: tuple[SeedScore, ...]
    pass_at_k: Curve
    pass_hat_k: Curve
    maj_at_k: Curve
    reasoning: ReasoningShares
    breakdowns: Mapping[str, Mapping[str, Group]]
    doubts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    figures: tuple[Published, ...] = ()
    metrics: Mapping[str, Metric] = dataclasses.field(default_factory=dict)
    gives_shares: bool = False
    metric: str = ACCURACY
    sections: JsonRow = dataclasses.field(default_factory=dict)
    parts: tuple[Results, ...] | None = None

    @property
    def is_complete(self) -> bool:
        return not self.missing_count

    @property
    def is_claimable(self) -> bool:
        return not self.doubts

    @property
    def samples_per_problem(self) -> int:
        return len(self.seeds)

    @property
    def cap(self) -> int | None:
        """The most output tokens that a response could have; None when nobody recorded it."""
        caps = [self.settings.get(name) for name in ("max_new_tokens", "answer_cap")]
        return min((cap for cap in caps if isinstance(cap, int)), default=None)

    @property
    def cap_in_words(self) -> str:
        asked = self.settings.get("max_new_tokens")
        less = f", not {asked}: the model ends there" if "answer_cap" in self.settings and asked != self.cap else ""
        return f"{self.cap} tokens{less}" if self.cap is not None else "unknown"

    @property
    def std_over_seeds(self) -> float | None:
        std: float | None = estimators.compute_statistics(self._accuracies())["std"]
        return std

    @property
    def headline(self) -> str:
        """The score in one line, never without k, subset and cap; what cannot be claimed says why."""
        facts = f"{plural(self.subset.count, 'problem')}, {plural(len(self.seeds), 'seed')}, {self.subset.name}"
        shares = [f"{percent(self.reasoning.truncated_share)} truncated"]
        if self.reasoning.reasoning_share:
            shares.append(f"{percent(self.reasoning.reasoning_share)} with reasoning")
        if dropped := self.settings.get("dropped"):
            shares.append(f"server refused {dropped}")
        score = f"avg@{self.samples_per_problem} = {percent(self.score.mean)}"
        if not self.is_complete:
            planned = self.subset.count * len(self.seeds)
            so_far = percent(self.score.mean)
            score = f"no score: {self.missing_count} of {planned} samples missing; {so_far} of those graded"
        elif self.doubts:
            shares.append("not claimable: " + "; ".join(self.doubts))
        return f"{score} ({facts}, cap {self.cap_in_words}); {', '.join(shares)}"

    @property
    def published(self) -> PublishedVerdict | None:
        """This run against the published figures; None without any."""
        return judge_all([judge(figure, self._measured(figure)) for figure in self.figures])

    def _measured(self, figure: Published) -> Measured:
        """What is held against a figure: the whole, or the part that is meant."""
        group = self.breakdowns.get(figure.breakdown or "", {}).get(figure.label or "")
        own: Score | Group | None = self.score if figure.breakdown is None else group
        return Measured(
            score=None if own is None else own.mean,
            sampling_error=None if own is None else own.sampling_error,
            problems=group.problems if group else self.subset.count,
            subset=self.subset.name,
            samples_per_problem=self.samples_per_problem,
            obstacles=self.doubts if self.is_complete else (f"{self.missing_count} samples are missing",),
            settings=self.settings,
            truncated_share=self.reasoning.truncated_share,
            closed_share=self.reasoning.closed_share,
            differs_from_original=self.grader.get("differs_from_original"),
        )

    def part(self, name: str) -> Results | None:
        return next((part for part in self.parts or () if part.subset.name == name), None)

    def _accuracies(self) -> list[float]:
        return [row.accuracy for row in self.by_seed]

    def to_json(self) -> dict[str, object]:
        """The keys of accuracy_results.json, in their order."""
        row: JsonObject = {
            "schema_version": SCHEMA_VERSION,
            "model": self.model,
            "dataset": self.benchmark,
            "total_problems": self.subset.count,
            "seeds": list(self.seeds),
            "samples_per_problem": self.samples_per_problem,
            "complete": self.is_complete,
            "missing": [list(key) for key in self.missing],
            "missing_count": self.missing_count,
            "set": self.subset.to_json(),
            "task_ids": list(self.task_ids),
            "labels": {name: dict(by_task) for name, by_task in self.labels.items()},
            "settings": dict(self.settings),
            "grader": dict(self.grader),
            "counts": {verdict.value: number for verdict, number in self.counts.items()},
            **self._score_to_json(),
            **{name: getattr(self, name).means_to_json() for name in CURVES},
            "curve_intervals": {name: getattr(self, name).intervals_to_json() for name in CURVES},
            "reasoning": self.reasoning.to_json(),
            "breakdowns": {
                name: {label: group.to_json() for label, group in groups.items()}
                for name, groups in self.breakdowns.items()
            },
            "not_claimable_because": list(self.doubts),
            "claimable": self.is_claimable,
            "warnings": list(self.warnings),
            "published": published.to_json() if (published := self.published) else None,
            "headline": self.headline,
            **self.sections,
        }
        row |= {"metric": self.metric} if self.metric != ACCURACY else {}
        row |= {"gives_shares": True} if self.gives_shares else {}
        row |= {"metrics": {name: metric.to_json() for name, metric in self.metrics.items()}} if self.metrics else {}
        return row if self.parts is None else {**row, "sets": {part.subset.name: _short(part) for part in self.parts}}

    def _score_to_json(self) -> dict[str, object]:
        score, over_seeds = self.score, estimators.compute_statistics(self._accuracies())
        return {
            "results": {
                "individual_accuracies": over_seeds["accuracies"],
                "mean_accuracy": score.mean,
                "std_accuracy": over_seeds["std"],
                "confidence_interval": list(score.bounds) if score.bounds else None,
                "confidence_level": estimators.DEFAULT_LEVEL,
                "interval_method": score.interval.method if score.interval else NO_INTERVAL,
                "interval_speaks_of": estimators.CHOICE_AND_SAMPLING,
            },
            "detailed_results": [seed.to_json() for seed in self.by_seed],
            **over_seeds,
            "mean": score.mean,
            "avg_at_k": score.mean,
            "sampling_error": score.sampling_error,
            "problem_error": score.problem_error,
            "total_error": score.total_error,
            "intervals": {
                "both": score.interval.to_json() if score.interval else None,
                "sampling": score.sampling_interval.to_json() if score.sampling_interval else None,
            },
            "score_range": [score.mean, score.at_most],
        }

    @classmethod
    def from_json(cls, row: JsonRow) -> Results:
        """Reads what `to_json` wrote, of this version or of 0.1. Raises KeyError, TypeError or ValueError at damage."""
        whole = cls._without_parts(row)
        if "sets" not in row:
            return whole
        shared = {name: row[name] for name in ("model", "dataset", "seeds", "settings", "reasoning")}
        empty: JsonObject = {"task_ids": [], "labels": {}, "breakdowns": {}}
        parts = tuple(cls._without_parts({**shared, **empty, **part}) for part in row["sets"].values())
        return dataclasses.replace(whole, parts=parts)

    @classmethod
    def _without_parts(cls, row: JsonRow) -> Results:
        curves = [Curve.from_json(row[name], row["curve_intervals"][name]) for name in CURVES]
        return cls(
            model=str(row["model"]),
            benchmark=str(row["dataset"]),
            subset=SubsetId.from_json(row["set"]),
            task_ids=tuple(map(str, row["task_ids"])),
            seeds=tuple(map(int, row["seeds"])),
            missing=tuple((str(task_id), int(seed)) for task_id, seed in row["missing"]),
            missing_count=int(row["missing_count"]),
            labels={name: dict(by_task) for name, by_task in row["labels"].items()},
            settings=dict(row["settings"]),
            grader=dict(row["grader"]),
            counts={Verdict(name): int(number) for name, number in row["counts"].items()},
            score=_score_from_json(row),
            by_seed=tuple(map(SeedScore.from_json, row["detailed_results"])),
            pass_at_k=curves[0],
            pass_hat_k=curves[1],
            maj_at_k=curves[2],
            reasoning=ReasoningShares.from_json(row["reasoning"]),
            breakdowns={
                name: {label: Group.from_json(group) for label, group in groups.items()}
                for name, groups in row["breakdowns"].items()
            },
            doubts=tuple(map(str, row["not_claimable_because"])),
            warnings=tuple(map(str, row["warnings"])),
            figures=_figures_from_json(row.get("published")),
            metrics={name: Metric.from_json(metric) for name, metric in (row.get("metrics") or {}).items()},
            gives_shares=bool(row.get("gives_shares")),
            metric=str(row.get("metric") or ACCURACY),
            sections={name: value for name, value in row.items() if name not in OWN_KEYS},
        )


def _short(part: Results) -> dict[str, object]:
    return {name: value for name, value in part.to_json().items() if name not in SHARED_WITH_PARTS}


def _score_from_json(row: JsonRow) -> Score:
    intervals = {name: Interval(**found) if found else None for name, found in row["intervals"].items()}
    return Score(
        float(row["avg_at_k"]),
        row["sampling_error"],
        row["problem_error"],
        row["total_error"],
        intervals["both"],
        intervals["sampling"],
        float(row["score_range"][1]),
    )


def _figures_from_json(row: JsonRow | None) -> tuple[Published, ...]:
    rows: Sequence[JsonRow] = [] if row is None else row.get("parts", [row])
    return tuple(map(Published.from_json, rows))


def is_truncated(grade: Grade) -> bool:
    """Cut off by the token limit, or never come to an answer: what every truncated share counts."""
    return grade.is_cut_off or grade.verdict is Verdict.TRUNCATED


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
