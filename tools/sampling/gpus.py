"""Which GPUs a run uses, and what each worker gets: one of them, a group of them, or a share of the CPU.

GPUS says how many (8) or which (0,2,3); CUDA_VISIBLE_DEVICES, else nvidia-smi, says what there is.

>>> choose_among("2", ["0", "1", "3"])
['0', '1']
>>> group_gpus(["0", "1", "2", "3"], 2)
[Device(name='gpu0-1', gpus='0,1'), Device(name='gpu2-3', gpus='2,3')]
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Sequence

from tools.errors import UsageError
from tools.sampling.settings import RunSettings


@dataclasses.dataclass(frozen=True)
class Device:
    """What a worker works on. `gpus` is for its CUDA_VISIBLE_DEVICES, None without a GPU."""

    name: str
    gpus: str | None = None


def choose_devices(settings: RunSettings) -> list[Device]:
    """One per GPU or group of GPUs; on a machine without GPU, GPUS says how many CPU workers. Raises UsageError."""
    if not settings.needs.devices:
        return [Device("server")]
    visible = visible_gpus()
    if visible:
        return group_gpus(choose_among(settings.gpus, visible), settings.engine_options.gpus_per_engine)
    if settings.gpus and "," in settings.gpus:
        raise UsageError(f"GPUS={settings.gpus} names GPUs and this machine shows none; GPUS=2 starts two CPU workers")
    return [Device(f"cpu{index}") for index in range(count_asked(settings.gpus or "1"))]


def group_gpus(chosen: Sequence[str], size: int) -> list[Device]:
    if len(chosen) % size:
        raise UsageError(
            f"{len(chosen)} GPUs do not divide into groups of TENSOR_PARALLEL={size}; choose GPUS accordingly"
        )
    groups = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    return [Device(f"gpu{'-'.join(group)}", ",".join(group)) for group in groups]


def choose_among(asked: str | None, visible: Sequence[str]) -> list[str]:
    """The GPUs that GPUS asks for, of those that are visible. Raises UsageError."""
    if asked is None:
        return list(visible)
    if "," not in asked:
        count = count_asked(asked)
        if count > len(visible):
            raise UsageError(f"GPUS={asked} and only {len(visible)} are visible ({','.join(visible)})")
        return list(visible[:count])
    chosen = [name for name in asked.split(",") if name]
    missing = [name for name in chosen if name not in visible]
    if missing:
        raise UsageError(f"GPUS={asked}: {', '.join(missing)} is not among the visible ones ({','.join(visible)})")
    return chosen


def count_asked(text: str) -> int:
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
