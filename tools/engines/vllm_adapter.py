"""A LoRA adapter for vLLM: what the engine has to be told of it, and what identifies it in a run.

>>> adapter_arguments(""), adapter_identity("")
({}, '')
>>> adapter_identity("org/adapter")
'org/adapter'
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

from tools.errors import ModelError
from tools.models.hub import import_hub

RANKS = (16, 32, 64, 128, 256, 320, 512)  # those that vLLM can be told; smaller ones fit into the first
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt")


def is_local(adapter: str) -> bool:
    """True for what is meant as a folder here, whether it is there or not."""
    is_hub_name = adapter.count("/") == 1 and not adapter.startswith((".", "/", "~"))
    return not is_hub_name or pathlib.Path(adapter).is_dir()


def find_adapter(adapter: str) -> pathlib.Path:
    """The adapter's folder; one on the hub is fetched. Raises ModelError."""
    folder = pathlib.Path(adapter).expanduser()
    if not folder.is_dir():
        if is_local(adapter):
            raise ModelError(f"ADAPTER={adapter}: no such folder; give one with adapter_config.json, or a hub name")
        folder = _fetch(adapter)
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(f"ADAPTER={adapter}: no adapter_config.json; this is not the folder of a LoRA adapter")
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise ModelError(f"ADAPTER={adapter}: no {WEIGHTS[0]}; the adapter's weights are missing")
    return folder.resolve()


def _fetch(adapter: str) -> pathlib.Path:
    try:
        return pathlib.Path(import_hub().snapshot_download(adapter, allow_patterns=["adapter_*"]))
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ModelError(f"ADAPTER={adapter} cannot be fetched ({said}); check its name and HF_TOKEN") from error


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
    """The adapter's last name, for a folder with a hash of its config and weights; empty without one."""
    folder = pathlib.Path(adapter).expanduser()
    if not adapter or not folder.is_dir():
        return adapter
    digest = hashlib.sha256()
    for name in ("adapter_config.json", *WEIGHTS):
        if (folder / name).is_file():
            digest.update(name.encode())
            with (folder / name).open("rb") as file:
                while part := file.read(1 << 20):
                    digest.update(part)
    return f"{folder.resolve().name} sha256:{digest.hexdigest()[:16]}"
