"""What the statistics cost, each against the plain way to do it.

    python -m perf.statistics.speed

References: a bootstrap that draws one resample at a time (25 minutes in another toolkit); 10 000 random permutations instead of
the exact distribution; 10 000 random subsets instead of exact maj@k. Times are of the CPU, one run, no warm-up for either.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tools.records import Grade, Verdict
from tools.results.build import build_results
from tools.results.results import Results
from tools.statistics.estimators import Counts, bootstrap_interval
from tools.statistics.pairing import sign_flip_p
from tools.statistics.voting import VoteClass, maj_at_k

RESAMPLES = 10_000


def cpu_seconds(action: Callable[[], Any]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def plain_bootstrap(values: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    np.quantile([generator.choice(values, values.size).mean() for _ in range(RESAMPLES)], [0.025, 0.975])


def plain_permutation(gaps: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    sum(abs(np.dot(generator.choice((-1, 1), gaps.size), gaps)) >= abs(gaps.sum()) for _ in range(RESAMPLES))


def plain_majority(answers: np.ndarray, k: int) -> None:
    generator = np.random.default_rng(0)
    for _ in range(RESAMPLES):
        np.unique(generator.choice(answers, k, replace=False), return_counts=True)


def build(problems: int, samples: int) -> Results:
    generator = np.random.default_rng(0)
    right = generator.random((problems, samples)) < generator.beta(1, 0.5, (problems, 1))
    grades = [
        Grade(str(i), s, Verdict.CORRECT if right[i, s] else Verdict.WRONG, str(int(right[i, s])))
        for i in range(problems)
        for s in range(samples)
    ]
    classes = {(grade.task_id, grade.seed): int(grade.is_correct) for grade in grades}
    arguments: dict[str, Any] = {"model": "m", "dataset": "d", "set_name": "d", "settings": {}, "grader": {}}
    ids, seeds = [str(i) for i in range(problems)], list(range(samples))
    return build_results(grades=grades, task_ids=ids, seeds=seeds, answer_classes=classes, **arguments)


def main() -> int:
    generator = np.random.default_rng(0)
    values = generator.binomial(8, generator.beta(1, 1, 1055)) / 8
    runs = [Counts(generator.binomial(8, values).astype(float), np.full(1055, 8.0)) for _ in range(2)]
    sizes = (30, 12, 8, 5, 3, 2, 1, 1, 1, 1)
    classes = [VoteClass(size, float(size == 30)) for size in sizes]
    answers = np.repeat(np.arange(len(sizes)), sizes)
    rows = (
        ("bootstrap, 1055 problems", lambda: bootstrap_interval(values), lambda: plain_bootstrap(values)),
        (
            "sign-flip p, 1055 x 8",
            lambda: sign_flip_p(*runs),
            lambda: plain_permutation(runs[1].rates - runs[0].rates),
        ),
        (
            "maj@16 of 64, 1 problem",
            lambda: maj_at_k(classes, abstentions=0, ks=[16]),
            lambda: plain_majority(answers, 16),
        ),
    )
    print(f"{'':26} {'ours':>9} {'plain':>9}  ratio")
    for name, ours, plain in rows:
        fast, slow = cpu_seconds(ours), cpu_seconds(plain)
        print(f"{name:26} {fast:8.4f}s {slow:8.3f}s  {slow / fast:.0f} times faster")
    for problems, samples in ((30, 64), (60, 64), (1055, 8)):
        print(f"build_results, {problems} x {samples}: {cpu_seconds(lambda p=problems, s=samples: build(p, s)):.3f} s")  # type: ignore[misc]
    return 0


if __name__ == "__main__":
    sys.exit(main())
