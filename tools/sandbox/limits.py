"""What one run of a program may use. CPU seconds decide; the other times only catch programs that do not compute."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """`cpu_s`: the time limit. A program is let run up to `grace` times as long, so that one which would have finished
    shortly after the limit is known as such (it may be run again alone); its outcome is over the limit all the same.

    `idle_s`: time in which a program neither computes nor waits for a processor, for example sleeps.
    `wall_s`: an upper bound on everything, for the case that the kernel does not tell about waiting.
    `memory_bytes`: address space. `data_bytes`: private memory that it may really write to; contest sites allow 0.25 to
    1 GiB. `stack_bytes`: the main thread's stack. `output_bytes`: what it may write to stdout, and as a result.
    """

    cpu_s: float = 6.0
    grace: float = 1.1
    idle_s: float = 9.0
    wall_s: float = 900.0
    memory_bytes: int = 4 * GIB
    data_bytes: int = 2000 << 20
    output_bytes: int = 16 << 20


DEFAULT_LIMITS = Limits()
# Of compiling: no program that a model writes takes a second. The record may be as long as the protocol says, and a bit.
COMPILE_LIMITS = Limits(cpu_s=6.0, output_bytes=65 << 20)
STACK_BYTES = 512 << 20  # set once per warm process: the kernel lays out the memory by it


def limits_for(timeout_s: float) -> Limits:
    """Limits around a time limit in CPU seconds."""
    return Limits(cpu_s=timeout_s, idle_s=1.5 * timeout_s, wall_s=max(900.0, 150 * timeout_s))
