"""How a run of a program ended, as far as the trusted side can know it."""

from __future__ import annotations

import enum
import json
import os
import signal
from dataclasses import dataclass

from tools.sandbox.limits import Limits
from tools.sandbox.protocol import EXCEPTION, RESULT, UNPRINTABLE, Reply

MAX_REASON = 300


class End(str, enum.Enum):
    """FINISHED is the only end with an answer to look at."""

    FINISHED = "finished"  # exit status 0
    FAILED = "failed"  # exception, other exit status, killed by a signal of its own doing
    MEMORY = "memory"  # ran out of its memory
    CPU_LIMIT = "cpu limit"
    IDLE_LIMIT = "idle limit"


@dataclass(frozen=True)
class Outcome:
    """`output` is stdout of a run, or the JSON text of what a call returned (None: returned nothing that JSON can say).

    `reason` is one printable line for people; it comes from the program and may lie.
    """

    end: End
    output: bytes | None
    reason: str
    cpu_s: float
    wall_s: float
    peak_bytes: int
    was_killed: bool = False  # by us or by the kernel at a limit


def read_text(descriptor: int, limit: int) -> bytes:
    """Everything in a memory file, at most `limit` bytes."""
    return os.pread(descriptor, min(os.fstat(descriptor).st_size, limit), 0)


def clean_line(data: bytes) -> str:
    """One printable line of a program's own text."""
    text = data[: 4 * MAX_REASON].decode("utf-8", "replace")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:MAX_REASON]


def read_outcome(
    reply: Reply, stopped_by: End | None, output_fd: int | None, report_fd: int, limits: Limits
) -> Outcome:
    """Joins what the kernel says (reply) with what the program left behind."""
    code = os.waitstatus_to_exitcode(reply.status)
    report = read_text(report_fd, limits.output_bytes) if code != 0 or output_fd is None else b""
    kind, record = report[:1], report[1:]
    output: bytes | None
    if output_fd is not None:
        output = read_text(output_fd, limits.output_bytes)
    else:
        output = record if kind == RESULT else None
    reason = clean_line(record) if kind in (EXCEPTION, UNPRINTABLE) else ""
    end = _classify(reply, stopped_by, code, reason, limits)
    if end is End.FINISHED and output_fd is None and kind not in (RESULT, UNPRINTABLE):
        end, reason = End.FAILED, "ended without returning"
    if end is End.FAILED and not reason:
        reason = f"killed by {_signal_name(-code)}" if code < 0 else f"exit status {code}"
    elif end in (End.CPU_LIMIT, End.IDLE_LIMIT):
        reason = _limit_reason(end, reply, limits)
    was_killed = stopped_by is not None or code == -signal.SIGKILL
    return Outcome(end, output, reason, reply.cpu_s, reply.wall_s, reply.peak_kib << 10, was_killed)


def _classify(reply: Reply, stopped_by: End | None, code: int, reason: str, limits: Limits) -> End:
    if reply.cpu_s > limits.cpu_s:
        return End.CPU_LIMIT
    if stopped_by is not None:
        return stopped_by
    if code == 0:
        return End.FINISHED
    if reason.startswith("MemoryError") or (code < 0 and reply.peak_kib << 10 > limits.data_bytes * 0.8):
        return End.MEMORY
    return End.FAILED


def _limit_reason(end: End, reply: Reply, limits: Limits) -> str:
    if end is End.CPU_LIMIT:
        return f"used {reply.cpu_s:.2f} s of CPU time, limit {limits.cpu_s:g} s"
    return f"neither computed nor waited for a processor for {limits.idle_s:g} s"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def decode_result(output: bytes) -> str:
    """JSON text of a call's result; invalid UTF-8 cannot come from the harness and is replaced."""
    return output.decode("utf-8", "replace")


def encode_arguments(arguments: list[object]) -> bytes:
    """Arguments of a call as the program's side reads them."""
    return json.dumps(arguments, ensure_ascii=False).encode("utf-8", "surrogatepass")
