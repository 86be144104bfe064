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
from typing import TYPE_CHECKING, Any

from tools.commandline import option
from tools.engines import EngineSetup, Needs
from tools.engines.asking import AskingEngine, AskingOptions

if TYPE_CHECKING:
    from tools.engines.request_gate import RequestGate
    from tools.engines.server_client import ServerClient
    from tools.records import JsonRow


@dataclasses.dataclass(frozen=True)
class LiteLLMOptions(AskingOptions):
    """Where the provider is, if not where LiteLLM knows it."""

    api_base: str | None = option(None, "the provider's address", name="LITELLM_API_BASE", shown="LiteLLM's")


class LiteLLMEngine(AskingEngine):
    """LiteLLM stands between the threads and the provider."""

    needs = Needs(
        packages=("litellm",), loads_model=False, tokenizer=False, devices=False, has_own_template=True,
        install="run `pip install -r requirements-hosted.txt`",
    )  # fmt: skip
    Options = LiteLLMOptions
    most_at_once = 16  # plans of hosted models are small; 429 halves it

    def connect(self, setup: EngineSetup, options: Any, gate: RequestGate, extra: JsonRow) -> ServerClient:
        from tools.engines.litellm_client import LiteLLMClient
        from tools.engines.server_client import Patience

        patience = Patience.of(options)
        return LiteLLMClient(
            load_litellm(), gate, setup.model, setup.sampling, extra, patience, api_base=options.api_base
        )


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
