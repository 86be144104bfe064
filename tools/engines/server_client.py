"""One sample asked of a server until there is an answer, or a reason why there is none.

What passes is tried again with a pause that grows; a server that is busy (429) is asked less at a time, for as long as
it answers anybody; a field that it refuses is left out for all; what no request of ours can pass ends the run at once.
The reason names the option to set, in one line.
"""

from __future__ import annotations

import dataclasses
import json
import random
import re
import threading
import time
from typing import Any

from tools.engines import Completion, GenerationRequest
from tools.engines.request_gate import GateOutcome, RequestGate
from tools.engines.server_answer import Ending, ServerAnswer, read_answer
from tools.engines.server_connection import ConnectionBroken, Server
from tools.engines.server_faults import BAD_VALUE, ServerFault, ServerFaultKind, find_refused, is_bad_value, read_fault
from tools.engines.server_request import LENGTH_NAMES, SAMPLING_NAMES, Dialect, cap_of, make_body
from tools.errors import EngineUnavailable, RequestFailed
from tools.records import JsonRow, Sampling

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
MOST_REFUSALS = 16  # of one request: more than there are fields to drop
# No honest answer is larger: a token has 64 characters at most on average, and an event of a stream 2 KiB around it.
TEXT_BASE, TEXT_PER_TOKEN = 1 << 20, 64
WIRE_BASE, WIRE_PER_TOKEN = 1 << 24, 2048
WITHHELD = re.compile(r"content_filter|content management policy|moderation|flagged", re.IGNORECASE)


class FilteredAnswer(RequestFailed):
    """The provider withheld the answer."""


class RefusedRequest(RequestFailed):
    """The server works, and does not take this request."""


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long an answer may take, how often a failed request is tried again, and whether a withheld answer counts."""

    timeout_s: float
    max_retries: int
    counts_filtered: bool

    @classmethod
    def of(cls, options: Any) -> Patience:
        """As an engine's options say."""
        return cls(options.request_timeout_s, options.max_retries, options.filtered == "count")


class ServerClient:
    """Asks; used by many threads at once. `server` is None where a subclass asks in another way."""

    key_name, address_name = "OPENAI_API_KEY", "OPENAI_BASE_URL"

    def __init__(
        self,
        server: Server | None,
        gate: RequestGate,
        model: str,
        sampling: Sampling,
        extra: JsonRow,
        patience: Patience,
    ) -> None:
        self.dialect = Dialect()
        self.has_answered = False
        self._server, self._gate, self._model, self._sampling, self._extra = server, gate, model, sampling, extra
        self._patience = patience
        self._heard_at = time.monotonic()  # of the last answer to anybody
        self._lock, self._closing = threading.Lock(), threading.Event()

    def ask(self, request: GenerationRequest) -> Completion:
        """Raises RequestFailed, EngineUnavailable."""
        tries = refusals = busy = 0
        while True:
            began = self._gate.enter()
            dialect = self.dialect  # as the requests before this one left it
            try:
                return self._try(request, dialect, began)
            except ServerFault as fault:
                if fault.kind in (ServerFaultKind.REQUEST, ServerFaultKind.CONTEXT) or fault.status == 501:
                    refusals += 1
                    self._learn(fault, dialect, request, is_last=refusals >= MOST_REFUSALS)
                    continue
                self._end_if_hopeless(fault, request)
                is_limited = fault.kind is ServerFaultKind.BUSY and fault.status != 503
                if is_limited and time.monotonic() - self._heard_at < self._patience.timeout_s:
                    busy += 1
                    # A pause that the server names is the gate's; without one each waits for itself.
                    self._pause(0.0 if fault.retry_after_s is not None else _pause_after(busy))
                    continue
                failure: RequestFailed = fault
            except ConnectionBroken as error:
                failure = error
            if tries >= self._patience.max_retries:
                raise RequestFailed(f"{failure}; asked {tries + 1} times (MAX_RETRIES)") from failure
            self._pause(_pause_after(tries))
            tries += 1

    def end_overdue(self) -> None:
        """Ends requests whose time is over, in whatever phase."""
        if self._server is not None:
            self._server.end_overdue()

    def close(self) -> None:
        self._closing.set()
        if self._server is not None:
            self._server.close()

    def _try(self, request: GenerationRequest, dialect: Dialect, began: float) -> Completion:
        outcome, pause_s = GateOutcome.OTHER, 0.0
        try:
            completion = self._exchange(request, dialect)
            outcome = GateOutcome.ANSWERED
            with self._lock:
                self.has_answered, self._heard_at = True, time.monotonic()
            return completion
        except ServerFault as fault:
            if fault.kind is ServerFaultKind.BUSY:
                outcome, pause_s = GateOutcome.BUSY, fault.retry_after_s or 0.0
            raise
        finally:
            self._gate.leave(outcome, began, pause_s)

    def _exchange(self, request: GenerationRequest, dialect: Dialect) -> Completion:
        assert self._server is not None
        path, body = make_body(request, self._model, self._sampling, dialect, self._extra)
        cap = cap_of(request, self._sampling)
        data = json.dumps(body).encode()
        with self._server.exchange("POST", path, data, self._patience.timeout_s) as exchange:
            if exchange.status != 200:
                retry_after = exchange.header("Retry-After"), exchange.header("Retry-After-Ms")
                raise read_fault(exchange.status, exchange.read_error(), *retry_after)
            self._gate.is_understood()
            parts = exchange.parts(WIRE_BASE + WIRE_PER_TOKEN * cap)
            ends, goes_on = exchange.expect_end, exchange.expect_more
            answer = read_answer(parts, on_end=ends, on_more=goes_on, most_text=TEXT_BASE + TEXT_PER_TOKEN * cap)
        return self._to_completion(request, answer, cap, dialect)

    def _to_completion(
        self, request: GenerationRequest, answer: ServerAnswer, cap: int, dialect: Dialect
    ) -> Completion:
        ending, text = answer.ending, answer.text
        if ending is Ending.BROKEN:
            raise ConnectionBroken(f"the server broke off its answer ({answer.said[:40]!r})")
        if ending is Ending.FILTERED and not self._patience.counts_filtered:
            raise FilteredAnswer(tell_filtered(answer.said))
        if ending is Ending.UNSAID:
            ending = Ending.LENGTH if (answer.output_tokens or 0) >= cap else Ending.STOP
        if ending is Ending.STOP and not text and not answer.output_tokens:
            raise ConnectionBroken("the server's answer is empty")
        if "stop" in dialect.dropped:
            places = [place for stop in self._sampling.stop if (place := text.find(stop)) >= 0]
            ending, text = (Ending.STOP, text[: min(places)]) if places else (ending, text)
        finish_reason = "length" if ending is Ending.LENGTH else "stop"
        counts = answer.prompt_tokens, answer.output_tokens
        return Completion(request.sample, text, finish_reason, *counts, first_tokens=answer.first_tokens)

    def _learn(self, fault: ServerFault, dialect: Dialect, request: GenerationRequest, *, is_last: bool) -> None:
        """Leaves out what is refused, for all that follow. Raises RequestFailed where nothing can be left out."""
        if WITHHELD.search(fault.text) and not find_refused(fault, SAMPLING_NAMES):
            raise FilteredAnswer(tell_filtered(fault.message))
        sent = make_body(request, self._model, self._sampling, dialect, {})[1]
        name = find_refused(fault, [name for name in {**sent, **self._extra} if name not in ("model", "messages")])
        if is_last or (fault.kind is ServerFaultKind.CONTEXT and name is None):
            raise self._explain(fault, name, request)
        if name == "seed" and is_bad_value(fault) and not dialect.has_short_seeds:
            new: Dialect | None = Dialect(dialect.dropped, dialect.length_name, has_short_seeds=True)
        elif name is None or name in self._extra or is_bad_value(fault):
            new = _with_short_seeds(dialect) if name is None and _names_seed(fault) else None
        else:
            new = dialect.without(name)
        if new is None:
            raise self._explain(fault, name, request)
        with self._lock:
            if self.dialect == dialect:  # else another request has found something out meanwhile
                self.dialect = new

    def _explain(
        self, fault: ServerFault, name: str | None, request: GenerationRequest
    ) -> RequestFailed | EngineUnavailable:
        if fault.kind is ServerFaultKind.CONTEXT:
            cap = cap_of(request, self._sampling)
            message = f"{fault.message.rstrip('.')}: lower OUT_SEQ_LEN={self._sampling.max_new_tokens}, so that prompt and answer fit"
            limits = [int(number) for number in re.findall(r"(?<![\d.])\d{3,9}(?![\d.]\d)", fault.message)]
            if not self.has_answered and min(limits, default=cap + 1) <= cap:  # not one answer would fit
                return EngineUnavailable(self._at(message))
            return RefusedRequest(message)
        option = {**{key: key.upper() for key in SAMPLING_NAMES}, **dict.fromkeys(LENGTH_NAMES, "OUT_SEQ_LEN")}.get(
            name or ""
        )
        if name in self._extra:
            remedy = "change EXTRA_BODY"
        elif name == "prompt":
            remedy = "this server takes no token ids: set MODEL_TYPE=chat"
        elif option:
            remedy = f"change {option}"
        else:
            remedy = "EXTRA_BODY='{\"name\": null}' leaves a field out"
        return RefusedRequest(f"the server refuses the request: {fault}; {remedy}")

    def _end_if_hopeless(self, fault: ServerFault, request: GenerationRequest) -> None:
        """Raises EngineUnavailable for what every request would meet, FilteredAnswer for a refused question."""
        if fault.kind is ServerFaultKind.ACCOUNT:
            if fault.status == 403 and WITHHELD.search(fault.text):
                raise FilteredAnswer(tell_filtered(fault.message))
            if fault.status == 403 and self.has_answered:
                raise fault
            remedy = (
                f"check {self.key_name}"
                if fault.status in (401, 403)
                else f"check the account that {self.key_name} belongs to"
            )
            raise EngineUnavailable(self._at(f"{fault}; {remedy}"))
        if fault.kind is ServerFaultKind.ADDRESS and not self.has_answered:
            if request.prompt.token_ids is not None and "model" not in fault.message.lower():
                remedy = "it has no /completions: set MODEL_TYPE=chat, or check " + self.address_name
            else:
                remedy = f"check --model, and {self.address_name} (most end in /v1)"
            raise EngineUnavailable(self._at(f"{fault}; {remedy}"))

    @property
    def place(self) -> str:
        """Who is asked, for messages."""
        assert self._server is not None
        return f"the server at {self._server.address.origin}"

    def _at(self, message: str) -> str:
        return f"{self.place}: {message}"

    def _pause(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise RequestFailed("the engine was closed")


def _pause_after(tries: int) -> float:
    return float(min(FIRST_PAUSE_S * 2 ** min(tries, 10), LONGEST_PAUSE_S) * random.uniform(0.75, 1.0))


def tell_filtered(said: str) -> str:
    """Why a withheld answer is missing, and the option that counts it."""
    return f"the server's filter withheld the answer ({said[:120]}); FILTERED=count takes it as the model's answer"


def _names_seed(fault: ServerFault) -> bool:
    return bool(re.search(r"(?<![\w-])seed(?![\w-])", fault.text) and BAD_VALUE.search(fault.text))


def _with_short_seeds(dialect: Dialect) -> Dialect | None:
    return None if dialect.has_short_seeds else Dialect(dialect.dropped, dialect.length_name, has_short_seeds=True)
