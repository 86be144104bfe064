"""Starts one worker per GPU, watches them, starts dead ones again, shows progress: the launcher behind inference.py.

A worker that dies is started again up to 3 times, after 1, 2 and 4 seconds; meanwhile its work falls to the living. One
that makes no progress for a while is killed and counts as dead. When memory runs out, the batch is halved. An error
that a restart cannot mend (a model that does not load, a full disk) ends the run with that one line. Whatever ends
the supervisor ends its workers: they run in groups of their own that are killed, by tools/sampling/guardian.py when the
supervisor cannot do it any more.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from tools.errors import EngineError, EngineOutOfMemory, EngineUnavailable, EvaluationError, printable
from tools.sampling.progress import RunProgress
from tools.sampling.settings import RunSettings
from tools.sampling.status import read_worker
from tools.store.files import storage_error, write_atomically

BACKOFF_S = (1.0, 2.0, 4.0)
POLL_S = 0.1
# Exit codes of a worker, beside 0: what a restart does not mend, what needs a smaller batch, a crash (as all else is).
EXIT_PERMANENT, EXIT_OUT_OF_MEMORY, EXIT_CRASH = 2, 75, 3
# A worker that somebody stopped (SIGSTOP, a debugger's detach) may hold a lock that all others wait for: end it soon.
STOPPED_TIMEOUT_S = 30.0
START_TIMEOUT_S = 3600.0  # a model may have to be fetched first
START_NOTE_S = 300.0  # a start that takes longer says what it waits for, again and again
END_TIMEOUT_S = 10.0  # for a killed process to go; one that hangs in the kernel is left to it
DEFAULT_CAPACITY = 256
LOG_END_BYTES = 1 << 20
LONGEST_CAUSE = 1000  # characters of a log's line that are shown
# For a worker on the CPU. The same number of threads for any number of workers: same sums, same texts. No cores of its
# own choice: every vLLM on a machine would choose the same ones. And memory that was used once stays with the process:
# given back and fetched again at every step, it costs page faults, which two workers pay for each other.
CPU_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
}
TOOLS = pathlib.Path(__file__).resolve().parents[1]
INFERENCE = TOOLS.parent / "inference.py"


@dataclasses.dataclass
class Slot:
    """A place for a worker: one GPU, a group of them, or a share of the CPU (tools/sampling/gpus.py)."""

    name: str
    devices: str | None
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    restarts: int = 0
    start_at: float = 0.0
    max_num_seqs: int | None = None
    seen: tuple[int, float] = (0, 0.0)
    seen_at: float = 0.0
    stopped_at: float | None = None
    noted_at: float = 0.0  # when it was last said that it is still starting
    log_start: int = 0  # where its log begins to speak of this life
    hang: str | None = None  # why it was ended, when it hung
    is_finished: bool = False
    is_given_up: bool = False

    @property
    def worker_name(self) -> str:
        return f"{self.name}.{self.starts}"


def supervise(out: pathlib.Path, settings: RunSettings, slots: list[Slot], progress: RunProgress | None) -> None:
    """Runs all workers to their end. Raises the error that stopped the run, or KeyboardInterrupt.

    Without `progress` this launcher helps another one, which shows the progress of all.
    """
    with ended_by_signals(), Guardian() as guardian:
        try:
            while not all(slot.is_finished for slot in slots):
                for slot in slots:
                    look_after(slot, slots, out, settings, guardian)
                if progress:
                    progress.update(slots)
                time.sleep(POLL_S)
        except OSError as error:  # a log that cannot be opened on a full disk
            raise storage_error(out, error) from error
        finally:
            for slot in slots:
                kill_group(slot, guardian)


class Guardian:
    """The launcher's end of tools/sampling/guardian.py."""

    def __enter__(self) -> Guardian:
        words = [sys.executable, "-I", "-S", str(TOOLS / "sampling" / "guardian.py")]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_TIMEOUT_S)

    def watch(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # somebody killed it; the workers are ours still
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def look_after(slot: Slot, slots: list[Slot], out: pathlib.Path, settings: RunSettings, guardian: Guardian) -> None:
    """Starts, checks, and if need be ends one slot's worker."""
    if slot.is_finished:
        return
    if slot.process is None:
        if time.monotonic() >= slot.start_at:
            start(slot, out, guardian)
        return
    code = slot.process.poll()
    if code is None:
        note_slow_start(slot, out)
        reason = find_hang(slot, out, settings.stall_timeout_s)
        if reason:
            slot.hang = reason
            with contextlib.suppress(ProcessLookupError):
                os.killpg(slot.process.pid, signal.SIGKILL)
        return
    kill_group(slot, guardian)  # children that outlived it
    slot.process = None
    if code == 0:
        slot.is_finished = True
        return
    cause = slot.hang or last_error(log_path(out, slot), slot.log_start)
    slot.hang = None
    if code == EXIT_PERMANENT:
        check_writable(out)  # a full disk holds no log either
        raise EvaluationError(f"{cause} (log: {log_path(out, slot)})")
    if code == EXIT_OUT_OF_MEMORY or (code > 0 and "out of memory" in cause.lower()):
        status = read_worker(out, slot.worker_name)
        halve_batch(slot, (status and status.capacity) or settings.engine_options.max_num_seqs, cause)
    else:
        plan_restart(slot, slots, code, cause, out)


def halve_batch(slot: Slot, capacity: int | None, cause: str) -> None:
    """Plans the next start with half the batch. `capacity`: of the engine that ran out, None when it never said."""
    capacity = capacity or DEFAULT_CAPACITY
    capacity = min(capacity, slot.max_num_seqs or capacity)
    if capacity == 1:
        raise EngineError(
            f"{slot.name}: {cause.rstrip('.')}, even with one sequence at a time; raise TENSOR_PARALLEL, lower OUT_SEQ_LEN, "
            "or give QUANTIZATION"
        )
    slot.max_num_seqs = capacity // 2
    sequences = "sequence" if slot.max_num_seqs == 1 else "sequences"
    print(f"{slot.name}: out of memory; going on with at most {slot.max_num_seqs} {sequences} at once", file=sys.stderr)


def plan_restart(slot: Slot, slots: Sequence[Slot], code: int, cause: str, out: pathlib.Path) -> None:
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
    if slot.restarts < len(BACKOFF_S):
        pause = BACKOFF_S[slot.restarts]
        print(f"{slot.worker_name}: ended {how}; starting again in {pause:g} s ({cause})", file=sys.stderr)
        slot.start_at = time.monotonic() + pause
        slot.restarts += 1
        return
    slot.is_given_up = True
    others = [other for other in slots if not other.is_given_up]
    message = f"{slot.name}: ended {how} after {slot.restarts} restarts: {cause} (log: {log_path(out, slot)})"
    if not others:
        raise EngineError(f"{message}; mend the cause and run the same command again, it continues where it was")
    print(f"{message}; the other workers take over its samples", file=sys.stderr)
    slot.is_finished = True


def start(slot: Slot, out: pathlib.Path, guardian: Guardian) -> None:
    """Starts a slot's worker in a process group of its own, its output in its log."""
    slot.starts += 1
    if slot.devices is not None:
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": slot.devices}
    else:
        environment = CPU_ENVIRONMENT | os.environ
    words = [sys.executable, str(INFERENCE), "--worker", slot.worker_name, "--out", str(out)]
    words += ["--max-num-seqs", str(slot.max_num_seqs)] if slot.max_num_seqs else []
    log_path(out, slot).parent.mkdir(exist_ok=True)
    with log_path(out, slot).open("ab") as log:
        slot.log_start = log.tell()
        slot.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    guardian.watch(slot.process.pid)
    slot.seen_at, slot.stopped_at = time.monotonic(), None
    slot.noted_at = slot.seen_at


def find_hang(slot: Slot, out: pathlib.Path, timeout_s: float) -> str | None:
    """Why a living worker counts as hanging: stopped by a signal, or its status has not changed for `timeout_s`."""
    assert slot.process is not None
    now = time.monotonic()
    if is_stopped(slot.process.pid):
        slot.stopped_at = slot.stopped_at or now
        if now - slot.stopped_at > min(timeout_s, STOPPED_TIMEOUT_S):
            return "stopped by a signal"
    else:
        slot.stopped_at = None
    status = read_worker(out, slot.worker_name)
    is_starting = status is None or status.state == "starting"
    if is_starting:
        timeout_s = max(timeout_s, START_TIMEOUT_S)
    seen = (slot.starts, status.updated_at if status else 0.0)
    if seen != slot.seen:
        slot.seen, slot.seen_at = seen, now
    if now - slot.seen_at <= timeout_s:
        return None
    if is_starting:
        return f"still starting after {timeout_s:g} s, its log ends with: {last_words(log_path(out, slot))}"
    return f"no progress for {timeout_s:g} s"


def note_slow_start(slot: Slot, out: pathlib.Path) -> None:
    """Says from time to time what a worker that is still starting waits for."""
    now = time.monotonic()
    if now - slot.noted_at < START_NOTE_S:
        return
    slot.noted_at = now
    status = read_worker(out, slot.worker_name)
    if status is None or status.state == "starting":
        words = last_words(log_path(out, slot))
        print(
            f"{slot.worker_name}: still starting after {now - slot.seen_at:.0f} s; its log ends with: {words}",
            file=sys.stderr,
        )


def is_stopped(pid: int) -> bool:
    """True when the kernel says that the process is stopped (SIGSTOP)."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


def check_writable(out: pathlib.Path) -> None:
    """Raises StorageError when nothing more can be written there."""
    probe = out / ".run" / "probe"
    write_atomically(probe, " " * 4096)
    probe.unlink(missing_ok=True)


def log_path(out: pathlib.Path, slot: Slot) -> pathlib.Path:
    return out / "logs" / f"{slot.name}.log"


def last_error(path: pathlib.Path, start: int = 0) -> str:
    """The line of a log that says why its worker ended; what stands before `start` is of earlier lives."""
    lines = read_lines(path, start)
    if lines is None:
        return "no log"
    told = [line for line in lines if line.startswith("error: ")]
    errors = told or [line for line in lines[-200:] if "Error" in line]
    line = (errors or lines or ["nothing in its log"])[-1].removeprefix("error: ")
    return printable(line, LONGEST_CAUSE) or "nothing that can be shown in its log"


def last_words(path: pathlib.Path) -> str:
    """The last line of a log, without the marks that vLLM puts before it."""
    lines = read_lines(path, 0) or ["nothing"]
    return re.sub(r"^\([^()]*pid=\d+\) ([A-Z]+ [\d-]+ [\d:]+ )?", "", printable(lines[-1]))[:200]


def read_lines(path: pathlib.Path, start: int) -> list[str] | None:
    """The lines of a log's end that are not empty; None without a log. A bar that overwrites itself counts as one."""
    try:
        with path.open("rb") as file:
            file.seek(max(start, path.stat().st_size - LOG_END_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return None
    return [line.rstrip("\r").rpartition("\r")[2].strip() for line in text.split("\n") if line.strip()]


def kill_group(slot: Slot, guardian: Guardian) -> None:
    """Ends a worker and all that it started, and waits until they are gone: an engine's process gives its GPU's memory
    back only then, and the next one would find too little."""
    if slot.process is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(slot.process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        slot.process.wait(END_TIMEOUT_S)
        guardian.forget(slot.process.pid)
    end = time.monotonic() + END_TIMEOUT_S
    while lives_in_group(slot.process.pid) and time.monotonic() < end:
        time.sleep(POLL_S)


def lives_in_group(group: int) -> bool:
    """True while a process of the group runs; one that has ended and is not yet collected does not."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            state, _, its_group = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def exit_code_of(error: EvaluationError) -> int:
    """How a worker tells the launcher what to do next, whichever launcher it is.

    >>> exit_code_of(EngineError("a step failed")) == EXIT_CRASH
    True
    >>> exit_code_of(EngineUnavailable("the server is down")) == EXIT_PERMANENT
    True
    """
    if isinstance(error, EngineOutOfMemory):
        return EXIT_OUT_OF_MEMORY
    may_pass = isinstance(error, EngineError) and not isinstance(error, EngineUnavailable)
    return EXIT_CRASH if may_pass else EXIT_PERMANENT


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
