"""Starts one worker per GPU, watches them, starts dead ones again, shows progress: the launcher behind inference.py.

A worker that dies is started again up to 3 times, after 1, 2 and 4 seconds; meanwhile its work falls to the living. One
that makes no progress for a while is killed and counts as dead. When memory runs out, the batch is halved. An error
that a restart cannot mend (a model that does not load, a full disk) ends the run with that one line. Whatever ends
the supervisor ends its workers: they run in groups of their own that are killed, and the kernel ends those whose
supervisor was killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tools.errors import EngineError, EvaluationError, UsageError
from tools.generations import write_atomically
from tools.progress import RunProgress
from tools.settings import RunSettings

BACKOFF_S = (1.0, 2.0, 4.0)
POLL_S = 0.1
# Exit codes of a worker, beside 0: what a restart does not mend, what needs a smaller batch, a crash (as all else is).
EXIT_PERMANENT, EXIT_OUT_OF_MEMORY, EXIT_CRASH = 2, 75, 3
INFERENCE = pathlib.Path(__file__).resolve().parents[1] / "inference.py"


@dataclasses.dataclass
class Slot:
    """A place for a worker: one GPU, a tensor-parallel group, or a share of the CPU."""

    name: str
    devices: str | None
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    restarts: int = 0
    start_at: float = 0.0
    max_num_seqs: int | None = None
    seen: tuple[Any, ...] = ()
    seen_at: float = 0.0
    is_finished: bool = False

    @property
    def worker_name(self) -> str:
        return f"{self.name}.{self.starts}"


def choose_slots(settings: RunSettings) -> list[Slot]:
    """One slot per GPU or tensor-parallel group; on a machine without GPU, GPUS says how many CPU workers."""
    visible = visible_gpus()
    size = settings.tensor_parallel
    if settings.engine == "openai":
        return [Slot("server", None)]
    if not visible:
        if settings.gpus and "," in settings.gpus:
            raise UsageError(
                f"GPUS={settings.gpus} names GPUs and this machine shows none; GPUS=2 starts two CPU workers"
            )
        return [Slot(f"cpu{index}", None) for index in range(_count(settings.gpus or "1"))]
    chosen = _choose_gpus(settings.gpus, visible)
    if len(chosen) % size:
        raise UsageError(
            f"{len(chosen)} GPUs do not divide into groups of TENSOR_PARALLEL={size}; choose GPUS accordingly"
        )
    groups = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    return [Slot(f"gpu{'-'.join(group)}", ",".join(group)) for group in groups]


def _choose_gpus(asked: str | None, visible: Sequence[str]) -> list[str]:
    if asked is None:
        return list(visible)
    if "," not in asked:
        count = _count(asked)
        if count > len(visible):
            raise UsageError(f"GPUS={asked} and only {len(visible)} are visible ({','.join(visible)})")
        return list(visible[:count])
    chosen = [name for name in asked.split(",") if name]
    missing = [name for name in chosen if name not in visible]
    if missing:
        raise UsageError(f"GPUS={asked}: {', '.join(missing)} is not among the visible ones ({','.join(visible)})")
    return chosen


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"GPUS={text!r}: give how many (8) or which, with a comma (0,2 or 3,)")
    return int(text)


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use: CUDA_VISIBLE_DEVICES, else what nvidia-smi lists."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name not in ("", "-1")]
    if not shutil.which("nvidia-smi"):
        return []
    answer = subprocess.run(
        ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return answer.stdout.split() if answer.returncode == 0 else []


def supervise(out: pathlib.Path, settings: RunSettings, slots: list[Slot], progress: RunProgress) -> None:
    """Runs all workers to their end. Raises the error that stopped the run, or KeyboardInterrupt."""
    with ended_by_signals():
        try:
            while not all(slot.is_finished for slot in slots):
                for slot in slots:
                    look_after(slot, slots, out, settings)
                progress.update(slots)
                time.sleep(POLL_S)
            progress.update(slots, force=True)
        finally:
            for slot in slots:
                kill_group(slot)


def look_after(slot: Slot, slots: list[Slot], out: pathlib.Path, settings: RunSettings) -> None:
    """Starts, checks, and if need be ends one slot's worker."""
    if slot.is_finished:
        return
    if slot.process is None:
        if time.monotonic() >= slot.start_at:
            start(slot, out)
        return
    code = slot.process.poll()
    if code is None:
        if is_stalled(slot, out, settings.stall_timeout_s):
            print(f"{slot.worker_name}: no progress for {settings.stall_timeout_s:g} s, it is ended", file=sys.stderr)
            kill_group(slot)
        return
    kill_group(slot)  # children that outlived it
    slot.process = None
    if code == 0:
        slot.is_finished = True
        return
    cause = last_error(log_path(out, slot))
    if code == EXIT_PERMANENT:
        raise EvaluationError(f"{cause} (log: {log_path(out, slot)})")
    if code == EXIT_OUT_OF_MEMORY or "out of memory" in cause.lower():
        _halve_batch(slot, cause)
    else:
        _plan_restart(slot, slots, code, cause, out)


def _halve_batch(slot: Slot, cause: str) -> None:
    if slot.max_num_seqs == 1:
        raise EngineError(
            f"{slot.name}: {cause}, even with one sequence at a time; lower OUT_SEQ_LEN or use more GPUs per engine"
        )
    slot.max_num_seqs = max(1, (slot.max_num_seqs or 256) // 2)
    print(f"{slot.name}: out of memory; going on with at most {slot.max_num_seqs} sequences at once", file=sys.stderr)


def _plan_restart(slot: Slot, slots: list[Slot], code: int, cause: str, out: pathlib.Path) -> None:
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
    if slot.restarts < len(BACKOFF_S):
        pause = BACKOFF_S[slot.restarts]
        print(f"{slot.worker_name}: ended {how}; starting again in {pause:g} s ({cause})", file=sys.stderr)
        slot.start_at = time.monotonic() + pause
        slot.restarts += 1
        return
    others = [other for other in slots if other is not slot and not other.is_finished]
    message = f"{slot.name}: ended {how} after {slot.restarts} restarts: {cause} (log: {log_path(out, slot)})"
    if not others:
        raise EngineError(f"{message}; mend the cause and run the same command again, it continues where it was")
    print(f"{message}; the other workers take over its samples", file=sys.stderr)
    slot.is_finished = True


def start(slot: Slot, out: pathlib.Path) -> None:
    """Starts a slot's worker in a process group of its own, its output in its log."""
    slot.starts += 1
    environment = dict(os.environ)
    if slot.devices is not None:
        environment["CUDA_VISIBLE_DEVICES"] = slot.devices
    else:
        environment.setdefault(
            "OMP_NUM_THREADS", "1"
        )  # the same number for any number of workers: same sums, same texts
    words = [sys.executable, str(INFERENCE), "--worker", slot.worker_name, "--out", str(out)]
    words += ["--max-num-seqs", str(slot.max_num_seqs)] if slot.max_num_seqs else []
    log_path(out, slot).parent.mkdir(exist_ok=True)
    with log_path(out, slot).open("ab") as log:
        slot.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    slot.seen_at = time.monotonic()


def is_stalled(slot: Slot, out: pathlib.Path, timeout_s: float) -> bool:
    """True when a worker's status has not changed for `timeout_s`."""
    status = read_status(out, slot.worker_name)
    seen = (slot.starts, status.get("updated_at"))
    if seen != slot.seen:
        slot.seen, slot.seen_at = seen, time.monotonic()
    return time.monotonic() - slot.seen_at > timeout_s


def read_status(out: pathlib.Path, worker_name: str) -> dict[str, Any]:
    """A worker's last status; empty before its first."""
    try:
        status: dict[str, Any] = json.loads(
            (out / ".run" / "workers" / f"{worker_name}.json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return status


def log_path(out: pathlib.Path, slot: Slot) -> pathlib.Path:
    return out / "logs" / f"{slot.name}.log"


def last_error(path: pathlib.Path) -> str:
    """The line of a log that says why its worker ended."""
    try:
        lines = [
            line.strip() for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()
        ]
    except OSError:
        return "no log"
    errors = [line for line in lines[-200:] if line.startswith("error: ") or "Error" in line]
    return (errors or lines or ["nothing in its log"])[-1].removeprefix("error: ")


def kill_group(slot: Slot) -> None:
    """Ends a worker and all that it started."""
    if slot.process is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(slot.process.pid, signal.SIGKILL)
    slot.process.wait()


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM, SIGHUP and SIGINT (which background jobs of a shell ignore) become KeyboardInterrupt."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_run_settings(out: pathlib.Path, settings: RunSettings) -> None:
    write_atomically(out / ".run" / "settings.json", settings.to_json())
