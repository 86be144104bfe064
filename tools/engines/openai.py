"""Any OpenAI-compatible server as an engine: `vllm serve`, SGLang, a hosted API. OPENAI_BASE_URL and OPENAI_API_KEY.

Types r1 and qwen go to /completions as token ids, so the server's template and begin-of-sentence do not interfere; type
chat goes to /chat/completions and gets the server's own template. Every request carries its seed. 429, 5xx and
time-outs are tried again with back-off by the client; what still fails is a Failure, never an empty answer.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from tools.commandline import option
from tools.engines import Completion, EngineOptions, EngineSetup, Failure, GenerationRequest, Needs, first_line
from tools.errors import EngineUnavailable, RequestFailed, UsageError
from tools.models.formats import FORMATS

if TYPE_CHECKING:
    from concurrent.futures import Future

DEFAULT_CAPACITY = 64
FAILURES_IN_A_ROW = 8  # then the server is taken for broken and the run stops
BEYOND_THE_API = ("top_k", "min_p", "repetition_penalty")  # vLLM's and SGLang's, sent in the body beside OpenAI's own


@dataclasses.dataclass(frozen=True)
class OpenAIOptions(EngineOptions):
    """Where the server is, and how patient we are with it."""

    base_url: str | None = option(None, "the server, http://host:port/v1", name="OPENAI_BASE_URL")
    request_timeout_s: float = option(3600.0, "for one answer of a server")
    max_retries: int = option(6, "of a failed request to a server, with back-off")

    def __post_init__(self) -> None:
        if not self.base_url:
            raise UsageError("ENGINE=openai needs OPENAI_BASE_URL=http://host:port/v1")


class OpenAIEngine:
    """A pool of threads, each waiting for one answer."""

    needs = Needs(packages=("openai",), loads_model=False, devices=False, has_own_template=True)
    Options = OpenAIOptions

    def __init__(self, setup: EngineSetup, options: OpenAIOptions) -> None:
        from concurrent.futures import ThreadPoolExecutor  # here, because --help reads the options of this file

        import openai

        self.capacity = options.max_num_seqs or DEFAULT_CAPACITY
        self._setup, self._openai = setup, openai
        self._client = openai.OpenAI(
            base_url=options.base_url,
            api_key=os.environ.get("OPENAI_API_KEY") or "none",
            max_retries=options.max_retries,
            timeout=options.request_timeout_s,
        )
        self._check_server()
        self._pool = ThreadPoolExecutor(self.capacity, thread_name_prefix="request")
        self._running: dict[Future[Completion], GenerationRequest] = {}
        self._failures_in_a_row = 0

    def submit(self, request: GenerationRequest) -> None:
        self._running[self._pool.submit(self._ask, request)] = request

    def step(self) -> list[Completion | Failure]:
        from concurrent.futures import FIRST_COMPLETED, wait

        finished, _ = wait(self._running, timeout=1.0, return_when=FIRST_COMPLETED)
        return [self._collect(future, self._running.pop(future)) for future in finished]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _collect(self, future: Future[Completion], request: GenerationRequest) -> Completion | Failure:
        try:
            completion = future.result()
        except (RequestFailed, self._openai.OpenAIError) as error:
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= FAILURES_IN_A_ROW:
                raise EngineUnavailable(
                    f"the server at {self._client.base_url} failed {FAILURES_IN_A_ROW} times in a row ({first_line(error)}); look at its log, "
                    "then run the same command again"
                ) from error
            return Failure(request.sample, first_line(error))
        self._failures_in_a_row = 0
        return completion

    def _check_server(self) -> None:
        try:
            models = self._client.models.list()
            names = [model.id for model in models.data]
        except (self._openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
            raise EngineUnavailable(
                f"the server at {self._client.base_url} does not answer as an OpenAI-compatible one ({first_line(error)}); "
                "start it or set OPENAI_BASE_URL"
            ) from error
        if names and self._setup.model not in names:
            raise EngineUnavailable(
                f"the server at {self._client.base_url} has no model {self._setup.model!r}; it has {', '.join(names[:5])}"
            )

    def _ask(self, request: GenerationRequest) -> Completion:
        chosen = self._setup.sampling.given()
        extra = {name: chosen.pop(name) for name in BEYOND_THE_API if name in chosen}
        chosen["max_tokens"] = min(chosen.pop("max_new_tokens"), request.max_new_tokens)
        if self._setup.sampling.stop:
            chosen["stop"] = list(self._setup.sampling.stop)
        options: dict[str, Any] = {"model": self._setup.model, "seed": request.seed, **chosen}
        try:
            if request.prompt.token_ids is None:
                if self._setup.template_kwargs:  # vLLM and SGLang
                    extra["chat_template_kwargs"] = dict(self._setup.template_kwargs)
                answer: Any = self._client.chat.completions.create(
                    messages=request.prompt.messages, extra_body=extra, **options
                )
                text = _text_of_message(answer.choices[0].message)
            else:
                extra["skip_special_tokens"] = False  # vLLM and SGLang: keep the marks of the reasoning
                answer = self._client.completions.create(
                    prompt=list(request.prompt.token_ids), extra_body=extra, **options
                )
                text = answer.choices[0].text
            finish_reason, usage = answer.choices[0].finish_reason, answer.usage
            if not isinstance(text, str) or finish_reason not in ("stop", "length"):
                raise RequestFailed(f"the server's answer has no text or an odd finish reason ({finish_reason!r})")
            return Completion(request.sample, text, finish_reason, usage.prompt_tokens, usage.completion_tokens)
        except (AttributeError, TypeError, IndexError, ValueError) as error:
            raise RequestFailed(f"the server's answer is not a completion ({first_line(error)})") from error


def _text_of_message(message: Any) -> Any:
    """The whole text of a chat message; a server that parses reasoning gives it apart, we put the marks back."""
    reasoning = getattr(message, "reasoning", None) or getattr(message, "reasoning_content", None)
    return FORMATS["think"].wrap(reasoning, message.content or "") if reasoning else message.content
