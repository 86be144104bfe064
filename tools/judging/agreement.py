"""`python -m tools judge-agreement JUDGE REFERENCE ...`: how often a judge says what people or another judge said.

    python -m tools judge-agreement mine/annotations.json alpaca_eval_gpt4/annotations.json

Share of agreement and Cohen's kappa over what both have judged, each with a 95 % interval; questions are the unit that
is drawn, so several judgments of one question do not count as independent. Failed judgments are left out and counted.

>>> one, two = [("q1", "a", "a"), ("q2", "a", "b")], [("q3", "b", "b"), ("q4", "b", "b")]
>>> round(kappa([(first, second) for _, first, second in one + two]), 3)
0.5
"""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from tools.commandline import CommandLine
from tools.errors import DataError, UsageError, run_command
from tools.judging.stored import StoredJudgment, read_judgments
from tools.statistics.estimators import DEFAULT_LEVEL, score_interval

RESAMPLES, SEED = 2000, 0
Bounds = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Agreement:
    """Of two judges. `share` and `kappa` with bounds at 95 %, None where they cannot be told."""

    share: float
    share_bounds: Bounds | None
    kappa: float | None
    kappa_bounds: Bounds | None
    pairs: int
    questions: int
    failed: int
    labels: tuple[str, ...]
    mean_difference: float | None  # of scores, the judge's less the reference's

    def describe(self) -> str:
        share = f"agreement {100 * self.share:.2f} %{_bounds(self.share_bounds, 100)}"
        kappa = (
            "kappa unknown (one label only)"
            if self.kappa is None
            else f"kappa {self.kappa:.4f}{_bounds(self.kappa_bounds)}"
        )
        text = f"{share}, {kappa}; {self.pairs} pairs of judgments, {self.questions} questions, {self.failed} failed"
        return (
            text if self.mean_difference is None else f"{text}; mean difference of scores {self.mean_difference:+.4f}"
        )


def _bounds(bounds: Bounds | None, scale: float = 1) -> str:
    return (
        ""
        if bounds is None
        else f" ({scale * bounds[0]:.{2 if scale > 1 else 4}f} to {scale * bounds[1]:.{2 if scale > 1 else 4}f})"
    )


def compare(judge: Sequence[StoredJudgment], reference: Sequence[StoredJudgment]) -> Agreement:
    """Every judgment of the one with every judgment of the other on the same item. Raises DataError where there is none."""
    kinds = {row.kind for row in judge} | {row.kind for row in reference}
    if len(kinds) > 1:
        raise DataError(
            f"the files hold different kinds of judgments ({', '.join(sorted(kinds))}); give two of one kind"
        )
    by_item: dict[tuple[str, ...], list[StoredJudgment]] = {}
    for row in reference:
        by_item.setdefault(row.item, []).append(row)
    met = [(one, other) for one in judge for other in by_item.get(one.item, ())]
    known = [(one, other) for one, other in met if one.label is not None and other.label is not None]
    if not known:
        raise DataError("the files have no judged item in common; give judgments of the same questions and models")
    questions = [one.item[0] for one, _ in known]
    labels = [(str(one.label), str(other.label)) for one, other in known]
    scores = [(one.score, other.score) for one, other in known if one.score is not None and other.score is not None]
    kind = kinds.pop()
    return Agreement(
        share=sum(first == second for first, second in labels) / len(labels),
        share_bounds=_share_bounds(questions, labels),
        kappa=kappa(labels),
        kappa_bounds=_kappa_bounds(questions, labels),
        pairs=len(known),
        questions=len(set(questions)),
        failed=len(met) - len(known),
        labels=tuple(sorted({label for pair in labels for label in pair})),
        mean_difference=sum(first - second for first, second in scores) / len(scores) if kind == "score" else None,
    )


def kappa(pairs: Iterable[tuple[str, str]]) -> float | None:
    """Cohen's kappa (1960); None where both used one label only, so that chance explains everything."""
    counts = Counter(pairs)
    total = sum(counts.values())
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (one, other), count in counts.items():
        first[one] += count
        second[other] += count
    observed = sum(count for (one, other), count in counts.items() if one == other) / total
    chance = sum(first[label] * second[label] for label in first) / total**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def _share_bounds(questions: Sequence[str], labels: Sequence[tuple[str, str]]) -> Bounds | None:
    rates: dict[str, list[bool]] = {}
    for question, (first, second) in zip(questions, labels, strict=True):
        rates.setdefault(question, []).append(first == second)
    found = score_interval(np.array([sum(equal) / len(equal) for equal in rates.values()]))
    return None if found is None else (found.low, found.high)


def _kappa_bounds(questions: Sequence[str], labels: Sequence[tuple[str, str]]) -> Bounds | None:
    """Percentile bootstrap over questions: each resample is a weight for every question's table of labels."""
    names = {label: place for place, label in enumerate(sorted({label for pair in labels for label in pair}))}
    places = {question: place for place, question in enumerate(dict.fromkeys(questions))}
    if len(places) < 2 or len(names) < 2:
        return None
    tables = np.zeros((len(places), len(names) ** 2))
    for question, (first, second) in zip(questions, labels, strict=True):
        tables[places[question], names[first] * len(names) + names[second]] += 1
    draws = np.random.default_rng(SEED).multinomial(len(places), np.full(len(places), 1 / len(places)), RESAMPLES)
    drawn = (draws @ tables).reshape(RESAMPLES, len(names), len(names))
    total = drawn.sum((1, 2))
    observed = np.trace(drawn, axis1=1, axis2=2) / total
    chance = (drawn.sum(2) * drawn.sum(1)).sum(1) / total**2
    kappas = (observed - chance)[chance < 1] / (1 - chance[chance < 1])
    if not kappas.size:
        return None
    low, high = np.quantile(kappas, [(1 - DEFAULT_LEVEL) / 2, (1 + DEFAULT_LEVEL) / 2])
    return float(low), float(high)


def main() -> int:
    parser = CommandLine(__doc__, usage="python -m tools judge-agreement JUDGE REFERENCE [REFERENCE ...]")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", type=pathlib.Path, help="the judge's file, then those to compare with"
    )
    files = parser.parse_args(sys.argv[1:]).files
    if len(files) < 2:
        raise UsageError("give the judge's file and at least one to compare it with; see --help")
    judge = read_judgments(files[0])
    for path in files[1:]:
        print(f"{files[0]} and {path}: {compare(judge, read_judgments(path)).describe()}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
