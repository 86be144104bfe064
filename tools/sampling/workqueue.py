"""The samples of a run shared out among its workers, through a few files in `<out>/.run/`.

Theory of operation. Workers take samples when they have room for them, so none idles while others queue. Who took what
is a log, `events.jsonl`, that every worker reads and appends to under one file lock; each replays it into a Scheduler
of its own. A worker holds a lock on `workers/<name>.alive` as long as it lives: the kernel frees it at any kind of
death, so a dead worker is known at once and without clocks, and what it took and did not finish goes back to the
others. Whether a taken sample was finished is asked of the generation files, which are written before the log. Nothing
here depends on the machine: workers of several nodes share a folder wherever the file system has locks (NFS 4, Lustre
mounted with `flock`, GPFS).

    WorkQueue.create(run_folder, samples)                    # once, by the launcher
    queue = WorkQueue.join(run_folder, "cpu0.1")             # in every worker
    while samples := queue.take(8): ...; queue.done(sample, tokens)
"""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tools.errors import RunLocked, StorageError
from tools.records import JsonObject, Sample
from tools.sampling.plan import Scheduler
from tools.store.files import hold_lock, storage_error, write_atomically

PLAN_FILE, EVENTS_FILE, WORKERS_FOLDER = "plan.json", "events.jsonl", "workers"
COUNT_LIVING_EVERY_S = 1.0


@dataclasses.dataclass(frozen=True)
class QueueEvent:
    """One line of the log: what a worker took, did or gave up, or found that a dead one left. Numbers are the places
    of samples in the plan."""

    by: str = ""
    take: Sequence[int] = ()
    done: tuple[int, int] | None = None  # with its tokens
    failed: tuple[int, str] | None = None  # with the reason
    back: Sequence[int] = ()
    finished: Sequence[int] = ()

    def to_json(self, by: str) -> str:
        said = {name: value for name, value in self.__dict__.items() if value}
        return json.dumps({**said, "by": by})

    @classmethod
    def from_json(cls, row: JsonObject) -> QueueEvent:
        return cls(**row)


class WorkQueue:
    """One worker's view of the shared queue. Not for use by several threads at once."""

    def __init__(
        self, folder: pathlib.Path, name: str, samples: Sequence[Sample], lengths: Mapping[tuple[str, str], list[int]]
    ) -> None:
        self.folder, self.name = folder, name
        self._samples = samples
        self._index = {sample: index for index, sample in enumerate(samples)}
        self._scheduler = Scheduler(samples, lengths)
        self._closed: set[Sample] = set()  # done or failed
        self._failures: dict[Sample, str] = {}
        self._offset = 0
        self._living, self._living_counted_at = 1, -COUNT_LIVING_EVERY_S
        self._alive = self._hold_alive_lock()

    @staticmethod
    def create(
        folder: pathlib.Path, samples: Sequence[Sample], lengths: Mapping[tuple[str, str], list[int]] | None = None
    ) -> None:
        """Starts a new queue in `folder`; what an earlier run left there is dropped. No worker may be alive there."""
        WorkQueue.remove(folder)
        plan = {
            "samples": [[sample.dataset, sample.task_id, sample.seed] for sample in samples],
            "lengths": [[*problem, tokens] for problem, tokens in (lengths or {}).items()],
        }
        write_atomically(folder / PLAN_FILE, json.dumps(plan, ensure_ascii=False))

    @staticmethod
    def remove(folder: pathlib.Path) -> None:
        """Takes the queue away, the plan first: nobody can join what is half gone."""
        try:
            (folder / PLAN_FILE).unlink(missing_ok=True)
            (folder / EVENTS_FILE).unlink(missing_ok=True)
            (folder / WORKERS_FOLDER).mkdir(parents=True, exist_ok=True)
            for old in (folder / WORKERS_FOLDER).iterdir():
                old.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error

    @classmethod
    def join(cls, folder: pathlib.Path, name: str) -> WorkQueue:
        """Enters the queue as the worker `name`, which nobody else alive may have."""
        try:
            plan = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
            samples = [Sample(*row) for row in plan["samples"]]
            lengths = {(dataset, task_id): tokens for dataset, task_id, tokens in plan["lengths"]}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StorageError(
                f"{folder / PLAN_FILE}: the plan of the run is gone or damaged; run the same command again"
            ) from error
        return cls(folder, name, samples, lengths)

    def take(self, count: int) -> list[Sample]:
        """Up to `count` samples that are this worker's from now on, and not more than its share of what is open."""
        self._count_living()
        with self._locked() as log:
            self._replay(log)
            samples = self._scheduler.take(self.name, count, self._living)
            if samples:
                self._append(log, QueueEvent(take=[self._index[sample] for sample in samples]))
        return samples

    def done(self, sample: Sample, tokens: int) -> None:
        """Says that a sample is on disk, with its length."""
        with self._locked() as log:
            self._append(log, QueueEvent(done=(self._index[sample], tokens)))

    def failed(self, sample: Sample, reason: str) -> None:
        """Says that a sample cannot be had in this run; it stays missing."""
        with self._locked() as log:
            self._append(log, QueueEvent(failed=(self._index[sample], reason)))

    def recover(self, find_on_disk: Callable[[Iterable[Sample]], set[Sample]]) -> int:
        """Puts back what dead workers took and did not finish; returns how many samples that were.

        `find_on_disk` tells which of the samples given have their line in a generation file.
        """
        with self._locked() as log:
            self._replay(log)
            dead = [samples for worker, samples in self._scheduler.holders().items() if not self._is_alive(worker)]
            lost = [sample for samples in dead for sample in samples]
            if not lost:
                return 0
            finished = find_on_disk(lost)
            back = [self._index[sample] for sample in lost if sample not in finished]
            self._append(log, QueueEvent(back=back, finished=[self._index[sample] for sample in finished]))
            self._replay(log)
        return len(back)

    def refresh(self) -> None:
        """Reads what the others have done."""
        with self._locked() as log:
            self._replay(log)

    @property
    def is_finished(self) -> bool:
        """True when every sample is done or failed, as far as this worker has read."""
        return len(self._closed) == len(self._samples)

    def read_failures(self) -> dict[Sample, str]:
        """The samples that could not be had so far, with the reason."""
        self.refresh()
        return dict(self._failures)

    def close(self) -> None:
        """Leaves the queue: what was taken and not finished goes to the others."""
        os.close(self._alive)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        path = self.folder / EVENTS_FILE
        try:
            log = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(log, fcntl.LOCK_EX)
                yield log
            finally:
                os.close(log)
        except OSError as error:
            raise storage_error(path, error) from error

    def _append(self, log: int, event: QueueEvent) -> None:
        """Writes one line, whole or not at all."""
        size = os.fstat(log).st_size
        # A writer that was killed mid-line leaves a torn line; the leading line end keeps this one whole.
        is_torn = size > 0 and os.pread(log, 1, size - 1) != b"\n"
        line = (b"\n" if is_torn else b"") + event.to_json(self.name).encode() + b"\n"
        if os.write(log, line) < len(line):
            os.ftruncate(log, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _replay(self, log: int) -> None:
        """Applies all whole lines that were added since the last look."""
        size = os.fstat(log).st_size
        data = os.pread(log, size - self._offset, self._offset)
        end = data.rfind(b"\n") + 1
        self._offset += end
        for line in data[:end].split(b"\n"):
            try:
                event = QueueEvent.from_json(json.loads(line)) if line else QueueEvent()
            except (ValueError, TypeError, AttributeError):
                continue  # a torn line: its writer is dead, and its samples come back through recover()
            self._apply(event)

    def _apply(self, event: QueueEvent) -> None:
        if event.take and event.by != self.name:  # its own it has noted when it took them
            self._scheduler.assign(event.by, [self._samples[index] for index in event.take])
        if event.done:
            index, tokens = event.done
            self._close(self._samples[index], tokens)
        if event.failed:
            index, reason = event.failed
            self._failures[self._samples[index]] = reason
            self._close(self._samples[index])
        for index in event.finished:
            self._close(self._samples[index])
        back = [self._samples[index] for index in event.back]
        self._scheduler.put_back([sample for sample in back if sample not in self._closed])

    def _close(self, sample: Sample, tokens: int | None = None) -> None:
        if sample not in self._closed:
            self._closed.add(sample)
            self._scheduler.finish(sample, tokens)

    def _hold_alive_lock(self) -> int:
        path = self.folder / WORKERS_FOLDER / f"{self.name}.alive"
        for _ in range(20):
            descriptor = hold_lock(path)
            if descriptor is not None:
                return descriptor
            time.sleep(0.05)  # somebody may just be asking whether we live
        raise RunLocked(f"{self.folder}: a worker named {self.name} is at work already; end it first")

    def _is_alive(self, worker: str) -> bool:
        return worker == self.name or is_alive(self.folder, worker)

    def _count_living(self) -> None:
        if time.monotonic() - self._living_counted_at >= COUNT_LIVING_EVERY_S:
            self._living_counted_at = time.monotonic()
            self._living = max(1, len(living_workers(self.folder)))


def living_workers(folder: pathlib.Path) -> list[str]:
    """Names of the workers of a queue that are alive now, on whatever machine."""
    names = sorted(path.stem for path in (folder / WORKERS_FOLDER).glob("*.alive"))
    return [name for name in names if is_alive(folder, name)]


def is_alive(folder: pathlib.Path, worker: str) -> bool:
    """True while the worker holds its lock. Asks without creating a file and without waiting."""
    try:
        descriptor = os.open(folder / WORKERS_FOLDER / f"{worker}.alive", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        # Shared, so that two who ask at the same time do not take each other for the worker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
