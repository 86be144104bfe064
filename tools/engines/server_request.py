"""What is sent to a server for one sample, in the words that this server takes.

The words are OpenAI's own plus those of vLLM and SGLang. What a server refuses is left out from then on: a Dialect says
what that is, and a run records it. EXTRA_BODY, a JSON object, is laid over the rest; null takes a field away.

>>> request = GenerationRequest(Sample("aime24", "60", 100), Prompt("2 + 2?", None, "2 + 2?"), 16)
>>> path, body = make_body(request, "m", Sampling(), Dialect(dropped=("temperature", "stream")), {"user": "me"})
>>> path, body["max_tokens"], body["seed"], body["user"], "temperature" in body
('/chat/completions', 16, 100, 'me', False)
"""

from __future__ import annotations

import dataclasses
import json

from tools.engines import GenerationRequest
from tools.errors import UsageError
from tools.models.prompts import Prompt  # noqa: F401  (for the example above)
from tools.records import JsonObject, JsonRow, Sample, Sampling  # noqa: F401  (Sample: for the example above)

# What a sample is drawn by. A server that refuses one gets along without it, and the run records that.
SAMPLING_NAMES = (
    "seed", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "stop",
)  # fmt: skip
# How an answer is brought; nobody needs to know.
TRANSPORT_NAMES = ("stream_options", "stream", "skip_special_tokens")
LENGTH_NAMES = (
    "max_tokens",
    "max_completion_tokens",
)  # the older name first: servers that know neither ignore the newer
SEED_BITS = 31  # of servers that keep a seed in a signed 32-bit integer


@dataclasses.dataclass(frozen=True)
class Dialect:
    """What a server has told us by refusing. Its defaults are for a server of which nothing is known."""

    dropped: tuple[str, ...] = ()
    length_name: str = LENGTH_NAMES[0]
    has_short_seeds: bool = False

    def without(self, name: str) -> Dialect | None:
        """The dialect of a server that refuses a field; None where there is no way around it."""
        if name == LENGTH_NAMES[0] and self.length_name == name:
            return dataclasses.replace(self, length_name=LENGTH_NAMES[1])
        if name in self.dropped or name not in SAMPLING_NAMES + TRANSPORT_NAMES:
            return None
        return dataclasses.replace(self, dropped=(*self.dropped, name))

    @property
    def lost(self) -> tuple[str, ...]:
        """What a reader of the run has to know: what was chosen and could not be applied. Stops are applied here."""
        lost = tuple(name for name in self.dropped if name in SAMPLING_NAMES and name != "stop")
        return (*lost, f"seed beyond {SEED_BITS} bits") if self.has_short_seeds else lost


def make_body(
    request: GenerationRequest, model: str, sampling: Sampling, dialect: Dialect, extra: JsonRow
) -> tuple[str, JsonObject]:
    """The path below the base URL, and the fields of the body."""
    body: JsonObject = {"model": model, **sampling.given()}
    del body["max_new_tokens"]
    body["seed"] = request.seed & ((1 << SEED_BITS) - 1) if dialect.has_short_seeds else request.seed
    body[dialect.length_name] = cap_of(request, sampling)
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if request.prompt.token_ids is None:
        path = "/chat/completions"
        body["messages"] = request.prompt.messages
    else:
        path = "/completions"
        body["prompt"] = list(request.prompt.token_ids)
        body["skip_special_tokens"] = False  # vLLM and SGLang: keep the marks of the reasoning
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    for name in dialect.dropped:
        body.pop(name, None)
    if "stream" in dialect.dropped:
        body.pop("stream_options", None)
    body |= extra
    return path, {name: value for name, value in body.items() if value is not None}


def cap_of(request: GenerationRequest, sampling: Sampling) -> int:
    """Tokens of the answer at most."""
    return min(sampling.max_new_tokens, request.max_new_tokens)


def parse_extra_body(text: str) -> JsonObject:
    """The value of EXTRA_BODY. Raises UsageError."""
    try:
        extra = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        extra = None
    if not isinstance(extra, dict):
        raise UsageError(
            f"EXTRA_BODY={text[:80]!r} is no JSON object; give for example "
            '\'{"chat_template_kwargs": {"enable_thinking": true}}\''
        )
    return extra
