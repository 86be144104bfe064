"""Who answers: one small interface, and engines behind it that are imported only when chosen.

    vllm           vLLM's CUDA or CPU build: the engine for real runs, continuous batching, seed per request
    transformers   Hugging Face's generate, one request at a time: the fallback that runs everywhere
    openai         any OpenAI-compatible server: `vllm serve`, SGLang, a hosted API
    litellm        providers with an API of their own, and what each answer costs

An engine takes requests (`submit`) and gives back what has finished since (`step`). It never gives an empty answer for
a failed request: that comes back as a Failure. A new engine is one file and one line in ENGINES; one of your own needs
no line: ENGINE=my_package.my_module:MyEngine is imported. docs/add_an_engine.md shows how.

>>> find_engine("openai").needs.tokenizer
True
>>> sorted(find_engine("vllm").Options().identity())
['adapter', 'deterministic', 'dtype', 'engine_args', 'quantization']
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from tools.commandline import option, read_options
from tools.errors import EngineUnavailable, ModelError, UsageError, printable
from tools.models.prompts import Prompt
from tools.models.scoring import TokenPair
from tools.records import Sample, Sampling

ENGINES = {
    "vllm": "tools.engines.vllm:VllmEngine",
    "transformers": "tools.engines.transformers:TransformersEngine",
    "openai": "tools.engines.openai:OpenAIEngine",
    "litellm": "tools.engines.litellm:LiteLLMEngine",
}
DTYPES = ("bfloat16", "float16", "float32", "half", "float", "auto")
LONGEST_LINE = 300  # of an error of others within ours
BY_DEFAULT = ("vllm", "transformers")  # the first that is installed


@dataclasses.dataclass(frozen=True)
class Needs:
    """What must be there for an engine, and what it leaves to the toolkit.

    `packages` must be installed. `loads_model`: the model is a folder or a name on the hub, else only a name that the
    engine knows. `tokenizer`: prompts come as token ids, made with the model's tokenizer, else as text. `devices`: one
    worker for each GPU (or CPU worker), else one worker in all. `has_own_template`: type chat sends the question alone.
    `lacks`: parameters of Sampling that it cannot apply. `is_deterministic`: it gives what DETERMINISTIC=1 asks for anyway.
    `install`: what to do where a package is missing.
    `scores`: `submit` takes a ScoreRequest too.
    """

    packages: tuple[str, ...] = ()
    loads_model: bool = True
    tokenizer: bool = True
    devices: bool = True
    has_own_template: bool = False
    lacks: tuple[str, ...] = ()
    is_deterministic: bool = False
    install: str = "run `make install` (GPU) or `make install-cpu`, or choose ENGINE=openai"
    scores: bool = False


@dataclasses.dataclass(frozen=True)
class EngineOptions:
    """Options of any engine; each engine adds its own. `decisive` ones decide a sample, so they belong to a run."""

    decisive: ClassVar[tuple[str, ...]] = ()

    max_num_seqs: int | None = option(
        None, "requests at once per engine; halved when memory runs out", shown="the engine's"
    )

    @property
    def gpus_per_engine(self) -> int:
        return 1

    def identity(self) -> dict[str, bool | int | float | str]:
        return {name: getattr(self, name) for name in self.decisive}

    def check(self) -> None:
        """Raises UsageError for what this engine cannot do on this machine; asked before anything starts."""


@dataclasses.dataclass(frozen=True)
class LocalOptions(EngineOptions):
    """Options of engines that load a model themselves."""

    decisive = ("dtype",)

    dtype: str = option("bfloat16", "of weights and activations", choices=DTYPES)


@dataclasses.dataclass(frozen=True)
class EngineSetup:
    """With what an engine is made, beside its own options. `max_model_len` is prompt and answer in tokens at most."""

    model: str
    sampling: Sampling
    max_model_len: int
    revision: str | None = None
    tokenizer: str | None = None
    tokenizer_revision: str | None = None  # its own: a revision of the model says nothing of another repository
    trust_remote_code: bool = False
    template_kwargs: Mapping[str, object] = dataclasses.field(
        default_factory=dict
    )  # where the template is the engine's


@dataclasses.dataclass(frozen=True)
class GenerationRequest:
    """One sample to ask, with the seed that the engine gets for it (SEED_RULE; the sample's own by default). `later` are
    the user's next turns, asked when this one is answered; no engine needs to look at them."""

    sample: Sample
    prompt: Prompt
    max_new_tokens: int
    own_seed: int | None = None
    later: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        return self.sample.seed if self.own_seed is None else self.own_seed


@dataclasses.dataclass(frozen=True)
class Completion:
    """A finished answer; `finish_reason` is "stop" or "length" (the token limit cut it). Counts are None where a server
    does not say them, `cost` (in US dollars) where no price is known."""

    sample: Sample
    text: str
    finish_reason: str
    prompt_tokens: int | None
    output_tokens: int | None
    cost: float | None = None
    first_tokens: Mapping[str, float] | None = None  # log-probabilities, from servers that were asked for them
    turns: tuple[str, ...] = ()  # of a sample with several turns: the text of each; `text` is the last


@dataclasses.dataclass(frozen=True)
class ScoreRequest:
    """One sample of which nothing is generated: how likely is each continuation? `texts` are the continuations."""

    sample: Sample
    pairs: tuple[TokenPair, ...]
    texts: tuple[str, ...]

    def to_scores(self, loglikelihoods: Sequence[tuple[float, bool]]) -> Scores:
        """The outcome, once the pairs have their values, in their order."""
        best = max(range(len(loglikelihoods)), key=lambda index: loglikelihoods[index][0])
        tokens = sum(len(pair.context) for pair in self.pairs), sum(len(pair.continuation) for pair in self.pairs)
        return Scores(self.sample, tuple(loglikelihoods), self.texts[best], *tokens)


@dataclasses.dataclass(frozen=True)
class Scores:
    """The natural logarithm of each continuation's likelihood, and whether greedy decoding would give it; `best` is the
    likeliest one's text."""

    sample: Sample
    loglikelihoods: tuple[tuple[float, bool], ...]
    best: str
    context_tokens: int
    continuation_tokens: int


@dataclasses.dataclass(frozen=True)
class Failure:
    """A request that was answered with an error, after all retries."""

    sample: Sample
    reason: str


Request = GenerationRequest | ScoreRequest
Outcome = Completion | Scores | Failure


class Engine(Protocol):
    """What a worker needs. `capacity` is how many requests run at the same time.

    Making one loads the model or connects. It and `step` raise ModelError, EngineOutOfMemory (the batch is halved),
    EngineUnavailable (a restart does not help) and EngineError (it may).
    """

    needs: ClassVar[Needs]
    Options: ClassVar[type[EngineOptions]]
    capacity: int

    def __init__(self, setup: EngineSetup, options: Any) -> None: ...

    def submit(self, request: Any) -> None:
        """A GenerationRequest; where `needs.scores`, a ScoreRequest too."""

    def step(self) -> Sequence[Outcome]:
        """Works until something may have finished; returns what has."""
        ...

    def close(self) -> None: ...


def find_engine(name: str) -> type[Engine]:
    """The class of an engine: one of ENGINES, or module:Class. Imports no package that it needs. Raises UsageError."""
    module, colon, attribute = ENGINES.get(name, name).partition(":")
    if not colon or not module or not attribute:
        known = ", ".join(ENGINES)
        raise UsageError(f"ENGINE={name} is unknown; choose {known}, or name a class of your own as module:Class")
    try:
        found: type[Engine] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"ENGINE={name} cannot be imported ({error}); check its name and PYTHONPATH") from error
    lacking = [part for part in ("needs", "Options", "submit", "step", "close") if not hasattr(found, part)]
    if lacking:
        raise UsageError(f"ENGINE={name} is no engine, it has no {', '.join(lacking)}; see docs/add_an_engine.md")
    return found


def default_engine() -> str:
    """The best engine that is installed; where none is, the one for real runs, which `check_engine` then refuses."""
    return next((name for name in BY_DEFAULT if not missing_packages(name)), BY_DEFAULT[0])


def missing_packages(name: str) -> list[str]:
    return [package for package in find_engine(name).needs.packages if importlib.util.find_spec(package) is None]


def check_engine(name: str, sampling: Sampling) -> None:
    """Raises UsageError when the engine's packages are not there, or it cannot sample as asked."""
    if missing := missing_packages(name):
        raise UsageError(f"ENGINE={name} needs the package {' and '.join(missing)}; {find_engine(name).needs.install}")
    if lacking := [parameter for parameter in find_engine(name).needs.lacks if parameter in sampling.given()]:
        raise UsageError(
            f"ENGINE={name} cannot apply {' and '.join(lacking).upper()}; unset it or choose another engine"
        )


def check_scoring(name: str, benchmark: str, generative: str | None = None) -> None:
    """Raises UsageError when a scored benchmark meets an engine that gives no log-likelihoods."""
    if find_engine(name).needs.scores:
        return
    other = f"choose its generative form lm:{generative}" if generative else "choose a task that generates text"
    raise UsageError(
        f"{benchmark} needs log-likelihoods, which ENGINE={name} does not give; {other}, or ENGINE=vllm or transformers"
    )


def make_options(name: str, values: Mapping[str, Any]) -> EngineOptions:
    """An engine's options from values by name; those that it does not have are left out."""
    kind = find_engine(name).Options
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(**{key: value for key, value in values.items() if key in known})


def refuse_options_of_others(engine: str, given: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Raises UsageError for an option of another engine that would have changed the samples."""
    chosen = find_engine(engine)
    own = {field.name for field in dataclasses.fields(chosen.Options)}
    for name in ENGINES:
        kind = find_engine(name).Options
        if not issubclass(kind, LocalOptions):
            continue
        decisive = kind().identity().keys() - own - set(LocalOptions.decisive)
        told = {field for field, value in read_options(kind, given, environ).items() if value}
        for field in sorted(decisive & told):
            if field != "deterministic" or not chosen.needs.is_deterministic:
                raise UsageError(
                    f"{field.upper()} is an option of ENGINE={name}, and ENGINE={engine} has none; unset it"
                )


def create_engine(name: str, setup: EngineSetup, options: EngineOptions) -> Engine:
    """Loads the model or connects. Raises ModelError, EngineError."""
    try:
        return find_engine(name)(setup, options)
    except ImportError as error:  # it would say so again, however often it is started
        raise EngineUnavailable(
            f"ENGINE={name} cannot be started ({first_line(error)}): its packages do not fit together or this toolkit; "
            "run `make install` (GPU) or `make install-cpu` again"
        ) from error


def load_tokenizer(name: str, *, revision: str | None = None, trust_remote_code: bool = False) -> Any:
    """The tokenizer of that name or folder. Raises ModelError with the remedy."""
    try:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=trust_remote_code)
    except ImportError as error:
        raise ModelError("transformers is not installed; run `make install` or `make install-cpu`") from error
    except Exception as error:  # of its files, of their code, of the network
        remedy = "check the model's name or folder, or give --tokenizer"
        raise cannot_load(name, "its tokenizer cannot be loaded", error, remedy) from error


def cannot_load(name: str, what: str, error: BaseException, remedy: str) -> ModelError:
    """What a library raised while it loaded a model, with the remedy: another one where the model brings its own code."""
    if "trust_remote_code" in str(error):
        return ModelError(f"{name}: the model brings code of its own; read it, then set TRUST_REMOTE_CODE=1")
    return ModelError(f"{name}: {what} ({first_line(error)}); {remedy}")


def first_line(error: BaseException) -> str:
    """The first line of an error's text, for one-line messages. Without controls: a terminal would obey those of others."""
    return printable(str(error).strip().split("\n")[0], LONGEST_LINE) or type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """True for CUDA's and the host's way of saying that memory ran out."""
    return (
        "OutOfMemory" in type(error).__name__ or "out of memory" in str(error).lower() or isinstance(error, MemoryError)
    )
