"""Whether a response starts with a verb: the one question of IFBench that takes a tagger.

The authors ask NLTK's averaged perceptron. Its weights are no package, so they are used where NLTK's data lie on this
machine (`python -m nltk.downloader averaged_perceptron_tagger_eng` puts them there; NLTK_DATA names another folder).
The tag of a first token depends on it and the two after it only, which is all that is computed here. On a machine
without them a list of verbs decides: the results say so (`verbs`), and a verdict made by the list is made again when
the weights have come.

>>> is_listed("Imagine"), is_listed("Writing"), is_listed("The"), is_listed("**")
(True, True, False, False)
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tools.grading.instructions.text import tokens
from tools.grading.instructions.verb_list import VERB_FORMS

TAGGER = "averaged_perceptron_tagger_eng"
LIST = "word list"
_START = ("-START-", "-START2-")
_END = ("-END-", "-END2-")


def starts_with_verb(text: str) -> bool:
    found = tokens(text)
    if not found:
        return False
    folder = find_tagger()
    if folder is None:
        return is_listed(found[0])
    return "VB" in _first_tag(found, *_read_tagger(folder))


def is_listed(token: str) -> bool:
    return token.lower() in VERB_FORMS


def source() -> str:
    """What decides on this machine, for the record of the results."""
    return TAGGER if find_tagger() else LIST


def find_tagger() -> pathlib.Path | None:
    """The folder with the tagger's weights, where NLTK itself looks for it."""
    given = [folder for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    usual = [os.path.join(sys.prefix, *below, "nltk_data") for below in ((), ("share",), ("lib",))]
    shared = [f"/usr{local}/{below}/nltk_data" for local in ("", "/local") for below in ("share", "lib")]
    folders = [*given, os.path.expanduser("~/nltk_data"), *usual, *shared]
    places = (pathlib.Path(folder, "taggers", TAGGER) for folder in folders)
    return next((place for place in places if (place / f"{TAGGER}.weights.json").is_file()), None)


Weights = Mapping[str, Mapping[str, float]]


@functools.cache
def _read_tagger(folder: pathlib.Path) -> tuple[Weights, Mapping[str, str], Sequence[str]]:
    """Weights by feature and tag, words that have one tag always, and all tags. 0.1 s, once."""

    def read(part: str) -> Any:
        return json.loads((folder / f"{TAGGER}.{part}.json").read_text(encoding="utf-8"))

    return read("weights"), read("tagdict"), read("classes")


def _first_tag(found: Sequence[str], weights: Weights, known: Mapping[str, str], tags: Sequence[str]) -> str:
    """The tag of the first token, as the perceptron gives it: the features' weights, added up."""
    word = found[0]
    if word in known:
        return known[word]
    this, after, second = [*(_normalize(token) for token in found[:3]), *_END][:3]
    features = (
        "bias",
        f"i suffix {word[-3:]}",
        f"i pref1 {word[0]}",
        f"i-1 tag {_START[0]}",
        f"i-2 tag {_START[1]}",
        f"i tag+i-2 tag {_START[0]} {_START[1]}",
        f"i word {this}",
        f"i-1 tag+i word {_START[0]} {this}",
        f"i-1 word {_START[1]}",
        f"i-1 suffix {_START[1][-3:]}",
        f"i-2 word {_START[0]}",
        f"i+1 word {after}",
        f"i+1 suffix {after[-3:]}",
        f"i+2 word {second}",
    )
    scores = dict.fromkeys(tags, 0.0)
    for feature in features:
        for tag, weight in weights.get(feature, {}).items():
            scores[tag] += weight
    return max(tags, key=lambda tag: (scores[tag], tag))


def _normalize(word: str) -> str:
    if "-" in word and word[0] != "-":
        return "!HYPHEN"
    if word.isdigit() and len(word) == 4:
        return "!YEAR"
    return "!DIGITS" if word[0].isdigit() else word.lower()
