"""What a run is: a list of (data set, problem, seed), and the order in which its samples are asked.

The list alone says what is sampled; number of GPUs, order and restarts do not enter. "Missing" is a set difference.

>>> seeds = expand_seeds([100, 200], samples_per_seed=3)
>>> seeds
(100, 101, 102, 200, 201, 202)
>>> len(make_plan({"aime24": (["60", "61"], seeds)}))
12
"""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterable, Mapping, Sequence

from tools.errors import UsageError

SEED_LIMIT = 1 << 63  # engines keep seeds in a signed 64-bit integer


@dataclasses.dataclass(frozen=True, order=True)
class Sample:
    """One thing to ask: its fields are its key, everywhere."""

    dataset: str
    task_id: str
    seed: int


def expand_seeds(base_seeds: Sequence[int], samples_per_seed: int) -> tuple[int, ...]:
    """The seeds s, s+1, ..., s+n-1 of each base seed s. Raises UsageError when two would be the same sample."""
    if samples_per_seed < 1:
        raise UsageError(f"SAMPLES_PER_SEED={samples_per_seed} samples nothing; give 1 or more")
    if not base_seeds:
        raise UsageError("no seeds; give at least one, for example SEEDS=100")
    seeds = [base + offset for base in base_seeds for offset in range(samples_per_seed)]
    outside = next((seed for seed in seeds if not 0 <= seed < SEED_LIMIT), None)
    if outside is not None:
        raise UsageError(f"seed {outside} cannot be used; give seeds from 0 to 2^63 - 1")
    if len(set(seeds)) < len(seeds):
        raise UsageError(
            f"with {samples_per_seed} samples per seed the seeds {' '.join(map(str, base_seeds))} overlap, and the same sample would "
            "count twice; put them further apart or lower SAMPLES_PER_SEED"
        )
    return tuple(seeds)


def make_plan(sets: Mapping[str, tuple[Sequence[str], Sequence[int]]]) -> list[Sample]:
    """All samples of a run, seed by seed. `sets`: data set -> (task_ids, seeds)."""
    return [
        Sample(dataset, task_id, seed)
        for dataset, (task_ids, seeds) in sets.items()
        for seed in seeds
        for task_id in task_ids
    ]


class Scheduler:
    """Hands out samples so that those that will run long go first, and the run's tail is short.

    A sample's length is predicted by the mean of the lengths seen for the same problem, in this run or an earlier one.
    A problem of which nothing is known yet goes before all others, once: its first answer makes the prediction. All
    operations cost O(log n).
    """

    def __init__(
        self, samples: Iterable[Sample], lengths: Mapping[tuple[str, str], Sequence[int]] | None = None
    ) -> None:
        self._waiting: dict[tuple[str, str], list[Sample]] = {}
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}  # problem -> (sum of tokens, number of answers)
        self._probed: set[tuple[str, str]] = set()
        self._heap: list[tuple[float, int, tuple[str, str]]] = []
        self._rank: dict[tuple[str, str], int] = {}
        self._count = 0
        for problem, tokens in (lengths or {}).items():
            if tokens:
                self._seen[problem] = (sum(tokens), len(tokens))
        self.put_back(samples)

    def __len__(self) -> int:
        return self._count

    def put_back(self, samples: Iterable[Sample]) -> None:
        """Adds samples to those that wait."""
        touched = set()
        for sample in samples:
            problem = (sample.dataset, sample.task_id)
            self._waiting.setdefault(problem, []).append(sample)
            self._rank.setdefault(problem, len(self._rank))
            touched.add(problem)
            self._count += 1
        for problem in touched:
            self._waiting[problem].sort(key=lambda sample: sample.seed, reverse=True)
            self._push(problem)

    def take(self, count: int) -> list[Sample]:
        """Up to `count` samples, longest expected first."""
        taken: list[Sample] = []
        while len(taken) < count and self._heap:
            priority, _, problem = heapq.heappop(self._heap)
            waiting = self._waiting.get(problem)
            if not waiting or priority != self._priority(problem):
                continue  # an entry from before the last observation; the current one is in the heap too
            taken.append(waiting.pop())
            self._count -= 1
            self._probed.add(problem)
            if waiting:
                self._push(problem)
        return taken

    def discard(self, samples: Iterable[Sample]) -> None:
        """Forgets waiting samples that somebody else took."""
        by_problem: dict[tuple[str, str], set[Sample]] = {}
        for sample in samples:
            by_problem.setdefault((sample.dataset, sample.task_id), set()).add(sample)
        for problem, gone in by_problem.items():
            before = self._waiting.get(problem, [])
            kept = [sample for sample in before if sample not in gone]
            self._count -= len(before) - len(kept)
            self._waiting[problem] = kept
            self._probed.add(problem)
            self._push(problem)

    def observe(self, sample: Sample, tokens: int) -> None:
        """Learns from a finished answer of `tokens` output tokens."""
        problem = (sample.dataset, sample.task_id)
        total, answers = self._seen.get(problem, (0, 0))
        self._seen[problem] = (total + tokens, answers + 1)
        if self._waiting.get(problem):
            self._push(problem)

    def _priority(self, problem: tuple[str, str]) -> float:
        """Smaller goes first."""
        if problem in self._seen:
            total, answers = self._seen[problem]
            return -total / answers
        return -math.inf if problem not in self._probed else 0.0

    def _push(self, problem: tuple[str, str]) -> None:
        heapq.heappush(self._heap, (self._priority(problem), self._rank[problem], problem))
