"""What a run and its workers say of themselves in small files: `<out>/status.json` and `<out>/.run/workers/<name>.json`.

Workers write theirs about once a second; the launcher adds them up; monitors read the sum. Fields that a file of
another version lacks have their defaults, and those that it has more are passed over.

>>> RunStatus.from_json({"done": 3, "total": 8, "colour": "blue"}).done
3
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Sequence

from tools.records import JsonObject
from tools.store.files import write_atomically

STATUS_EVERY_S = 1.0


@dataclasses.dataclass
class SampleCounts:
    """What came of the samples: `unclosed` ones hold reasoning that never ends."""

    done: int = 0
    failed: int = 0
    tokens: int = 0
    truncated: int = 0
    unclosed: int = 0
    cost: float = 0.0  # US dollars, as far as prices are known
    by_dataset: dict[str, int] = dataclasses.field(default_factory=dict)  # done, by benchmark

    def add(self, other: SampleCounts) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, count in other.by_dataset.items():
            self.by_dataset[name] = self.by_dataset.get(name, 0) + count


COUNTS = ("done", "failed", "tokens", "truncated", "unclosed", "cost")


@dataclasses.dataclass
class WorkerStatus(SampleCounts):
    """One life of a worker, or, in the run's status, all lives of the workers of one slot.

    `answering_s` and `answering_cpu_s` are between the engine's start and its last answer; `restarts`, `log` and
    `tokens_per_s` are the launcher's.
    """

    name: str = ""
    pid: int = 0
    state: str = "starting"
    updated_at: float = 0.0
    in_flight: int = 0
    capacity: int = 0
    answering_s: float = 0.0
    answering_cpu_s: float = 0.0
    restarts: int = 0
    log: str = ""
    tokens_per_s: float = 0.0
    dropped: list[str] = dataclasses.field(default_factory=list)  # of the sampling: refused by the server

    @classmethod
    def from_json(cls, row: JsonObject) -> WorkerStatus:
        return cls(**{name: value for name, value in row.items() if name in WORKER_FIELDS})

    @property
    def slot(self) -> str:
        """The slot of a life: gpu0 of gpu0.2."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def life(self) -> int:
        number = self.name.rpartition(".")[2]
        return int(number) if number.isdigit() else 0


WORKER_FIELDS = {field.name for field in dataclasses.fields(WorkerStatus)}


class StatusFile:
    """A worker's end of its status file."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self._path = folder / f"{name}.json"
        self._written_at = 0.0
        self.status = WorkerStatus(name=name, pid=os.getpid())
        self.write("starting")

    def tick(self) -> None:
        if time.monotonic() - self._written_at >= STATUS_EVERY_S:
            self.write("running")

    def write(self, state: str) -> None:
        self._written_at = time.monotonic()
        self.status.state, self.status.updated_at = state, time.time()
        write_atomically(self._path, json.dumps(dataclasses.asdict(self.status)))


def workers_folder(out: pathlib.Path) -> pathlib.Path:
    return out / ".run" / "workers"


def read_worker(out: pathlib.Path, name: str) -> WorkerStatus | None:
    """A worker's last status; None before its first, or while it is being replaced."""
    try:
        return WorkerStatus.from_json(json.loads((workers_folder(out) / f"{name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def merge_lives(lives: Sequence[WorkerStatus]) -> WorkerStatus:
    """All lives of one slot as one row: counts added, the rest from the last."""
    last = max(lives, key=lambda life: life.life)
    counts = SampleCounts()
    for life in lives:
        counts.add(life)
    name = last.slot
    return dataclasses.replace(
        last, name=name, restarts=len(lives) - 1, log=f"logs/{name}.log", **dataclasses.asdict(counts)
    )


@dataclasses.dataclass(frozen=True)
class Share:
    """How much of a benchmark is there."""

    total: int
    done: int


@dataclasses.dataclass(frozen=True)
class RunStatus:
    """A run as status.json tells it. `answered` counts this command's answers, `done` those of earlier ones too."""

    state: str = "running"
    started_at: str = ""
    updated_at: str = ""
    elapsed_s: float | None = None
    total: int = 0
    done: int = 0
    done_before: int = 0
    answered: int = 0
    failed: int = 0
    tokens: int = 0
    truncated: int = 0
    unclosed: int = 0
    tokens_per_s: float | None = None
    eta_s: float | None = None
    workers: tuple[WorkerStatus, ...] = ()
    datasets: dict[str, Share] = dataclasses.field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def from_json(cls, row: JsonObject) -> RunStatus:
        known = {name: value for name, value in row.items() if name in RUN_FIELDS}
        known["workers"] = tuple(map(WorkerStatus.from_json, row.get("workers", ())))
        known["datasets"] = {name: Share(part["total"], part["done"]) for name, part in row.get("datasets", {}).items()}
        if row.get("is_reasoning") is False:  # version 0.1 counted every answer of a model that does not reason
            known["unclosed"] = 0
        return cls(**known)


RUN_FIELDS = {field.name for field in dataclasses.fields(RunStatus)}
