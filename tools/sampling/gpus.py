"""Which GPUs a run uses, and what each worker gets: one of them, a group of them, or a share of the CPU.

GPUS says how many (8), which (0,2,3 or 0-3), or all. CUDA_VISIBLE_DEVICES says what there is, else the driver's library
(NVML), else torch, else nvidia-smi. Where none shows a GPU and the installed torch could use one, several workers are
refused: each of them would take the same GPU.

>>> choose_among("2", ["0", "1", "3"])
['0', '1']
>>> choose_among("0-1,3", ["0", "1", "3"])
['0', '1', '3']
>>> group_gpus(["0", "1", "2", "3"], 2)
[Device(name='gpu0-1', gpus='0,1'), Device(name='gpu2-3', gpus='2,3')]
>>> group_gpus(["GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "MIG-GPU-1a2b3c4d/1/2"], 1)[1]
Device(name='gpuMIG_1a2b3c4d_1_2', gpus='MIG-GPU-1a2b3c4d/1/2')
"""

from __future__ import annotations

import ctypes
import dataclasses
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tools.errors import UsageError
from tools.sampling.settings import RunSettings

NVML = "libnvidia-ml.so.1"
NO_DEVICES = 6  # nvidia-smi's exit code where a machine has none
COUNT_TIMEOUT_S = 120.0
FEWEST_CPU_WORKERS = 4  # allowed on any machine, for a try
LONGEST_NAME = 60
WAYS = "give how many (8), which (0,2,3 or 0-3), or all"


@dataclasses.dataclass(frozen=True)
class Device:
    """What a worker works on. `gpus` is for its CUDA_VISIBLE_DEVICES, None without a GPU."""

    name: str
    gpus: str | None = None


def choose_devices(settings: RunSettings) -> list[Device]:
    """One per GPU or group of GPUs; on a machine without GPU, GPUS says how many CPU workers. Raises UsageError."""
    if not settings.needs.devices:
        return [Device("server")]
    size = settings.engine_options.gpus_per_engine
    visible = visible_gpus()
    if visible:
        return group_gpus(choose_among(settings.gpus, visible), size)
    # Whoever sets CUDA_VISIBLE_DEVICES to nothing means the CPU.
    may_be_hidden = "CUDA_VISIBLE_DEVICES" not in os.environ and is_torch_for_gpus()
    return [Device(f"cpu{index}") for index in range(count_cpu_workers(settings.gpus, size, may_be_hidden))]


def count_cpu_workers(asked: str | None, size: int, may_be_hidden: bool) -> int:
    """How many workers a machine gets that shows no GPU. Raises UsageError for what is meant for GPUs.

    `may_be_hidden`: torch could use a GPU, so several workers would share one that nobody has seen.
    """
    if asked is not None and not (asked.isascii() and asked.isdigit()):
        if re.fullmatch(r"[\d,\- ]*\d[\d,\- ]*|all|(GPU|MIG)-.*", asked):
            raise UsageError(f"GPUS={asked} names GPUs and this machine shows none; GPUS=2 starts two CPU workers")
        raise UsageError(f"GPUS={asked!r}: {WAYS}")
    count = count_asked(asked or "1")
    if may_be_hidden and count * size > 1:
        raise UsageError(
            f"GPUS={count}, {size} for each engine, and this machine shows no GPU (no CUDA_VISIBLE_DEVICES, and neither the driver, "
            "torch nor nvidia-smi names one); set CUDA_VISIBLE_DEVICES=0,1,... if there are some, or unset GPUS"
        )
    most = max(FEWEST_CPU_WORKERS, os.cpu_count() or 1)
    if count * size > most:
        raise UsageError(
            f"GPUS={count}, {size} for each engine, and this machine shows no GPU; on its CPU at most {most} workers are sensible"
        )
    return count


def group_gpus(chosen: Sequence[str], size: int) -> list[Device]:
    if len(chosen) % size:
        raise UsageError(
            f"{len(chosen)} GPUs do not divide into groups of TENSOR_PARALLEL={size}; choose GPUS accordingly"
        )
    groups = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    names = ["gpu" + "-".join(map(short_name, group)) for group in groups]
    if len(set(names)) < len(names) or max(map(len, names), default=0) > LONGEST_NAME:
        names = [f"gpus{index * size}-{(index + 1) * size - 1}" for index in range(len(groups))]
    return [Device(name, ",".join(group)) for name, group in zip(names, groups, strict=True)]


def short_name(gpu: str) -> str:
    """A GPU's name as a part of a file's name: its number, or the beginning of its UUID."""
    kind, rest = ("MIG_", gpu[4:]) if gpu.startswith("MIG-") else ("", gpu)
    rest = re.sub(r"[^A-Za-z0-9/]", "-", rest.removeprefix("GPU-"))
    uuid, slash, instance = rest.partition("/")
    return kind + uuid[:8].strip("-") + (slash + instance).replace("/", "_")


def choose_among(asked: str | None, visible: Sequence[str]) -> list[str]:
    """The GPUs that GPUS asks for, of those that are visible. Raises UsageError."""
    if asked is None or asked.strip().lower() == "all":
        return list(visible)
    if re.fullmatch(r"\d+", asked.strip()):
        count = count_asked(asked.strip())
        if count > len(visible):
            raise UsageError(f"GPUS={asked} and only {len(visible)} are visible ({','.join(visible)})")
        return list(visible[:count])
    chosen = [name for part in asked.split(",") if part.strip() for name in expand_range(part.strip(), asked)]
    refuse_duplicates(chosen, f"GPUS={asked}")
    missing = [name for name in chosen if name not in visible]
    if missing or not chosen:
        raise UsageError(
            f"GPUS={asked}: {', '.join(missing) or 'nothing'} is not among the visible ones ({','.join(visible)})"
        )
    return chosen


def expand_range(part: str, asked: str) -> list[str]:
    """0-3 as four names; any other text is one name."""
    match = re.fullmatch(r"(\d{1,4})-(\d{1,4})", part)
    if not match:
        return [part]
    first, last = int(match[1]), int(match[2])
    if last < first:
        raise UsageError(f"GPUS={asked}: {part} ends before it begins; give for example 0-3")
    return [str(number) for number in range(first, last + 1)]


def count_asked(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"GPUS={text!r}: {WAYS}")
    return int(text)


def refuse_duplicates(names: Sequence[str], where: str) -> None:
    """Two engines on one GPU would each take most of its memory."""
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise UsageError(f"{where} names {', '.join(twice)} twice; each GPU takes one engine, name it once")


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use. Raises UsageError for duplicates and for a driver that is broken."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return read_visible(named)
    for count in (count_by_nvml, count_by_torch):
        found = count()
        if found:
            return [str(index) for index in range(found)]
    return list_by_nvidia_smi()


def read_visible(text: str) -> list[str]:
    """CUDA_VISIBLE_DEVICES as CUDA reads it: names up to the first that is none (-1, NoDevFiles, empty)."""
    names = []
    for name in (part.strip() for part in text.split(",")):
        if not re.fullmatch(r"\d+|(GPU|MIG)-[\w./-]+", name):
            break
        names.append(name)
    refuse_duplicates(names, f"CUDA_VISIBLE_DEVICES={text}")
    return names


def count_by_nvml() -> int:
    """What the driver's library counts; 0 where it is not there or does not work."""
    try:
        library = ctypes.CDLL(NVML)
        if library.nvmlInit_v2():
            return 0
        count = ctypes.c_uint()
        code = library.nvmlDeviceGetCount_v2(ctypes.byref(count))
        library.nvmlShutdown()
    except (OSError, AttributeError):
        return 0
    return 0 if code else count.value


def count_by_torch() -> int:
    """What torch counts, in a process of its own; 0 for a build that can use no GPU (nothing is loaded then)."""
    if not is_torch_for_gpus():
        return 0
    words = [sys.executable, "-c", "import torch; print(torch.cuda.device_count())"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=COUNT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    last = answer.stdout.split()[-1:]
    return int(last[0]) if answer.returncode == 0 and last and last[0].isdigit() else 0


def is_torch_for_gpus() -> bool:
    """True when the installed torch was built for CUDA or ROCm. Reads one small file; torch is not loaded."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return False
    try:
        text = (pathlib.Path(spec.submodule_search_locations[0]) / "version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return bool(re.search(r"""^(cuda|hip)\b[^=\n]*=\s*["']""", text, re.MULTILINE))


def list_by_nvidia_smi() -> list[str]:
    """What nvidia-smi lists. Raises UsageError where it says that something is broken: its text is no GPU."""
    if not shutil.which("nvidia-smi"):
        return []
    words = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=COUNT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line.strip() for line in f"{answer.stdout}\n{answer.stderr}".split("\n") if line.strip()]
    said = [line for line in lines if not line.isdigit()]
    if answer.returncode == NO_DEVICES or (said and said[0].lower().startswith("no devices")):
        return []
    if answer.returncode or said:
        raise UsageError(
            f"nvidia-smi says: {(said or ['nothing'])[0][:200]}; mend the driver, or name the GPUs that work in CUDA_VISIBLE_DEVICES "
            "(empty: none, the CPU works)"
        )
    return [line for line in answer.stdout.split() if line.isdigit()]
