"""The parser that all Python front doors share: one line for a wrong command, help as it was written.

Options of a plug (a grader, an engine) or of a run are fields of a dataclass, made by `option`; `add_options` shows
them in --help and `read_options` takes what was given on the command line, else in the environment. So an option and
its default are written once, in the class that uses it.

>>> @dataclasses.dataclass(frozen=True)
... class Tea:
...     steep_s: float = option(180.0, "seconds in the water")
>>> parser = CommandLine("Tea."); add_options(parser, Tea)
>>> read_options(Tea, parser.parse_args(["--steep-s", "240"]), {})
{'steep_s': 240.0}
>>> parser.parse_args(["--wrong"])
Traceback (most recent call last):
tools.errors.UsageError: unrecognized arguments: --wrong; see --help
"""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Container, Mapping, Sequence
from typing import Any, NoReturn

from tools.errors import UsageError

LONGEST_METAVAR = 30  # help stays within 80 columns


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


@dataclasses.dataclass(frozen=True)
class OptionText:
    """What --help and the environment know of a field: `shown` stands for its default, `name` for its own name."""

    text: str
    shown: str | None
    name: str | None
    flags: tuple[str, ...]
    choices: tuple[str, ...] | None


def option(
    default: Any,
    text: str,
    *,
    shown: str | None = None,
    name: str | None = None,
    flags: Sequence[str] = (),
    choices: Sequence[str] | None = None,
) -> Any:
    """A dataclass field that is an option. `name` (OUT_SEQ_LEN) is the environment's, the field's own in capitals by
    default; it gives the flag (--out-seq-len) beside other `flags`."""
    known = OptionText(text, shown, name, tuple(flags), tuple(choices) if choices else None)
    return dataclasses.field(default=default, metadata={"option": known})


def option_fields(options: type) -> dict[str, tuple[dataclasses.Field[Any], OptionText, type]]:
    """Environment name -> (field, text, type of the value) of every field that is an option."""
    hints = typing.get_type_hints(options)
    found = {}
    for field in dataclasses.fields(options):
        if known := field.metadata.get("option"):
            kinds = [kind for kind in typing.get_args(hints[field.name]) if kind is not type(None)]
            found[known.name or field.name.upper()] = (field, known, kinds[0] if kinds else hints[field.name])
    return found


def add_options(parser: Any, options: type, but: Container[str] = ()) -> None:
    """Adds every option of a dataclass to a parser or a group of one, `but` those named; a yes-or-no field becomes a flag.

    An option that the parser has already, of another plug for example, is added once.
    """
    for name, (field, known, kind) in option_fields(options).items():
        if name in but or any(action.dest == name for action in parser._actions):
            continue
        flags = ["--" + name.lower().replace("_", "-"), *known.flags]
        shown = known.shown or (
            "none" if field.default is None else f"{field.default:g}" if kind is float else str(field.default)
        )
        if kind is bool:
            parser.add_argument(*flags, dest=name, action="store_true", default=None, help=known.text)
            continue
        choices = "{" + ",".join(known.choices or ()) + "}"
        metavar = choices if 2 < len(choices) <= LONGEST_METAVAR else {int: "N", float: "X"}.get(kind, "S")
        text = f"{known.text} [{shown}]".replace("%", "%%")
        parser.add_argument(*flags, dest=name, type=str, default=None, metavar=metavar, help=text)


def read_options(options: type, given: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Field name -> value of what was given, the command line before the environment. Raises UsageError."""
    values: dict[str, Any] = {}
    for name, (field, known, kind) in option_fields(options).items():
        text = getattr(given, name, None)
        if text is None:
            text = environ.get(name, "").strip() or None
        if text is not None:
            values[field.name] = _parse(name, text, kind)
            if known.choices and values[field.name] not in known.choices:
                raise UsageError(f"{name}={text} is unknown; choose {', '.join(known.choices)}")
    return values


def _parse(name: str, text: Any, kind: type) -> Any:
    if kind is bool:
        return text if isinstance(text, bool) else text.lower() not in ("0", "no", "false")
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{name}={text!r} is not a number; unset it or give one") from None


def parse_seeds(text: str) -> tuple[int, ...]:
    """The value of --seeds: whole numbers between spaces or commas. Raises UsageError."""
    words = text.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"--seeds {text!r} is not a list of whole numbers; give for example --seeds '100 200'")
    return tuple(int(word) for word in words)
