"""The same workers on a Ray cluster: LAUNCHER=ray. Answers come home to one place, whatever happens to a node.

    ray start --head                                   # on the first node; `ray start --address=HEAD:6379` on the others
    LAUNCHER=ray bash run_aime.sh MODEL OUT             # on the head, or wherever OUT lies and Ray can be reached

Theory of operation. The driver (this process) holds the queue and the only pen: for every actor it takes samples from
the WorkQueue, sends them with their prompts as token ids, and writes what comes back with the same code as a worker on
one node. An actor is an engine and nothing else, so it needs no shared folder, only the model. A lost node is a lost
actor: its samples go back to the queue and fall to the living, and it is started again where there is room, up to 3
times with back-off. An actor that does not answer for STALL_TIMEOUT_S is killed. When the driver dies, Ray ends its
actors, and the same command continues.

Which cluster: tools/cluster/connection.py. A tensor-parallel group stays within a node.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from tools.cluster.connection import connected
from tools.engines import Outcome, Request, create_engine
from tools.errors import EvaluationError, UsageError, printable
from tools.sampling import worker
from tools.sampling.launcher import (
    CPU_ENVIRONMENT,
    EXIT_CRASH,
    EXIT_OUT_OF_MEMORY,
    EXIT_PERMANENT,
    LONGEST_CAUSE,
    START_NOTE_S,
    START_TIMEOUT_S,
    Slot,
    ended_by_signals,
    exit_code_of,
    halve_batch,
    log_path,
    plan_restart,
)
from tools.sampling.pinning import fetch_models
from tools.sampling.progress import RunProgress
from tools.sampling.requests import prepare_requests
from tools.sampling.settings import RunSettings
from tools.sampling.status import StatusFile, workers_folder
from tools.sampling.turns import with_turns
from tools.sampling.workqueue import WorkQueue
from tools.store.files import storage_error

POLL_S = 0.1
# What the engines on other nodes need of this one's environment: how to reach the hub and each other.
PASSED = (
    "OPENAI_API_KEY", "DO_NOT_TRACK", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    *(name for proxy in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for name in (proxy, proxy.upper())),
    *CPU_ENVIRONMENT,
)  # fmt: skip
PASSED_PREFIXES = ("HF_", "HUGGING_FACE_", "TRANSFORMERS_", "VLLM_", "NCCL_", "GLOO_")
OF_ONE_NODE = ("VLLM_HOST_IP",)
# An actor collects for so long what has finished, so that the engine seldom waits for the driver.
EXCHANGE_EVERY_S = 0.25


@dataclasses.dataclass(frozen=True)
class Report:
    """What an actor answers: finished outcomes, its capacity, what its server refuses of the sampling, what it printed, or
    why it cannot go on."""

    outcomes: Sequence[Outcome] = ()
    capacity: int = 0
    dropped: Sequence[str] = ()
    error: str | None = None
    exit_code: int = 0
    output: str = ""


class EngineActor:
    """An engine behind Ray: everything that needs the model happens here, and nothing else."""

    def __init__(self, settings: str, max_model_len: int) -> None:
        self._settings, self._max_model_len = RunSettings.from_json(settings), max_model_len
        self._in_flight = 0
        self._printed = [OutputFile(descriptor) for descriptor in (1, 2)]

    def start(self) -> Report:
        """Loads the model."""
        return self._answer(self._load)

    def exchange(self, requests: Sequence[Request]) -> Report:
        """Takes new requests in, works a moment, gives back what has finished."""
        return self._answer(self._work, requests)

    def _load(self) -> Report:
        print(f"process {os.getpid()} of {socket.gethostname()} loads the engine", flush=True)
        settings = self._settings
        fetch_models(settings)
        setup = settings.engine_setup(self._max_model_len)
        engine = create_engine(settings.engine, setup, settings.engine_options)
        self._engine = with_turns(engine, settings, self._max_model_len)
        return Report(capacity=self._engine.capacity)

    def _work(self, requests: Sequence[Request]) -> Report:
        for request in requests:
            self._engine.submit(request)
        self._in_flight += len(requests)
        outcomes: list[Outcome] = []
        until = time.monotonic() + EXCHANGE_EVERY_S
        while self._in_flight and (not outcomes or time.monotonic() < until):
            finished = self._engine.step()
            self._in_flight -= len(finished)
            outcomes += finished
            if not outcomes and time.monotonic() > until + 1.0:
                break  # a sign of life
        return Report(outcomes, self._engine.capacity, worker.what_is_dropped(self._engine))

    def _answer(self, work: Callable[..., Report], *arguments: Any) -> Report:
        """What the engine raises becomes a Report; exceptions of some libraries do not survive the way home."""
        try:
            report = work(*arguments)
        except EvaluationError as error:
            report = Report(error=str(error), exit_code=exit_code_of(error))
            if report.exit_code == EXIT_CRASH:
                traceback.print_exc()
        except Exception as error:  # noqa: BLE001 - whatever it is, the driver has to hear of it
            traceback.print_exc()
            report = Report(error=f"{type(error).__name__}: {error}", exit_code=EXIT_CRASH)
        return dataclasses.replace(report, output="".join(printed.read() for printed in self._printed))


class OutputFile:
    """What this process prints: Ray keeps it in a file of the node, from which it is read again to be sent home."""

    def __init__(self, descriptor: int) -> None:
        self._path, self._offset = pathlib.Path(f"/proc/self/fd/{descriptor}").resolve(), 0

    def read(self) -> str:
        """The new part, at most 64 KiB at a time."""
        if not self._path.is_file():  # a terminal or a pipe
            return ""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(1 << 16)
        self._offset += len(data)
        return data.decode(errors="replace")


@dataclasses.dataclass
class ActorSlot(Slot):
    """A place for an actor, and the driver's side of the one that is there."""

    actor: Any = None
    call: Any = None
    called_at: float = 0.0
    is_loading: bool = False
    queue: WorkQueue | None = None
    file: StatusFile | None = None


def supervise_on_ray(out: pathlib.Path, settings: RunSettings, progress: RunProgress) -> None:
    """Runs all actors to their end. Raises the error that stopped the run, or KeyboardInterrupt."""
    with connected(choose_environment()) as ray, ended_by_signals():
        cluster = Cluster(ray, out, settings)
        try:
            while not cluster.is_finished:
                cluster.look_around()
                progress.update(cluster.slots)  # type: ignore[arg-type]
            progress.update(cluster.slots, force=True)  # type: ignore[arg-type]
        finally:
            cluster.close()


def choose_environment() -> dict[str, str]:
    """What the engines on other nodes have to know of this one's environment."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if (name in PASSED or name.startswith(PASSED_PREFIXES)) and name not in OF_ONE_NODE
    }
    return CPU_ENVIRONMENT | ours


class Cluster:
    """All actors of a run and their slots."""

    def __init__(self, ray: Any, out: pathlib.Path, settings: RunSettings) -> None:
        self._ray, self._out, self._settings = ray, out, settings
        self._requests = prepare_requests(out, settings)
        self._resources, count = choose_resources(ray, settings)
        self.slots = [ActorSlot(f"ray{index}", None) for index in range(count)]
        self._recover_at = 0.0
        self._is_done = False

    @property
    def is_finished(self) -> bool:
        return self._is_done or all(slot.is_finished for slot in self.slots)

    def look_around(self) -> None:
        """Starts what is to be started, collects what has come home, hands out what there is."""
        now = time.monotonic()
        for slot in self.slots:
            if not slot.is_finished and slot.actor is None and now >= slot.start_at:
                self._start(slot)
        calls = {slot.call: slot for slot in self.slots if slot.call is not None}
        ready = self._ray.wait(list(calls), num_returns=len(calls), timeout=POLL_S)[0] if calls else []
        if not calls:
            time.sleep(POLL_S)
        for call in ready:
            self._collect(calls[call])
        for slot in self.slots:
            self._watch(slot)
        if now >= self._recover_at:
            self._recover_at = now + worker.RECOVER_EVERY_S
            for slot in self.slots:
                if slot.queue is not None:
                    slot.queue.recover(lambda samples: worker.find_on_disk(self._out, samples))

    def close(self) -> None:
        for slot in self.slots:
            if slot.file is not None:
                slot.file.write("finished" if self._is_done else "ended")
            self._release(slot)

    def _start(self, slot: ActorSlot) -> None:
        slot.starts += 1
        settings = self._settings.with_batch(slot.max_num_seqs)
        slot.file = StatusFile(workers_folder(self._out), slot.worker_name)
        kind = self._ray.remote(EngineActor).options(max_restarts=0, scheduling_strategy="SPREAD", **self._resources)
        slot.actor = kind.remote(settings.to_json(), self._requests.max_model_len)
        slot.call, slot.called_at, slot.is_loading = slot.actor.start.remote(), time.monotonic(), True

    def _collect(self, slot: ActorSlot) -> None:
        try:
            report: Report = self._ray.get(slot.call)
        except self._ray.exceptions.RayError as error:  # its process or its node is gone
            self._lose(slot, Report(error=f"{type(error).__name__}: its process or node is gone", exit_code=EXIT_CRASH))
            return
        slot.call = None
        self._log(slot, report.output)
        if report.error:
            self._lose(slot, report)
            return
        assert slot.file is not None
        if slot.queue is None:  # it lives, so from now on it has a share
            slot.queue = WorkQueue.join(self._out / ".run", slot.worker_name)
        slot.is_loading, slot.file.status.capacity = False, report.capacity
        worker.note_dropped(report.dropped, self._out, self._requests, slot.file)
        for outcome in report.outcomes:
            slot.file.status.in_flight -= 1
            worker.record(outcome, slot.queue, self._out, self._requests, slot.file)
        self._hand_out(slot)

    def _hand_out(self, slot: ActorSlot) -> None:
        assert slot.file is not None
        assert slot.queue is not None
        status = slot.file.status
        taken = slot.queue.take(status.capacity - status.in_flight)
        status.in_flight += len(taken)
        if status.in_flight:
            slot.call = slot.actor.exchange.remote([self._requests.make(sample) for sample in taken])
            slot.called_at = time.monotonic()
        slot.file.tick()

    def _watch(self, slot: ActorSlot) -> None:
        """Gives an idle actor what others left, ends one that hangs, and sees the end of the run."""
        if slot.actor is None:
            return
        if slot.queue is not None and slot.call is None:
            slot.queue.refresh()
            self._is_done = self._is_done or slot.queue.is_finished
            if not self._is_done:
                self._hand_out(slot)
            return
        limit = self._settings.stall_timeout_s
        if slot.is_loading:
            limit = max(limit, START_TIMEOUT_S)
            self._note_slow_start(slot)
        if time.monotonic() - slot.called_at > limit:
            self._lose(slot, Report(error=f"no answer for {limit:g} s", exit_code=EXIT_CRASH))

    def _note_slow_start(self, slot: ActorSlot) -> None:
        """Says from time to time that an actor still loads, or has found no place: Ray says neither."""
        now = time.monotonic()
        if now - max(slot.called_at, slot.noted_at) >= START_NOTE_S:
            slot.noted_at = now
            waited = f"{now - slot.called_at:.0f} s"
            print(
                f"{slot.worker_name}: still not started after {waited}; it loads the model, or the cluster has no free place for it "
                "(`ray status`)",
                file=sys.stderr,
            )

    def _lose(self, slot: ActorSlot, report: Report) -> None:
        """An actor is gone or broken: its samples go back, and it is started again if that may help."""
        cause, capacity = printable(report.error or "", LONGEST_CAUSE), slot.file.status.capacity if slot.file else 0
        self._log(slot, f"{slot.worker_name}: {cause}\n")
        self._release(slot)
        if report.exit_code == EXIT_PERMANENT:
            raise EvaluationError(f"{cause} (log: {log_path(self._out, slot)})")
        if report.exit_code == EXIT_OUT_OF_MEMORY:
            halve_batch(slot, capacity or self._settings.engine_options.max_num_seqs, cause)
        else:
            plan_restart(slot, list(self.slots), report.exit_code, cause, self._out)

    def _log(self, slot: ActorSlot, text: str) -> None:
        path = log_path(self._out, slot)
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("a", encoding="utf-8", errors="replace") as log:
                log.write(text)
        except OSError as error:
            raise storage_error(path, error) from error

    def _release(self, slot: ActorSlot) -> None:
        if slot.actor is not None:
            with contextlib.suppress(Exception):  # it may be gone already; nothing is left to be done then
                self._ray.kill(slot.actor)
        if slot.queue is not None:
            slot.queue.close()
        slot.actor = slot.call = slot.queue = None


def choose_resources(ray: Any, settings: RunSettings) -> tuple[dict[str, float], int]:
    """What one actor needs, and how many actors there are: GPUS and TENSOR_PARALLEL over all nodes that are alive."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    size = settings.engine_options.gpus_per_engine
    asked = settings.gpus
    if asked is not None and not (asked.isascii() and asked.isdigit() and int(asked) >= 1):
        raise UsageError(f"GPUS={asked!r}: with LAUNCHER=ray give how many, Ray chooses which")
    if not settings.needs.devices:
        return {"num_cpus": 1}, 1
    gpus = [int(resources.get("GPU", 0)) for resources in nodes]
    if not any(gpus):
        return {"num_cpus": 1}, int(asked or len(nodes))
    groups = sum(count // size for count in gpus)
    if not groups:
        raise UsageError(f"no node has the {size} GPUs of TENSOR_PARALLEL={size}; a group stays within one node")
    wanted = groups if asked is None else int(asked) // size
    if not 1 <= wanted <= groups:
        raise UsageError(f"GPUS={asked}: the cluster has room for {groups} groups of {size}; choose accordingly")
    return {"num_gpus": size, "num_cpus": 1}, wanted
