"""The longest sequence that a model was made for, by its config.json: no library has to know the model for that.

YaRN stretches it, as vLLM counts: the original length times the factor. Model cards of Qwen tell to write that by hand.

>>> model_limit({"text_config": {"max_position_embeddings": 4096}})
4096
>>> model_limit({"max_position_embeddings": 40960,
...     "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}})
131072
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator, Mapping

from tools.errors import ModelError
from tools.models.hub import import_hub

# By family: Llama, Qwen and most; GPT-2; MPT, DBRX; Falcon, ChatGLM; others.
LENGTH_KEYS = (
    "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length", "max_seq_length",
    "model_max_length",
)  # fmt: skip
PARTS = ("text_config", "llm_config", "language_config", "thinker_config")  # of models that also see or hear


def read_model_limit(model: str, revision: str | None = None) -> int | None:
    """The limit in tokens of a folder, or of a model of the hub. None where its config does not say. Raises ModelError."""
    path = pathlib.Path(model) / "config.json"
    if not pathlib.Path(model).is_dir():
        try:
            path = pathlib.Path(import_hub().hf_hub_download(model, "config.json", revision=revision))
        except (OSError, ValueError) as error:
            said = str(error).strip().split("\n")[0][:200]
            raise ModelError(f"{model}: its config.json cannot be fetched ({said}); check the model's name") from error
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); check the model's folder") from error
    return model_limit(config) if isinstance(config, dict) else None


def model_limit(config: Mapping[str, object]) -> int | None:
    """The limit that a config's object says."""
    for part in (*PARTS, None):
        row = config if part is None else config.get(part)
        if isinstance(row, dict) and (limit := _limit_of(row)) is not None:
            return limit
    return None


def _limit_of(row: Mapping[str, object]) -> int | None:
    lengths = (row.get(name) for name in LENGTH_KEYS)
    limit = next((int(length) for length in lengths if isinstance(length, (int, float)) and length > 0), None)
    for rope in _rope_parts(row):
        factor, original = rope.get("factor"), rope.get("original_max_position_embeddings", limit)
        is_yarn = "yarn" in (rope.get("rope_type"), rope.get("type"))
        if is_yarn and isinstance(factor, (int, float)) and isinstance(original, (int, float)):
            return max(int(original * factor), limit or 0)
    return limit


def _rope_parts(row: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Both spellings, and the form with one entry for each kind of layer."""
    for name in ("rope_scaling", "rope_parameters"):
        rope = row.get(name)
        if isinstance(rope, dict):
            yield rope
            yield from (part for part in rope.values() if isinstance(part, dict))
