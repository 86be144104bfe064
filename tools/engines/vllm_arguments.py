"""ENGINE_ARGS: any further argument of vLLM's engine as a JSON object, checked before a model is loaded.

>>> parsed = parse_engine_arguments('{"pipeline_parallel_size": 2, "kv_cache_dtype": "fp8"}')
>>> parsed.as_text
'{"kv_cache_dtype": "fp8", "pipeline_parallel_size": 2}'
>>> count_engine_gpus('{"pipeline_parallel_size": 2}')
2
>>> parse_engine_arguments('{"dtype": "half"}')
Traceback (most recent call last):
tools.errors.UsageError: ENGINE_ARGS names dtype, which has an option of its own: set DTYPE
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from typing import Any

from tools.errors import UsageError

# Arguments that the toolkit sets itself, with what the user sets instead.
OWN_OPTION = {
    "model": "--model",
    "revision": "REVISION",
    "tokenizer": "TOKENIZER",
    "dtype": "DTYPE",
    "tensor_parallel_size": "TENSOR_PARALLEL",
    "gpu_memory_utilization": "GPU_MEMORY_UTILIZATION",
    "max_num_seqs": "MAX_NUM_SEQS",
    "max_model_len": "OUT_SEQ_LEN",
    "quantization": "QUANTIZATION",
    "enable_lora": "ADAPTER",
}
# Arguments on which the toolkit's promises rest, with the reason.
FIXED = {
    "enable_prefix_caching": "an answer must not depend on which others ran before",
    "seed": "every request has a seed of its own (SEEDS)",
    "disable_log_stats": "the worker's log is no measurement",
}


@dataclasses.dataclass(frozen=True)
class EngineArguments:
    """Arguments as vLLM takes them, and as one text that is the same for the same arguments."""

    values: Mapping[str, Any]
    as_text: str


@functools.lru_cache(maxsize=8)
def parse_engine_arguments(text: str) -> EngineArguments:
    """Reads ENGINE_ARGS. Raises UsageError."""
    if not text.strip():
        return EngineArguments({}, "")
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        example = '{"kv_cache_dtype": "fp8"}'
        raise UsageError(f"ENGINE_ARGS={text!r} is no JSON object; give for example ENGINE_ARGS='{example}'")
    values = {name.lstrip("-").replace("-", "_"): value for name, value in values.items()}
    for name in values:
        if name in OWN_OPTION:
            raise UsageError(f"ENGINE_ARGS names {name}, which has an option of its own: set {OWN_OPTION[name]}")
        if name in FIXED:
            raise UsageError(f"ENGINE_ARGS cannot set {name}: {FIXED[name]}")
    return EngineArguments(values, json.dumps(values, sort_keys=True))


def count_engine_gpus(text: str) -> int:
    """How many times the GPUs of TENSOR_PARALLEL one engine takes. Raises UsageError."""
    values = parse_engine_arguments(text).values
    count = 1
    for name in ("pipeline_parallel_size", "data_parallel_size"):
        size = values.get(name, 1)
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise UsageError(f"ENGINE_ARGS: {name}={size!r} is no number of GPUs; give 1 or more")
        count *= size
    return count
