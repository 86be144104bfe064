"""One sample asked through LiteLLM: its exceptions become the faults of a server, its answer a Completion with its cost.

All else is server_client's: what is tried again, what is left out once it was refused, and what ends a run.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
from typing import Any

from tools.engines import Completion, GenerationRequest, first_line
from tools.engines.request_gate import RequestGate
from tools.engines.server_answer import ServerAnswer, join_reasoning, read_ending
from tools.engines.server_client import TEXT_BASE, TEXT_PER_TOKEN, FilteredAnswer, Patience, ServerClient, tell_filtered
from tools.engines.server_connection import AnswerTooLarge, ConnectionBroken
from tools.engines.server_faults import read_fault
from tools.engines.server_request import Dialect, cap_of, make_body
from tools.errors import RequestFailed
from tools.records import JsonObject, JsonRow, Sampling

NO_KEY = re.compile(r"missing credentials|api[_ ]key.{0,40}(?:not set|missing|required|must be set)", re.IGNORECASE)


class LiteLLMClient(ServerClient):
    """Asks; used by many threads at once."""

    key_name = "the provider's key (ANTHROPIC_API_KEY, GEMINI_API_KEY, ...)"
    address_name = "LITELLM_API_BASE"

    def __init__(
        self, litellm: Any, gate: RequestGate, model: str, sampling: Sampling, extra: JsonRow, patience: Patience, *,
        api_base: str | None,
    ) -> None:  # fmt: skip
        super().__init__(None, gate, model, sampling, extra, patience)
        self._litellm, self._api_base = litellm, api_base

    @property
    def place(self) -> str:
        return f"LiteLLM with {self._model}"

    def _exchange(self, request: GenerationRequest, dialect: Dialect) -> Completion:
        body = make_body(request, self._model, self._sampling, dialect, self._extra)[1]
        cap = cap_of(request, self._sampling)
        try:
            response = self._complete(body, TEXT_BASE + TEXT_PER_TOKEN * cap)
        except RequestFailed:
            raise
        except Exception as error:
            raise self._to_fault(error) from error
        completion = self._to_completion(request, to_answer(response), cap, dialect)
        return dataclasses.replace(completion, cost=self._cost_of(response))

    def _complete(self, body: JsonObject, most_text: int) -> Any:
        """The whole response. A stream is put together by LiteLLM; it ends at the deadline, however it drips."""
        options = {"timeout": self._patience.timeout_s, "num_retries": 0, "max_retries": 0, "api_base": self._api_base}
        if not body.get("stream"):
            return self._litellm.completion(**body, **options)
        until, length = time.monotonic() + self._patience.timeout_s, 0
        chunks = []
        for chunk in self._litellm.completion(**body, **options):
            self._gate.is_understood()
            chunks.append(chunk)
            length += sum(len(str(getattr(choice.delta, "content", None) or "")) for choice in chunk.choices)
            if length > most_text:
                raise AnswerTooLarge(f"the answer has more than {most_text} characters; OUT_SEQ_LEN allows less")
            if time.monotonic() > until:
                raise ConnectionBroken("the answer took longer than REQUEST_TIMEOUT_S")
        response = self._litellm.stream_chunk_builder(chunks, messages=body["messages"])
        if response is None:
            raise ConnectionBroken("the provider's answer is empty")
        return response

    def _to_fault(self, error: Exception) -> RequestFailed:
        """What LiteLLM raises: an HTTP status with the provider's sentence, or a broken connection."""
        kinds = self._litellm.exceptions
        if isinstance(error, kinds.ContentPolicyViolationError):
            return FilteredAnswer(tell_filtered(first_line(error)))
        status = getattr(error, "status_code", None)
        if isinstance(error, (kinds.APIConnectionError, kinds.Timeout)) or not isinstance(status, int):
            return ConnectionBroken(first_line(error))
        if isinstance(error, kinds.ContextWindowExceededError):
            return read_fault(400, f"maximum context length: {error}")
        if NO_KEY.search(
            str(error)
        ):  # some providers' clients miss it before they ask, as an error of no status that fits
            status = 401
        return read_fault(status, json.dumps({"error": {"message": str(error)}}))

    def _cost_of(self, response: Any) -> float | None:
        """US dollars by the package's price table; None for a model that is not in it."""
        told = (getattr(response, "_hidden_params", None) or {}).get("response_cost")
        if told is None:
            try:
                told = self._litellm.completion_cost(completion_response=response, model=self._model)
            except Exception:  # noqa: BLE001 - it raises its base class for a model without a price
                return None
        return float(told) if isinstance(told, (int, float)) and told >= 0 else None


def to_answer(response: Any) -> ServerAnswer:
    """The parts of a response of LiteLLM's, with its reasoning in front. Raises RequestFailed."""
    try:
        choice = response.choices[0]
        message = choice.message
        content, reasoning = message.content or "", getattr(message, "reasoning_content", None) or ""
    except (AttributeError, IndexError, TypeError) as error:
        raise ConnectionBroken("the provider's answer has no choices") from error
    usage = getattr(response, "usage", None)
    said = str(choice.finish_reason or "")
    return ServerAnswer(
        join_reasoning(str(reasoning), str(content)),
        read_ending(said),
        said,
        _count(getattr(usage, "prompt_tokens", None)),
        _count(getattr(usage, "completion_tokens", None)),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
