"""What ENGINE=openai and ENGINE=litellm share: how a server is asked, and a pool of threads that each wait for one answer."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar

from tools.commandline import option
from tools.engines import Completion, EngineOptions, EngineSetup, Failure, GenerationRequest, Needs, first_line
from tools.errors import EngineUnavailable, RequestFailed

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tools.engines.request_gate import RequestGate
    from tools.engines.server_client import ServerClient
    from tools.records import JsonRow

GATHER_S = 0.005  # answers come many at a time; each look at them costs the threads that read them their turn
FAILURES_IN_A_ROW = 8  # then the server is taken for broken and the run stops

# What asks is imported where it is used: --help reads the options of this file.


@dataclasses.dataclass(frozen=True)
class AskingOptions(EngineOptions):
    """What a server is told besides, and how patient we are with it."""

    decisive = ("extra_body",)

    request_timeout_s: float = option(3600.0, "for one answer of a server")
    max_retries: int = option(6, "of a failed request to a server, with back-off")
    stream: int = option(1, "0: answers come whole; proxies may end long ones")
    extra_body: str = option("", "JSON object of more fields; null takes one away", shown="none")
    filtered: str = option(
        "missing",
        "missing or count: an answer that the provider's filter withheld is missing, or the model's",
        choices=("missing", "count"),
    )

    def __post_init__(self) -> None:
        from tools.engines.server_request import parse_extra_body

        parse_extra_body(self.extra_body)


class AskingEngine(abc.ABC):
    """A pool of threads. A subclass says in `connect` who is asked."""

    needs: ClassVar[Needs]
    Options: ClassVar[type[EngineOptions]] = AskingOptions
    most_at_once: ClassVar[int]  # where MAX_NUM_SEQS does not say

    def __init__(self, setup: EngineSetup, options: Any) -> None:
        from concurrent.futures import ThreadPoolExecutor

        from tools.engines.request_gate import RequestGate
        from tools.engines.server_request import parse_extra_body

        extra: dict[str, Any] = {} if options.stream else {"stream": None, "stream_options": None}
        if setup.template_kwargs:  # vLLM and SGLang; they are given with type chat alone
            extra["chat_template_kwargs"] = dict(setup.template_kwargs)
        self.capacity = options.max_num_seqs or self.most_at_once
        self._gate = RequestGate(self.capacity)
        self._client = self.connect(setup, options, self._gate, extra | parse_extra_body(options.extra_body))
        self._pool = ThreadPoolExecutor(self.capacity, thread_name_prefix="request")
        self._running: dict[Future[Completion], GenerationRequest] = {}
        self._finished: SimpleQueue[Future[Completion]] = SimpleQueue()
        self._failures_in_a_row = 0

    @abc.abstractmethod
    def connect(self, setup: EngineSetup, options: Any, gate: RequestGate, extra: JsonRow) -> ServerClient:
        """Who asks. Raises EngineError where nobody is there."""

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
            if len(self._running) > 1:
                time.sleep(GATHER_S)
            while True:
                finished.append(self._finished.get_nowait())
        self._client.end_overdue()
        return [self._collect(future, self._running.pop(future)) for future in finished]

    def close(self) -> None:
        self._gate.close()
        self._client.close()
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
