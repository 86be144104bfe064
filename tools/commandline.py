"""The parser that all Python front doors share: one line for a wrong command, help as it was written.

>>> CommandLine("Counts.").parse_args(["--wrong"])
Traceback (most recent call last):
tools.errors.UsageError: unrecognized arguments: --wrong; see --help
"""

from __future__ import annotations

import argparse
from typing import NoReturn

from tools.errors import UsageError


class CommandLine(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError, takes no abbreviations and keeps its description's lines."""

    def __init__(self, description: str | None, usage: str | None = None) -> None:
        super().__init__(
            description=description,
            usage=usage,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see --help")


def parse_seeds(text: str) -> tuple[int, ...]:
    """The value of --seeds: whole numbers between spaces or commas. Raises UsageError."""
    words = text.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"--seeds {text!r} is not a list of whole numbers; give for example --seeds '100 200'")
    return tuple(int(word) for word in words)
