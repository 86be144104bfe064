"""From a sample's seed to the seed of its request: SEED_RULE.

vLLM's GPU runner draws its noise from (seed, position, token) alone, so problems that share a seed share their noise,
while error bars take samples to be independent. Rule `derived`, the default of new runs: the request's seed is the first
four bytes of SHA-256 over "<seed>:<task_id>" in UTF-8, as a big-endian number, without its highest bit. It has 31 bits, so
every server's integer holds it. Rule `plain` sends the seed itself, as the original toolkit does; a run whose manifest
names no rule was made so. Files and results keep the sample's own seed under either rule.

>>> request_seed("derived", 100, "60"), request_seed("derived", 100, "61"), request_seed("plain", 100, "60")
(1185280572, 2032059234, 100)
"""

from __future__ import annotations

import enum

from tools.store.checksums import sha256


class SeedRule(str, enum.Enum):
    """How the seed of a request comes from its sample."""

    DERIVED = "derived"
    PLAIN = "plain"


def request_seed(rule: str, seed: int, task_id: str) -> int:
    """The seed that the engine gets for a sample."""
    if SeedRule(rule) is SeedRule.PLAIN:
        return seed
    digest = sha256(f"{seed}:{task_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
