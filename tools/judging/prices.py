"""What a judgment costs: prices are data (data/judges/prices.json), each with its source and date; an unknown one is None.

>>> price = Price(2.0, 8.0, "a page", "2026-01-01")
>>> price.of(1000, 500)
0.006
"""

from __future__ import annotations

import dataclasses
import functools

from tools.errors import DataError, UsageError
from tools.judging.templates import FOLDER
from tools.store.reading import parse_json, read_small

FILE = FOLDER / "prices.json"
CHARS_PER_TOKEN = 4  # for estimates, and where a server does not count


@dataclasses.dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float
    source: str
    date: str

    def of(self, prompt_tokens: int, output_tokens: int) -> float:
        return (prompt_tokens * self.input + output_tokens * self.output) / 1e6


def find_price(model: str, given: str = "") -> Price | None:
    """The price that was given as "input,output", else the one of the file; a server's prefix (openai/...) does not count."""
    if given:
        try:
            first, second = map(float, given.split(","))
        except ValueError:
            first = second = -1.0
        if min(first, second) < 0:
            raise UsageError(
                f"JUDGE_PRICE={given!r}: give US dollars for a million tokens as INPUT,OUTPUT, for example 0.15,0.60"
            )
        return Price(first, second, "given by JUDGE_PRICE", "")
    return _read().get(model.rsplit("/", 1)[-1])


@functools.cache
def _read() -> dict[str, Price]:
    try:
        row = parse_json(read_small(FILE, 1 << 20))
        return {name: Price(**{**row["source"], **price}) for name, price in row["models"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{FILE}: no table of prices ({error}); restore the file") from error


def estimate_tokens(chars: int) -> int:
    """Of a text, roughly."""
    return -(-chars // CHARS_PER_TOKEN)
