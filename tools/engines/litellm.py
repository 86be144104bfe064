"""Hosted models through LiteLLM: one spelling for the APIs of many providers, and what each answer costs.

    pip install -r requirements-hosted.txt
    ENGINE=litellm ANTHROPIC_API_KEY=... bash run_aime.sh anthropic/MODEL out

For providers that offer no OpenAI-compatible server; where one does, ENGINE=openai needs no package. The model's name is LiteLLM's:
provider/model. Retries, refused parameters, 429 and filters are handled as with servers (docs/servers.md). The price
table is the package's own, so that a pinned package gives the same cost every day.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from tools.commandline import option
from tools.engines import EngineOptions, EngineSetup, Needs
from tools.engines.openai import OpenAIEngine

DEFAULT_CAPACITY = 16  # plans of hosted models are small; 429 halves it


@dataclasses.dataclass(frozen=True)
class LiteLLMOptions(EngineOptions):
    """Where the provider is, if not where LiteLLM knows it, what it is told besides, and how patient we are."""

    decisive = ("extra_body",)

    api_base: str | None = option(None, "the provider's address", name="LITELLM_API_BASE", shown="LiteLLM's")
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


class LiteLLMEngine(OpenAIEngine):
    """The pool of threads of ENGINE=openai; LiteLLM stands between them and the provider."""

    needs = Needs(
        packages=("litellm",), loads_model=False, tokenizer=False, devices=False, has_own_template=True,
        install="run `pip install -r requirements-hosted.txt`",
    )  # fmt: skip
    Options = LiteLLMOptions

    def __init__(self, setup: EngineSetup, options: Any) -> None:
        from tools.engines.litellm_client import LiteLLMClient
        from tools.engines.request_gate import RequestGate
        from tools.engines.server_request import parse_extra_body

        litellm = load_litellm()
        extra: dict[str, Any] = {} if options.stream else {"stream": None, "stream_options": None}
        gate = RequestGate(options.max_num_seqs or DEFAULT_CAPACITY)
        client = LiteLLMClient(
            litellm,
            gate,
            setup.model,
            setup.sampling,
            extra | parse_extra_body(options.extra_body),
            api_base=options.api_base,
            timeout_s=options.request_timeout_s,
            max_retries=options.max_retries,
            counts_filtered=options.filtered == "count",
        )
        self._start_threads(client, gate, options.max_num_seqs or DEFAULT_CAPACITY)


def load_litellm() -> Any:
    """The package, quiet and without a look at the network for its price table."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    import logging

    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False  # what a provider refuses is dropped here, and recorded
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm
