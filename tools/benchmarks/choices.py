r"""The options and the right letter of a multiple-choice row, as its publishers write them.

Options are a list of texts ("(A) 4" loses its label), of objects or lists with labels (ARC), one column for each letter (A, B,
C, ...), GPQA's four columns, or the lines "A. ..." in the statement itself (HLE). The right one is a letter, a label, an index
from 0, or the option's own text. What can be read in two ways is refused.

>>> read_choices({"question": "2 + 2?", "choices": ["3", "4", "22"], "answer": 1})
Choices(options=('3', '4', '22'), gold='B')
>>> read_choices({"options": {"label": ["1", "2"], "text": ["no", "yes"]}, "answerKey": "2"}).gold
'B'
>>> read_choices({"options": ["1", "2"], "answer": "1"})
Traceback (most recent call last):
ValueError: `answer` is '1', which may mean option A or B; give the letter
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tools.benchmarks.answers import field_of
from tools.records import JsonRow
from tools.store.checksums import sha256

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OPTION_FIELDS = ("options", "choices", "endings")
LABEL_NAMES = ("label", "labels", "key", "letter", "id")
TEXT_NAMES = ("text", "texts", "value", "content", "option", "choice")
GPQA_COLUMNS = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
# The first that a row has says which option is right; the others decide where that one can be read in two ways.
GOLD_FIELDS = (
    "answer_letter", "answerKey", "answer", "label", "gold", "target", "correct_answer", "correct", "expected_answer",
    "answer_index", "answer_idx", "answer_id", "correct_index", "correct_option",
)  # fmt: skip
OWN_LABEL = re.compile(r"\s*(?:\(([A-Z])\)|([A-Z])[).:])\s*")
LISTED = re.compile(r"^[ \t]*(?:\(([A-Z])\)|([A-Z])[).:])[ \t]*(\S.*)$", re.MULTILINE)
LETTER = re.compile(r"\(?\s*([A-Za-z])\s*\)?\s*[.:]?")


@dataclasses.dataclass(frozen=True)
class ChoiceFields:
    """Where the rows of a multiple-choice set have options and right answer, where that has to be said: `options` is the field that holds them all, or one field for each; `gold` may be one of these. `is_index`: the right answer is an index from 0 and nothing else, for sets with digits as options. `is_shuffled`
    shows them in an order that a hash decides, for sets that have the right one always at the same place."""

    options: tuple[str, ...] = ()
    gold: str = ""
    is_index: bool = False
    is_shuffled: bool = False


NO_FIELDS = ChoiceFields()


@dataclasses.dataclass(frozen=True)
class Choices:
    """The options in the order in which they are shown, and the letter of the right one."""

    options: tuple[str, ...]
    gold: str


@dataclasses.dataclass(frozen=True)
class _Found:
    """Options with what their publisher calls them; `gold` where the columns themselves say it (GPQA)."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    gold: int | None = None
    are_numbers: bool = False


def has_choices(row: JsonRow) -> bool:
    """Whether a row that nothing is said of is multiple choice: it has options, and says which one is right."""
    try:
        found = _find_options(row, NO_FIELDS)
    except ValueError:
        return False
    is_told = found is not None and (
        found.gold is not None or any(field_of(row, name) is not None for name in GOLD_FIELDS)
    )
    return is_told and found is not None and len(found.texts) > 1


def read_choices(
    row: JsonRow, fields: ChoiceFields = NO_FIELDS, statement: str | None = None, key: str = ""
) -> Choices:
    """Options and right letter of a row. With `fields.is_shuffled` the order is that of a hash of `key` and each option.

    A row without options of its own may list them in its `statement`, or nowhere: then its letter alone is known.
    Raises ValueError that says what is missing or may be read in two ways.
    """
    found = _find_options(row, fields)
    if found is None and fields.options:  # a file of one's own for a set whose authors have columns
        return read_choices(row, NO_FIELDS, statement, key)
    if found is None:
        return _read_listed(row, fields, statement or "")
    gold = _read_gold(row, fields, found)
    if not fields.is_shuffled:
        return Choices(found.texts, LETTERS[gold[0]])
    order = sorted(range(len(found.texts)), key=lambda index: (_hash(key, found.texts[index]), index))
    return Choices(tuple(found.texts[index] for index in order), LETTERS[order.index(gold[0])])


def _read_listed(row: JsonRow, fields: ChoiceFields, statement: str) -> Choices:
    """The options that a statement lists; none where the right one is not among them, since a list may have other forms."""
    for options in (listed_options(statement), ()):
        try:
            return Choices(options, LETTERS[_read_gold(row, fields, _Found(options))[0]])
        except ValueError:
            if not options:
                raise
    raise AssertionError("the last turn returns or raises")


def listed_options(statement: str) -> tuple[str, ...]:
    """The options that stand in a statement, a line each, in the order of their letters; () where there are none.

    >>> listed_options("Which one?\\nOptions:\\n(A) red\\n(B) green\\n(C) blue")
    ('red', 'green', 'blue')
    """
    runs: list[list[str]] = [[]]
    for match in LISTED.finditer(statement):
        letter = match[1] or match[2]
        if letter == "A":
            runs.append([])
        if letter == LETTERS[len(runs[-1]) % 26]:
            runs[-1].append(match[3].strip())
    return tuple(runs[-1]) if len(runs[-1]) > 1 else ()


def format_choices(options: Sequence[str]) -> str:
    """The options as a model sees them.

    >>> print(format_choices(["red", "blue"]))
    A. red
    B. blue
    """
    return "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))


def _hash(key: str, option: str) -> bytes:
    return sha256(f"{key}\0{option}".encode()).digest()


def _find_options(row: JsonRow, fields: ChoiceFields) -> _Found | None:
    if len(fields.options) > 1:
        columns = [name for name in fields.options if row.get(name) is not None]
        gold = columns.index(fields.gold) if fields.gold in columns else None
        return _Found(_texts([row[name] for name in columns], "options"), gold=gold) if columns else None
    for name in fields.options or OPTION_FIELDS:
        value = field_of(row, name)
        if value not in (None, "", [], {}):
            return _from_value(value, name)
    if fields.options:
        return None
    if all(isinstance(row.get(name), str) for name in GPQA_COLUMNS):
        return _Found(_texts([row[name] for name in GPQA_COLUMNS], "options"), gold=0)
    columns = [letter for letter in LETTERS if row.get(letter) not in (None, "")]
    if len(columns) > 1 and "".join(columns) == LETTERS[: len(columns)]:
        return _Found(_texts([row[letter] for letter in columns], "options"))
    return None


def _from_value(value: Any, name: str) -> _Found:
    if isinstance(value, Mapping):
        labels, texts = _first(value, LABEL_NAMES), _first(value, TEXT_NAMES)
        if isinstance(labels, list) and isinstance(texts, list):
            return _labelled(labels, texts, name)
        return _labelled(list(value.keys()), list(value.values()), name)
    if not isinstance(value, list):
        raise ValueError(f"`{name}` is no list of options")
    if all(isinstance(one, Mapping) for one in value):
        return _labelled([_first(one, LABEL_NAMES) for one in value], [_first(one, TEXT_NAMES) for one in value], name)
    texts = _texts(value, name)
    labels = [OWN_LABEL.match(text) for text in texts]
    if all(match and (match[1] or match[2]) == letter for match, letter in zip(labels, LETTERS, strict=False)):
        stripped = tuple(text[match.end() :] for text, match in zip(texts, labels, strict=True) if match)
        return _Found(stripped, tuple(LETTERS[: len(texts)]))
    return _Found(texts, are_numbers=all(isinstance(one, (int, float)) for one in value))


def _labelled(labels: Sequence[Any], texts: Sequence[Any], name: str) -> _Found:
    if len(labels) != len(texts):
        raise ValueError(f"`{name}` has {len(labels)} labels for {len(texts)} options")
    named = tuple(str(label).strip() for label in labels)
    if len(set(named)) != len(named) or any(label is None for label in labels):
        raise ValueError(f"`{name}` has a label twice or none ({', '.join(named)})")
    return _Found(_texts(texts, name), named)


def _first(row: JsonRow, names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _texts(values: Sequence[Any], name: str) -> tuple[str, ...]:
    if any(isinstance(one, bool) or not isinstance(one, (str, int, float)) for one in values):
        raise ValueError(f"`{name}` holds something that is no text; give each option as a text")
    texts = tuple(str(one).strip() for one in values)
    if not 0 < len(texts) <= len(LETTERS):
        raise ValueError(f"`{name}` has {len(texts)} options where 1 to {len(LETTERS)} are needed")
    return texts


def _read_gold(row: JsonRow, fields: ChoiceFields, found: _Found) -> list[int]:
    """The index of the right option, alone in a list; empty where a row says nothing. Raises ValueError."""
    if found.gold is not None:
        return [found.gold]
    names = [fields.gold] if fields.gold else [name for name in GOLD_FIELDS if field_of(row, name) is not None]
    names = [name for name in names if field_of(row, name) is not None]
    if not names:
        raise ValueError(
            f"no right answer; a row needs one of the fields {', '.join([fields.gold] if fields.gold else GOLD_FIELDS[:4])}"
        )
    first = field_of(row, names[0])
    meant = (_named_indices if fields.is_index else _meant_by)(first, found)
    if not meant:
        raise ValueError(f"`{names[0]}` is {first!r}, which is {_none_of(len(found.texts))}; give the letter")
    for name in names[1:]:
        if name.removeprefix("answer_") in ("letter", "index", "idx", "id") or len(meant) > 1:
            other = _meant_by(field_of(row, name), found)
            if other and not meant & other:
                raise ValueError(f"`{names[0]}` and `{name}` name different options; mend one of them")
            meant = meant & other if other else meant
    if len(meant) > 1:
        letters = " or ".join(LETTERS[index] for index in sorted(meant))
        raise ValueError(f"`{names[0]}` is {first!r}, which may mean option {letters}; give the letter")
    return list(meant)


def _none_of(count: int) -> str:
    return f"none of the {count} options" if count else "no letter of an option"


def _named_indices(value: Any, found: _Found) -> set[int]:
    """The option that a value names as an index from 0."""
    text = str(_alone(value)).strip()
    return {int(text)} & set(range(len(found.texts))) if text.isascii() and text.isdigit() and len(text) < 3 else set()


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _meant_by(value: Any, found: _Found) -> set[int]:
    """Every option that a value may name."""
    count, value = len(found.texts), _alone(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return set()
    text = str(value).strip()
    if text in found.labels:
        return {found.labels.index(text)}
    if isinstance(value, (int, float)):
        same = {index for index, option in enumerate(found.texts) if option == text} if found.are_numbers else set()
        return same | ({int(value)} if value == int(value) and 0 <= value < count else set())
    meant = {index for index, option in enumerate(found.texts) if option == text}
    letter = LETTER.fullmatch(text)
    if letter:
        index = LETTERS.index(letter[1].upper())
        meant |= {index} if index < (count or len(LETTERS)) else set()
    return meant | _named_indices(text, found)
