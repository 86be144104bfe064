"""The samples of a run shared out among its workers, through a few files in `<out>/.run/`.

Theory of operation. Workers take samples when they have room for them, so none idles while others queue. Who took what
is a log, `events.jsonl`, that every worker reads and appends to under one file lock; each replays it into a Scheduler
of its own. A worker holds a lock on `workers/<name>.alive` as long as it lives: the kernel frees it at any kind of
death, so a dead worker is known at once and without clocks, and what it took and did not finish goes back to the
others. Whether a taken sample was finished is asked of the generation files, which are written before the log.

    queue = WorkQueue.create(run_folder, samples)            # once, by the launcher
    queue = WorkQueue.join(run_folder, "worker-0")           # in every worker
    while samples := queue.take(8): ...; queue.done(sample, tokens)
"""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tools.errors import RunLocked
from tools.generations import storage_error, write_atomically
from tools.plan import Sample, Scheduler


class WorkQueue:
    """One worker's view of the shared queue. Not for use by several threads at once."""

    def __init__(
        self, folder: pathlib.Path, name: str, samples: Sequence[Sample], lengths: Mapping[str, list[int]], workers: int
    ) -> None:
        self.folder, self.name, self._workers = folder, name, workers
        self._samples = samples
        self._index = {sample: index for index, sample in enumerate(samples)}
        known = {(problem.split("\t")[0], problem.split("\t")[1]): tokens for problem, tokens in lengths.items()}
        self._scheduler = Scheduler(samples, known)
        self._taken: dict[int, str] = {}  # index -> worker that has it now
        self._closed: set[int] = set()  # done or failed
        self._failures: dict[int, str] = {}
        self._offset = 0
        self._alive = self._hold_alive_lock()

    @staticmethod
    def create(
        folder: pathlib.Path,
        samples: Sequence[Sample],
        lengths: Mapping[tuple[str, str], list[int]] | None = None,
        workers: int = 1,
    ) -> None:
        """Starts a new queue in `folder` for so many workers; what an earlier run left there is dropped."""
        try:
            (folder / "workers").mkdir(parents=True, exist_ok=True)
            for old in (folder / "workers").iterdir():
                old.unlink()
            (folder / "events.jsonl").unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error
        plan = {
            "samples": [[sample.dataset, sample.task_id, sample.seed] for sample in samples],
            "lengths": {"\t".join(problem): tokens for problem, tokens in (lengths or {}).items()},
            "workers": workers,
        }
        write_atomically(folder / "plan.json", json.dumps(plan, ensure_ascii=False))

    @classmethod
    def join(cls, folder: pathlib.Path, name: str) -> WorkQueue:
        """Enters the queue as the worker `name`, which nobody else alive may have."""
        plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        return cls(folder, name, [Sample(*row) for row in plan["samples"]], plan["lengths"], plan["workers"])

    def take(self, count: int) -> list[Sample]:
        """Up to `count` samples that are this worker's from now on, and not more than its share of those that wait."""
        with self._locked() as log:
            self._replay(log)
            samples = self._scheduler.take(min(count, -(-len(self._scheduler) // self._workers)))
            self._append(log, {"take": [self._index[sample] for sample in samples]} if samples else None)
        return samples

    def done(self, sample: Sample, tokens: int) -> None:
        """Says that a sample is on disk, with its length."""
        with self._locked() as log:
            self._append(log, {"done": [self._index[sample], tokens]})

    def failed(self, sample: Sample, reason: str) -> None:
        """Says that a sample cannot be had in this run; it stays missing."""
        with self._locked() as log:
            self._append(log, {"failed": [self._index[sample], reason]})

    def recover(self, is_on_disk: Callable[[Sample], bool]) -> int:
        """Puts back what dead workers took and did not finish; returns how many samples that were."""
        with self._locked() as log:
            self._replay(log)
            held: dict[str, list[int]] = {}
            for index, worker in self._taken.items():
                held.setdefault(worker, []).append(index)
            lost = [index for worker, indexes in held.items() if not self._is_alive(worker) for index in indexes]
            finished = [index for index in lost if is_on_disk(self._samples[index])]
            back = sorted(set(lost) - set(finished))
            self._append(log, {"back": back, "finished": finished} if lost else None)
            self._replay(log)
        return len(back)

    @property
    def is_finished(self) -> bool:
        """True when every sample is done or failed, as far as this worker has read."""
        return len(self._closed) == len(self._samples)

    def read_failures(self) -> dict[Sample, str]:
        """The samples that could not be had so far, with the reason."""
        with self._locked() as log:
            self._replay(log)
        return {self._samples[index]: reason for index, reason in self._failures.items()}

    @contextmanager
    def _locked(self) -> Iterator[int]:
        path = self.folder / "events.jsonl"
        try:
            log = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(log, fcntl.LOCK_EX)
                yield log
            finally:
                os.close(log)
        except OSError as error:
            raise storage_error(path, error) from error

    def _append(self, log: int, event: dict[str, Any] | None) -> None:
        if event is None:
            return
        # A writer that was killed mid-line leaves a torn line; the leading line end keeps this one whole.
        torn = self._offset < os.fstat(log).st_size and os.pread(log, 1, os.fstat(log).st_size - 1) != b"\n"
        os.write(log, (b"\n" if torn else b"") + json.dumps({**event, "by": self.name}).encode() + b"\n")

    def _replay(self, log: int) -> None:
        """Applies all whole lines that were added since the last look."""
        size = os.fstat(log).st_size
        data = os.pread(log, size - self._offset, self._offset)
        end = data.rfind(b"\n") + 1
        self._offset += end
        for line in data[:end].split(b"\n"):
            try:
                event = json.loads(line) if line else {}
            except ValueError:
                continue  # a torn line: its writer is dead, and its samples come back through recover()
            self._apply(event)

    def _apply(self, event: Mapping[str, Any]) -> None:
        for index in event.get("take", ()):
            self._taken[index] = event["by"]
        if "take" in event and event["by"] != self.name:
            self._scheduler.discard([self._samples[index] for index in event["take"]])
        if "done" in event:
            index, tokens = event["done"]
            self._scheduler.observe(self._samples[index], tokens)
            self._close(index)
        if "failed" in event:
            index, reason = event["failed"]
            self._failures[index] = reason
            self._close(index)
        for index in event.get("finished", ()):
            self._close(index)
        if event.get("back"):
            for index in event["back"]:
                self._taken.pop(index, None)
            self._scheduler.put_back([self._samples[index] for index in event["back"]])

    def _close(self, index: int) -> None:
        self._taken.pop(index, None)
        self._closed.add(index)

    def _hold_alive_lock(self) -> int:
        descriptor = hold_lock(self.folder / "workers" / f"{self.name}.alive")
        if descriptor is None:
            raise RunLocked(f"{self.folder}: a worker named {self.name} is at work already; end it first")
        return descriptor

    def _is_alive(self, worker: str) -> bool:
        if worker == self.name:
            return True
        descriptor = hold_lock(self.folder / "workers" / f"{worker}.alive")
        if descriptor is None:
            return True
        os.close(descriptor)
        return False


def hold_lock(path: pathlib.Path) -> int | None:
    """A descriptor that holds an exclusive lock on the file until it is closed or the process ends; None when taken."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
