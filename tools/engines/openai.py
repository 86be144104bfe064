"""Any OpenAI-compatible server as an engine: `vllm serve`, SGLang, a hosted API. OPENAI_BASE_URL and OPENAI_API_KEY.

Types r1 and qwen go to /completions as token ids, so the server's template and begin-of-sentence do not interfere; type
chat goes to /chat/completions and gets the server's own template. Every request carries its seed. Answers are streamed,
because proxies end requests that are silent for long. docs/servers.md tells what is done about servers' habits; what
still fails is a Failure, never an empty answer.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar

from tools.commandline import option
from tools.engines import Completion, EngineOptions, EngineSetup, Failure, GenerationRequest, Needs, first_line
from tools.errors import EngineUnavailable, RequestFailed, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tools.engines.request_gate import RequestGate
    from tools.engines.server_client import ServerClient
    from tools.engines.server_connection import Server

DEFAULT_CAPACITY = 64
FAILURES_IN_A_ROW = 8  # then the server is taken for broken and the run stops
LIST_TIMEOUT_S = 30.0
LIST_BYTES = 4 << 20
NAMES_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class OpenAIOptions(EngineOptions):
    """Where the server is, what it is told besides, and how patient we are with it."""

    decisive = ("extra_body",)

    base_url: str | None = option(None, "the server, http://host:port/v1", name="OPENAI_BASE_URL")
    request_timeout_s: float = option(3600.0, "for one answer of a server")
    max_retries: int = option(6, "of a failed request to a server, with back-off")
    stream: int = option(1, "0: answers come whole; proxies may end long ones")
    extra_body: str = option("", "JSON object of more fields; null takes one away", shown="none")
    filtered: str = option(
        "missing",
        "missing or count: an answer that the provider's filter withheld is missing, or the model's",
        choices=("missing", "count"),
    )
    check_model: int = option(1, "0: do not look whether the server lists the model")

    def __post_init__(self) -> None:
        from tools.engines.server_request import parse_extra_body

        if not self.base_url:
            raise UsageError("ENGINE=openai needs OPENAI_BASE_URL=http://host:port/v1")
        parse_extra_body(self.extra_body)


class OpenAIEngine:
    """A pool of threads, each waiting for one answer."""

    needs = Needs(loads_model=False, devices=False, has_own_template=True)
    Options: ClassVar[type[EngineOptions]] = OpenAIOptions

    def __init__(self, setup: EngineSetup, options: Any) -> None:
        from tools.engines.request_gate import RequestGate
        from tools.engines.server_client import ServerClient
        from tools.engines.server_connection import Address, Server
        from tools.engines.server_request import parse_extra_body

        key = (os.environ.get("OPENAI_API_KEY") or "none").strip()
        server = Server(Address.parse(options.base_url or ""), key)
        if options.check_model:
            check_model_name(server, setup.model)
        extra: dict[str, Any] = {} if options.stream else {"stream": None, "stream_options": None}
        if setup.template_kwargs:  # vLLM and SGLang; they are given with type chat alone
            extra["chat_template_kwargs"] = dict(setup.template_kwargs)
        gate = RequestGate(options.max_num_seqs or DEFAULT_CAPACITY)
        client = ServerClient(
            server,
            gate,
            setup.model,
            setup.sampling,
            extra | parse_extra_body(options.extra_body),
            timeout_s=options.request_timeout_s,
            max_retries=options.max_retries,
            counts_filtered=options.filtered == "count",
        )
        self._start_threads(client, gate, options.max_num_seqs or DEFAULT_CAPACITY, server)

    def _start_threads(
        self, client: ServerClient, gate: RequestGate, capacity: int, server: Server | None = None
    ) -> None:
        from concurrent.futures import ThreadPoolExecutor  # here, because --help reads the options of this file

        self.capacity, self._client, self._gate, self._server = capacity, client, gate, server
        self._pool = ThreadPoolExecutor(self.capacity, thread_name_prefix="request")
        self._running: dict[Future[Completion], GenerationRequest] = {}
        self._finished: SimpleQueue[Future[Completion]] = SimpleQueue()
        self._failures_in_a_row = 0

    @property
    def dropped(self) -> tuple[str, ...]:
        """What the server refuses of the chosen sampling, so that it is sampled without."""
        return self._client.dialect.lost

    def submit(self, request: GenerationRequest) -> None:
        future = self._pool.submit(self._client.ask, request)
        self._running[future] = request
        future.add_done_callback(self._finished.put)

    def step(self) -> list[Completion | Failure]:
        finished: list[Future[Completion]] = []
        with contextlib.suppress(Empty):
            finished.append(self._finished.get(timeout=1.0))
            while True:
                finished.append(self._finished.get_nowait())
        if self._server is not None:
            self._server.end_overdue()
        return [self._collect(future, self._running.pop(future)) for future in finished]

    def close(self) -> None:
        self._gate.close()
        self._client.close()
        if self._server is not None:
            self._server.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _collect(self, future: Future[Completion], request: GenerationRequest) -> Completion | Failure:
        from tools.engines.server_client import FilteredAnswer, RefusedRequest

        try:
            completion = future.result()
        except EngineUnavailable:
            self.close()
            raise
        except FilteredAnswer as error:  # the server works, and has an opinion on this question
            return Failure(request.sample, first_line(error))
        except RequestFailed as error:
            if (
                isinstance(error, RefusedRequest) and self._client.has_answered
            ):  # prompts that are too long, for example
                return Failure(request.sample, first_line(error))
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= FAILURES_IN_A_ROW:
                self.close()
                raise EngineUnavailable(
                    f"{self._client.place} failed {FAILURES_IN_A_ROW} times in a row "
                    f"({first_line(error)}); look at its log, raise MAX_RETRIES if it recovers by itself, then run the same command again"
                ) from error
            return Failure(request.sample, first_line(error))
        self._failures_in_a_row = 0
        return completion


def check_model_name(server: Server, model: str) -> None:
    """Raises EngineUnavailable when there is no server, or it lists its models and this one is not among them.

    A server without a list, or one that does not want to show it, is asked all the same.
    """
    origin = server.address.origin
    try:
        with server.exchange("GET", "/models", None, LIST_TIMEOUT_S) as exchange:
            data = b"".join(exchange.parts(LIST_BYTES)) if exchange.status == 200 else b""
    except RequestFailed as error:
        raise EngineUnavailable(
            f"the server at {origin} does not answer ({first_line(error)}); start it or set OPENAI_BASE_URL"
        ) from error
    names = _names_in(data)
    if names and not any(name == model or name.endswith(f"/{model}") for name in names):
        shown = ", ".join(first_line(RequestFailed(name)) for name in names[:NAMES_SHOWN])
        raise EngineUnavailable(
            f"the server at {origin} has no model {model!r}; it has {shown} (CHECK_MODEL=0 asks it all the same)"
        )


def _names_in(data: bytes) -> list[str]:
    """The models of a list in the shapes in use; empty where it is none."""
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        return []
    rows = (row.get("data") or row.get("models")) if isinstance(row, dict) else row
    if not isinstance(rows, list):
        return []
    names = [
        next((entry[key] for key in ("id", "name", "model") if entry.get(key)), "")
        for entry in rows
        if isinstance(entry, dict)
    ]
    return [name for name in names if isinstance(name, str) and name]
