"""Looks at the folder of a model before any engine does: what is missing, cut off or not the file that it seems to be.

For launchers: an engine meets a Git LFS pointer or half a download with a MemoryError or a traceback, after a minute and
on every restart. Only names, sizes and headers are read.

>>> check_folder(pathlib.Path("data/demo_model"))
>>> weights = pathlib.Path("data/demo_model/model.safetensors")
>>> safetensors_size(weights) == weights.stat().st_size
True
"""

from __future__ import annotations

import json
import pathlib
import struct

from tools.errors import ModelError

LFS_BEGIN = b"version https://git-lfs.github.com/spec/"
MOST_HEADER_BYTES = 100_000_000  # safetensors' own limit
WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.gguf")
TOKENIZERS = (
    "tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "tekken.json", "spiece.model",
    "sentencepiece.bpe.model", "*.tiktoken", "tokenization_*.py",
)  # fmt: skip


class NotAModel(ModelError):
    """The folder lacks what makes a model: it is the wrong one, or was copied in part."""


def check_folder(folder: pathlib.Path, *, has_tokenizer: bool = True, shown: str | None = None) -> None:
    """Raises ModelError for what no engine could load. `has_tokenizer`: it must be here, not somewhere else."""
    name = shown or str(folder)
    _check_config(folder, name)
    _check_links(folder, name)
    paths = sorted({path for pattern in WEIGHTS for path in folder.glob(pattern) if path.is_file()})
    _check_index(folder, name)
    if not paths:
        raise ModelError(f"{name}: no weights ({', '.join(WEIGHTS[:2])}){_half_fetched(folder)}; fetch the model again")
    for path in paths:
        _check_weights(path, name)
    if has_tokenizer:
        check_tokenizer(folder, name)


def check_tokenizer(folder: pathlib.Path, name: str | None = None) -> None:
    """Raises ModelError where a folder has no tokenizer, or only a pointer to one."""
    found = [path for pattern in TOKENIZERS for path in folder.glob(pattern) if path.is_file()]
    if not found:
        raise NotAModel(
            f"{name or folder}: no tokenizer ({', '.join(TOKENIZERS[:3])}); copy it there or give --tokenizer"
        )
    for path in found:
        _check_pointer(path, name or str(folder))


def _check_config(folder: pathlib.Path, name: str) -> None:
    path = folder / "config.json"
    if not path.is_file():
        if (folder / "adapter_config.json").is_file():
            raise ModelError(f"{name}: a LoRA adapter, not a model; give its base model, and ADAPTER={folder}")
        if path.is_symlink():
            raise ModelError(f"{name}: config.json is a link to a file that is gone; fetch the model again")
        raise NotAModel(f"{name}: no config.json; this is not the folder of a model")
    _check_pointer(path, name)
    try:
        is_object = isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ModelError(f"{name}: config.json is not JSON; fetch the model again")


def _check_links(folder: pathlib.Path, name: str) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not path.exists():
            raise ModelError(
                f"{name}: {path.name} is a link to {path.readlink()}, which is gone; fetch the model again or remove the link"
            )


def _check_index(folder: pathlib.Path, name: str) -> None:
    """Every shard that an index names is there."""
    for path in sorted(folder.glob("*.index.json")):
        _check_pointer(path, name)
        try:
            shards = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelError(f"{name}: {path.name} is damaged; fetch the model again") from None
        missing = sorted(shard for shard in shards if not (folder / str(shard)).is_file())
        is_other_form = missing and len(missing) == len(shards) and ".bin." in path.name
        if missing and not is_other_form:
            raise ModelError(
                f"{name}: {len(missing)} of {len(shards)} weight files are missing, the first {missing[0]}{_half_fetched(folder)}; "
                "fetch the model again, it goes on where it was"
            )


def _check_weights(path: pathlib.Path, name: str) -> None:
    _check_pointer(path, name)
    size = path.stat().st_size
    if path.suffix == ".safetensors":
        wanted = safetensors_size(path)
        if wanted is None or size < wanted:
            told = f"{size} bytes of {wanted}" if wanted else f"{size} bytes and no header"
            raise ModelError(f"{name}: {path.name} is cut off or damaged ({told}); fetch the model again")
    elif path.suffix in (".bin", ".pt", ".pth"):
        import zipfile

        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
        if size == 0 or (is_zip and not zipfile.is_zipfile(path)):
            raise ModelError(f"{name}: {path.name} is cut off ({size} bytes); fetch the model again")


def safetensors_size(path: pathlib.Path) -> int | None:
    """How long a safetensors file has to be by its own header; None where that cannot be read."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= MOST_HEADER_BYTES:
            return None
        header = file.read(length)
    try:
        row = json.loads(header)
        ends = [tensor["data_offsets"][1] for key, tensor in row.items() if key != "__metadata__"]
        return int(8 + length + max(ends, default=0))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return 8 + length if len(header) < length else None


def _check_pointer(path: pathlib.Path, name: str) -> None:
    with path.open("rb") as file:
        if file.read(len(LFS_BEGIN)) == LFS_BEGIN:
            raise ModelError(
                f"{name}: {path.name} is a Git LFS pointer, not the file itself; run `git lfs pull` there, or fetch with `hf download`"
            )


def _half_fetched(folder: pathlib.Path) -> str:
    rests = list((folder / ".cache" / "huggingface").rglob("*.incomplete")) if (folder / ".cache").is_dir() else []
    return ", and a fetch was broken off here" if rests else ""
