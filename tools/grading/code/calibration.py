"""How fast this machine is against the one by which the time limit was chosen.

The reference is the machine on which this verifier was built (2026-11, a virtual machine with AVX-512, CPython 3.11):
the seconds of a fixed piece of pure Python there. A factor of 2 means that this machine needs twice as long, so that a
limit of 6 s here means what 3 s meant there; `--timeout` can make up for it. The factor is reported, never applied.
"""

from __future__ import annotations

import dataclasses
import time

REFERENCE_S = 0.0204
ROUNDS = 15


@dataclasses.dataclass(frozen=True)
class Calibration:
    """`factor` is above 1 on a slower machine; `spread` is the worst round over the best."""

    factor: float
    spread: float

    def describe(self) -> str:
        """One line for the terminal."""
        advice = "verdicts near the limit will agree with the reference"
        if not 0.8 <= self.factor <= 1.25:
            advice = f"--timeout {6 * self.factor:.1f} would give programs what 6 s gave them there"
        noise = "" if self.spread < 1.3 else f"; the machine is busy (rounds differ by a factor of {self.spread:.1f})"
        return f"this machine needs {self.factor:.2f} times the reference's CPU time; {advice}{noise}"


def work() -> int:
    """The fixed piece: loops, a dictionary, sorting, big integers, strings, as solutions have them."""
    total, seen = 0, {}
    for number in range(1, 120_000):
        total = (total * 31 + number) % 1_000_003
        if number % 3 == 0:
            seen[total] = number
    words = sorted(str(value) for value in seen)
    product = 1
    for number in range(1, 1500):
        product *= number
    table = [[row * column % 7 for column in range(200)] for row in range(200)]
    return total + len(words) + product.bit_length() + sum(map(sum, table))


def calibrate() -> Calibration:
    """Measures CPU time, best of a few rounds."""
    times = []
    for _round in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return Calibration(min(times) / REFERENCE_S, max(times) / min(times))
