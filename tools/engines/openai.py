"""Any OpenAI-compatible server as an engine: `vllm serve`, SGLang, a hosted API. OPENAI_BASE_URL and OPENAI_API_KEY.

Types r1 and qwen go to /completions as token ids, so the server's template and begin-of-sentence do not interfere; type
chat goes to /chat/completions and gets the server's own template. Every request carries its seed. Answers are streamed,
because proxies end requests that are silent for long. docs/servers.md tells what is done about servers' habits; what
still fails is a Failure, never an empty answer.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any

from tools.commandline import option
from tools.engines import EngineSetup, Needs, first_line
from tools.engines.asking import AskingEngine, AskingOptions
from tools.errors import EngineUnavailable, RequestFailed, UsageError

if TYPE_CHECKING:
    from tools.engines.request_gate import RequestGate
    from tools.engines.server_client import ServerClient
    from tools.engines.server_connection import Server
    from tools.records import JsonRow

LIST_TIMEOUT_S = 30.0
LIST_BYTES = 4 << 20
NAMES_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class OpenAIOptions(AskingOptions):
    """Where the server is."""

    base_url: str | None = option(None, "the server, http://host:port/v1", name="OPENAI_BASE_URL")
    check_model: int = option(1, "0: do not look whether the server lists the model")

    def __post_init__(self) -> None:
        if not self.base_url:
            raise UsageError("ENGINE=openai needs OPENAI_BASE_URL=http://host:port/v1")
        super().__post_init__()


class OpenAIEngine(AskingEngine):
    """A server at an address."""

    needs = Needs(loads_model=False, devices=False, has_own_template=True)
    Options = OpenAIOptions
    most_at_once = 64

    def connect(self, setup: EngineSetup, options: Any, gate: RequestGate, extra: JsonRow) -> ServerClient:
        from tools.engines.server_client import Patience, ServerClient
        from tools.engines.server_connection import Address, Server

        key = (os.environ.get("OPENAI_API_KEY") or "none").strip()
        server = Server(Address.parse(options.base_url or ""), key)
        if options.check_model:
            check_model_name(server, setup.model)
        return ServerClient(server, gate, setup.model, setup.sampling, extra, Patience.of(options))


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
