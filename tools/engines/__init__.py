"""Who answers: one small interface, three engines behind it, each imported only when chosen.

    vllm           vLLM's CUDA or CPU build: the engine for real runs, continuous batching, seed per request
    transformers   Hugging Face's generate, one request at a time: the fallback that runs everywhere
    openai         any OpenAI-compatible server: `vllm serve`, SGLang, a hosted API

An engine takes requests (`submit`) and gives back what has finished since (`step`). It never gives an empty answer for
a failed request: that comes back as a Failure.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import TYPE_CHECKING, Any, Protocol

from tools.errors import EngineError, ModelError, UsageError
from tools.models.prompts import Prompt
from tools.records import Sample

if TYPE_CHECKING:
    from tools.sampling.settings import RunSettings

ENGINES = ("vllm", "transformers", "openai")


@dataclasses.dataclass(frozen=True)
class Request:
    """One sample to ask, with its own seed in `sample`."""

    sample: Sample
    prompt: Prompt
    max_new_tokens: int


@dataclasses.dataclass(frozen=True)
class Completion:
    """A finished answer; `finish_reason` is "stop" or "length" (the token limit cut it)."""

    sample: Sample
    text: str
    finish_reason: str
    prompt_tokens: int
    output_tokens: int


@dataclasses.dataclass(frozen=True)
class Failure:
    """A request that was answered with an error, after all retries."""

    sample: Sample
    reason: str


class Engine(Protocol):
    """What a worker needs. `capacity` is how many requests run at the same time."""

    capacity: int

    def submit(self, request: Request) -> None: ...

    def step(self) -> list[Completion | Failure]:
        """Works until something may have finished; returns what has."""
        ...

    def close(self) -> None: ...


def choose_engine(name: str | None) -> str:
    """The engine asked for, or the best that is installed. Raises UsageError."""
    if name:
        if importlib.util.find_spec(name) is None:  # an engine is named after its package
            raise UsageError(f"ENGINE={name} needs the package {name}; run `make install` (GPU) or `make install-cpu`")
        return name
    if importlib.util.find_spec("vllm"):
        return "vllm"
    if importlib.util.find_spec("transformers") and importlib.util.find_spec("torch"):
        return "transformers"
    raise UsageError("no engine is installed; run `make install` (GPU) or `make install-cpu`, or choose ENGINE=openai")


def create_engine(settings: RunSettings, max_model_len: int) -> Engine:
    """Loads the model (vllm, transformers) or connects (openai). Raises ModelError, EngineError."""
    if settings.engine == "vllm":
        from tools.engines.vllm import VllmEngine

        return VllmEngine(settings, max_model_len)
    if settings.engine == "transformers":
        from tools.engines.transformers import TransformersEngine

        return TransformersEngine(settings)
    if settings.engine == "openai":
        from tools.engines.openai import OpenAIEngine

        return OpenAIEngine(settings)
    raise EngineError(f"engine {settings.engine!r} is unknown; choose one of {', '.join(ENGINES)}")


def load_tokenizer(settings: RunSettings) -> Any:
    """The model's tokenizer. Raises ModelError with the remedy."""
    name = settings.tokenizer or settings.model
    try:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(name, revision=settings.revision)
    except ImportError as error:
        raise ModelError("transformers is not installed; run `make install` or `make install-cpu`") from error
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{name}: its tokenizer cannot be loaded ({first_line(error)}); check the model's name or folder, or give --tokenizer"
        ) from error


def read_model_limit(settings: RunSettings) -> int | None:
    """The longest sequence in tokens that the model was made for; None where its config does not say."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(settings.model, revision=settings.revision).get_text_config()
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{settings.model}: its config.json cannot be read ({first_line(error)}); check the model's folder"
        ) from error
    limit = getattr(config, "max_position_embeddings", None)
    return int(limit) if limit else None


def first_line(error: BaseException) -> str:
    """The first line of an error's text, for one-line messages."""
    text = str(error).strip()
    return text.split("\n")[0][:200] if text else type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """True for CUDA's and the host's way of saying that memory ran out."""
    return (
        "OutOfMemory" in type(error).__name__ or "out of memory" in str(error).lower() or isinstance(error, MemoryError)
    )
