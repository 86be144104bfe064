"""A GPU with continuous batching, simulated: the engine model of the scheduling benchmark, from data sheets.

One H100 with a 7B model in bf16 (3.35 TB/s, 15 GB of weights, 57 kB of KV cache a token): a decode step for all running
sequences takes STEP_S + CONTEXT_S x tokens in their KV caches + SEQUENCE_S x sequences. A sequence that finds no room
in the KV cache waits; when the cache is full, the one that came last is preempted, keeps its text and is computed again
when there is room (prefill is negligible), as vLLM does. Simulated from event to event, not step by step.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import deque
from collections.abc import Hashable, Sequence

STEP_S, CONTEXT_S, SEQUENCE_S = 5e-3, 1.7e-8, 1e-5
KV_TOKENS = 950_000
START_S = 60.0


@dataclasses.dataclass(slots=True)
class Running:
    """One sequence: how long its answer will be, and how much of it is there when it waits."""

    arrival: int
    key: Hashable
    length: int
    written: int = 0
    started_at_step: int = 0  # the step at which `written` would have been 0


class SimulatedEngine:
    """What a worker sees of an engine: submit, and step until something has finished."""

    def __init__(self, capacity: int = 256, start_at_s: float = 0.0) -> None:
        self.capacity = capacity
        self.time_s = start_at_s + START_S
        self.preemptions = 0
        self._steps = self._kv = self._arrivals = 0
        self._running: dict[int, Running] = {}
        self._ends: list[tuple[int, int]] = []  # (step at which it finishes, arrival)
        self._waiting: deque[Running] = deque()

    @property
    def in_flight(self) -> int:
        return len(self._running) + len(self._waiting)

    def submit(self, key: Hashable, length: int) -> None:
        self._arrivals += 1
        self._waiting.append(Running(self._arrivals, key, length))

    def run_until(self, time_s: float) -> list[tuple[Hashable, int]]:
        """Decodes until something finishes or the time comes; returns (key, tokens) of what has finished."""
        finished: list[tuple[Hashable, int]] = []
        while not finished and self.time_s < time_s:
            self._admit()
            if not self._running:
                self.time_s = time_s
                break
            if self._kv + len(self._running) > KV_TOKENS and len(self._running) > 1:
                self._preempt()
                continue
            self._decode(time_s)
            finished = self._collect()
        return finished

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self.capacity:
            sequence = self._waiting[0]
            if self._kv + sequence.written + len(self._running) + 1 > KV_TOKENS:
                return
            self._waiting.popleft()
            sequence.started_at_step = self._steps - sequence.written
            self._running[sequence.arrival] = sequence
            self._kv += sequence.written
            heapq.heappush(self._ends, (sequence.started_at_step + sequence.length, sequence.arrival))

    def _preempt(self) -> None:
        last = self._running.pop(max(self._running))
        last.written = self._steps - last.started_at_step
        self._kv -= last.written
        self._waiting.appendleft(last)
        self.preemptions += 1

    def _decode(self, time_s: float) -> None:
        """So many steps as no event interrupts."""
        count = len(self._running)
        self._drop_stale_ends()
        per_step = STEP_S + SEQUENCE_S * count + CONTEXT_S * self._kv
        steps = min(
            self._ends[0][0] - self._steps,
            max(1, (KV_TOKENS - self._kv) // count),
            max(1, int((time_s - self.time_s) / per_step)),
        )
        self.time_s += steps * (STEP_S + SEQUENCE_S * count)
        self.time_s += CONTEXT_S * (steps * self._kv + count * steps * (steps + 1) / 2)
        self._steps += steps
        self._kv += steps * count

    def _collect(self) -> list[tuple[Hashable, int]]:
        finished = []
        while self._ends and self._ends[0][0] <= self._steps:
            end, arrival = heapq.heappop(self._ends)
            sequence = self._running.get(arrival)
            if sequence is not None and sequence.started_at_step + sequence.length == end:
                del self._running[arrival]
                self._kv -= sequence.length
                finished.append((sequence.key, sequence.length))
        return finished

    def _drop_stale_ends(self) -> None:
        """Ends of sequences that were preempted since."""
        while True:
            end, arrival = self._ends[0]
            sequence = self._running.get(arrival)
            if sequence is not None and sequence.started_at_step + sequence.length == end:
                return
            heapq.heappop(self._ends)


def lower_bound_s(lengths: Sequence[int], gpus: int, capacity: int = 256) -> float:
    """No schedule is faster: one engine start, and the larger of the longest answer alone and the work shared evenly.

    Work: every token costs SEQUENCE_S and the reading of its context; the STEP_S of each step is shared by at most
    `capacity` sequences and by at most KV_TOKENS tokens of context, whichever makes more steps.
    """
    tokens = sum(lengths)
    context = sum(length * (length + 1) / 2 for length in lengths)
    work = tokens * SEQUENCE_S + context * CONTEXT_S + STEP_S * max(tokens / capacity, context / KV_TOKENS)
    longest = max(lengths)
    alone = longest * (STEP_S + SEQUENCE_S) + CONTEXT_S * longest * (longest + 1) / 2
    return START_S + max(work / gpus, alone)
