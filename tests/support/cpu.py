"""CPU time as a test may judge it: too long each time that it is measured, since a busy machine makes single times longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TRIES = 4


def cpu_s(step: Callable[..., Any], *arguments: Any) -> float:
    started = time.process_time()
    step(*arguments)
    return time.process_time() - started


def takes_less(limit_s: float, step: Callable[..., Any], *arguments: Any) -> bool:
    return any(cpu_s(step, *arguments) < limit_s for _ in range(TRIES))


def grows_linearly(
    step: Callable[[str], Any], small: str, large: str, *, times: float = 8, always_fine_s: float = 0.03
) -> bool:
    """Whether a text four times as long takes less than `times` as long (a quadratic scan: 16), or next to nothing."""

    def is_fine() -> bool:
        taken_s = cpu_s(step, large)
        return taken_s < always_fine_s or taken_s < times * cpu_s(step, small)

    return any(is_fine() for _ in range(TRIES))
