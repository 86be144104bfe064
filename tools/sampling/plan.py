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
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from tools.errors import UsageError
from tools.records import Sample

SEED_LIMIT = 1 << 63  # engines keep seeds in a signed 64-bit integer
# Of its even share of the work that is left, a worker holds at most so much; the rest stays for whoever is free first.
# Chosen with perf/schedule.py: 1.0 leaves some with a long queue at the end, 0.65 leaves the KV cache half empty.
HELD_SHARE = 0.85
# An answer of L tokens keeps an engine busy in proportion to L (L + WORK_TOKENS): each token costs by itself and, far
# more, by the context that is read for it. The ratio for a 7B model on an H100, see perf/schedule_engine.py.
WORK_TOKENS = 3000
UNKNOWN_FIRST = 1e12  # more than any answer has tokens


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


@dataclasses.dataclass(slots=True)
class _Problem:
    """What the scheduler knows of one problem of one set."""

    rank: int
    queue: deque[Sample] = dataclasses.field(default_factory=deque)  # may name samples that wait no longer
    open: int = 0  # waiting or held by a worker
    waiting: int = 0
    started: int = 0  # answers ever begun, earlier runs' included
    finished: int = 0
    tokens: int = 0  # of the finished answers
    priority: float = 0.0

    def current_priority(self) -> float:
        """Smaller goes first: problems of which nothing is known yet, in turns, then the longest expected."""
        return -self.tokens / self.finished if self.finished else self.started - UNKNOWN_FIRST


class Scheduler:
    """Hands out samples so that those that will run long go first, and no worker sits on work that others could do.

    A sample's length is predicted by the mean of the lengths seen for the same problem, in this run or an earlier one.
    A worker that asks gets samples until it holds HELD_SHARE of its even share of all expected work that is open.
    Nothing here knows of engines, files or time; perf/schedule.py drives the same class. A sample costs O(log n).

    >>> scheduler = Scheduler(make_plan({"a": (["short", "long"], [1, 2])}), {("a", "short"): [10], ("a", "long"): [99]})
    >>> [sample.task_id for sample in scheduler.take("gpu0", room=4)]
    ['long', 'long', 'short', 'short']
    """

    def __init__(
        self, samples: Iterable[Sample], lengths: Mapping[tuple[str, str], Sequence[int]] | None = None
    ) -> None:
        self._problems: dict[tuple[str, str], _Problem] = {}
        self._waiting: set[Sample] = set()
        self._holder: dict[Sample, str] = {}
        self._held: dict[str, dict[Sample, None]] = {}
        self._ranking: list[_Problem] = []
        self._heap: list[tuple[float, int]] = []  # (priority, rank)
        # Expected work of all open samples = _open_known + _open_unknown x the work of an answer of mean length.
        self._open_known, self._open_unknown = 0.0, 0
        self._tokens = self._finished = 0
        for key, tokens in (lengths or {}).items():
            problem = self._problem(key)
            problem.started = problem.finished = len(tokens)
            problem.tokens = sum(tokens)
            self._tokens += problem.tokens
            self._finished += problem.finished
        self.put_back(samples)

    @property
    def waiting(self) -> int:
        """Samples that nobody holds."""
        return len(self._waiting)

    @property
    def open(self) -> int:
        """Samples that are not finished: waiting or held."""
        return len(self._waiting) + len(self._holder)

    def holders(self) -> dict[str, list[Sample]]:
        """Worker -> the samples it has taken and not finished."""
        return {worker: list(samples) for worker, samples in self._held.items() if samples}

    def take(self, worker: str, room: int, workers: int = 1) -> list[Sample]:
        """Samples for a worker that has room for so many, among so many workers; longest expected first."""
        held = self._held.setdefault(worker, {})
        mine = sum(map(self._expected_work, held))
        share, most = math.inf, len(held) + room
        if workers > 1:
            share = HELD_SHARE * self._open_work() / workers
            most = min(most, -(-self.open // workers))
        taken: list[Sample] = []
        passed: list[Sample] = []  # dealt like cards: of so many workers, each may have one of the longest
        while len(held) < most and (mine < share or not held):
            sample = self._next()
            if sample is None:
                break
            self.assign(worker, [sample])
            taken.append(sample)
            mine += self._expected_work(sample)
            if len(held) < most:
                passed += [other for _ in range(workers - 1) if (other := self._next()) is not None]
        for sample in reversed(passed):
            self._problems[sample.dataset, sample.task_id].queue.appendleft(sample)
        for key in {(sample.dataset, sample.task_id) for sample in passed}:
            self._push(self._problems[key])
        return taken

    def assign(self, worker: str, samples: Iterable[Sample]) -> None:
        """Notes that a worker has taken these samples."""
        for sample in samples:
            problem = self._problem((sample.dataset, sample.task_id))
            if sample in self._waiting:
                self._waiting.remove(sample)
                problem.waiting -= 1
            self._release(sample)
            self._holder[sample] = worker
            self._held.setdefault(worker, {})[sample] = None
            problem.started += 1
            self._push(problem)

    def finish(self, sample: Sample, tokens: int | None = None) -> None:
        """A sample is done with an answer of so many tokens, or for good without one."""
        problem = self._problem((sample.dataset, sample.task_id))
        self._count(problem, -1)
        if sample in self._waiting:
            self._waiting.remove(sample)
            problem.waiting -= 1
        else:
            self._release(sample)
        problem.open -= 1
        if tokens is not None:
            problem.tokens += tokens
            problem.finished += 1
            self._tokens += tokens
            self._finished += 1
        self._count(problem, +1)
        self._push(problem)

    def put_back(self, samples: Iterable[Sample]) -> None:
        """Adds samples, or returns those that a worker held and will not finish."""
        touched: dict[tuple[str, str], _Problem] = {}
        for sample in samples:
            key = (sample.dataset, sample.task_id)
            problem = touched[key] = self._problem(key)
            if self._release(sample):
                problem.started -= 1
                problem.queue.appendleft(sample)
            else:
                self._count(problem, -1)
                problem.open += 1
                self._count(problem, +1)
                problem.queue.append(sample)
            self._waiting.add(sample)
            problem.waiting += 1
        for problem in touched.values():
            self._push(problem)

    def _problem(self, key: tuple[str, str]) -> _Problem:
        problem = self._problems.get(key)
        if problem is None:
            problem = self._problems[key] = _Problem(rank=len(self._problems))
            self._ranking.append(problem)
        return problem

    def _next(self) -> Sample | None:
        """The best waiting sample. Entries of the heap from before a change of their problem are passed over."""
        while self._heap:
            priority, rank = self._heap[0]
            problem = self._ranking[rank]
            while problem.queue and problem.queue[0] not in self._waiting:
                problem.queue.popleft()  # somebody else has it
            if problem.queue and priority == problem.priority:
                return problem.queue.popleft()
            heapq.heappop(self._heap)
        return None

    def _push(self, problem: _Problem) -> None:
        if problem.waiting:
            problem.priority = problem.current_priority()
            heapq.heappush(self._heap, (problem.priority, problem.rank))

    def _release(self, sample: Sample) -> bool:
        worker = self._holder.pop(sample, None)
        if worker is not None:
            del self._held[worker][sample]
        return worker is not None

    def _mean(self) -> float:
        return self._tokens / self._finished if self._finished else 1.0

    def _expected_work(self, sample: Sample) -> float:
        problem = self._problems[sample.dataset, sample.task_id]
        return _work(problem.tokens / problem.finished if problem.finished else self._mean())

    def _open_work(self) -> float:
        return self._open_known + self._open_unknown * _work(self._mean())

    def _count(self, problem: _Problem, sign: int) -> None:
        if problem.finished:
            self._open_known += sign * problem.open * _work(problem.tokens / problem.finished)
        else:
            self._open_unknown += sign * problem.open


def _work(tokens: float) -> float:
    return tokens * (tokens + WORK_TOKENS)
