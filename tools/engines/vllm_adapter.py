"""A LoRA adapter for vLLM: what the engine has to be told of it, and what identifies it in a run.

>>> adapter_arguments(""), adapter_identity("")
({}, '')
>>> adapter_identity("org/adapter@0123abc")
'org/adapter@0123abc'
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

from tools.errors import ModelError
from tools.models.hub import fetch_files, find_commit

RANKS = (16, 32, 64, 128, 256, 320, 512)  # those that vLLM can be told; smaller ones fit into the first
FETCHED = ("adapter_*",)
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt")


def is_local(adapter: str) -> bool:
    """True for what is meant as a folder here, whether it is there or not."""
    name = adapter.partition("@")[0]
    is_hub_name = name.count("/") == 1 and not name.startswith((".", "/", "~"))
    return not is_hub_name or pathlib.Path(adapter).is_dir()


def pin_adapter(adapter: str, recorded: str | None) -> str:
    """org/name or org/name@revision with the commit that it stands for now; what a run has begun with stays.

    `recorded` is what the run's manifest says. Raises ModelError.

    >>> pin_adapter("org/name", "org/name@0123abc"), pin_adapter("org/name", "org/name"), pin_adapter("", None)
    ('org/name@0123abc', 'org/name', '')
    """
    if not adapter or is_local(adapter):
        return adapter
    name, _, revision = adapter.partition("@")
    if recorded is not None and (recorded == adapter or (not revision and recorded.startswith(f"{name}@"))):
        return recorded
    return f"{name}@{find_commit(name, revision or None)}"


def find_adapter(adapter: str) -> pathlib.Path:
    """The adapter's folder; one on the hub is fetched. Raises ModelError."""
    folder = pathlib.Path(adapter).expanduser()
    if not folder.is_dir():
        if is_local(adapter):
            raise ModelError(f"ADAPTER={adapter}: no such folder; give one with adapter_config.json, or a hub name")
        name, _, revision = adapter.partition("@")
        folder = fetch_files(name, find_commit(name, revision or None), FETCHED)
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(f"ADAPTER={adapter}: no adapter_config.json; this is not the folder of a LoRA adapter")
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise ModelError(f"ADAPTER={adapter}: no {WEIGHTS[0]}; the adapter's weights are missing")
    return folder.resolve()


def read_rank(folder: pathlib.Path) -> int:
    """The largest rank of an adapter's matrices. Raises ModelError."""
    path = folder / "adapter_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        return max([int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values())])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: says no rank (r) that can be read; the adapter is damaged or no LoRA") from error


def adapter_arguments(adapter: str) -> dict[str, bool | int]:
    """What vLLM's engine has to know before it loads the model. Raises ModelError."""
    if not adapter:
        return {}
    rank = read_rank(find_adapter(adapter))
    fitting = next((size for size in RANKS if size >= rank), RANKS[-1])
    return {"enable_lora": True, "max_loras": 1, "max_lora_rank": fitting}


def make_adapter_request(adapter: str) -> Any:
    """What vLLM wants beside every request; None without an adapter. Raises ModelError."""
    if not adapter:
        return None
    from vllm.lora.request import LoRARequest

    return LoRARequest("adapter", 1, str(find_adapter(adapter)))


def adapter_identity(adapter: str) -> str:
    """A hub adapter's name with its commit, a folder's last name with a hash of its files; empty without one."""
    folder = pathlib.Path(adapter).expanduser()
    if not adapter or not folder.is_dir():
        return adapter
    import hashlib  # here: --help hashes nothing

    digest = hashlib.sha256()
    for name in ("adapter_config.json", *WEIGHTS):
        if (folder / name).is_file():
            digest.update(name.encode())
            with (folder / name).open("rb") as file:
                while part := file.read(1 << 20):
                    digest.update(part)
    return f"{folder.resolve().name} sha256:{digest.hexdigest()[:16]}"
