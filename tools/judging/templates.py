"""A judge's template is data: one JSON file of data/judges says what is asked, how a reply is read, and on which scale.

The short words of our own stand in the file. A benchmark's judge prompt is its authors': the file then says where it is
(repository, commit, path, sha256) and tools/judging/prompt_source.py fetches it once.

>>> template = find_template("single")
>>> template.kind.value, template.rule, template.scale
('single', 'rating', (1.0, 10.0))
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import json
import os
import pathlib
from collections.abc import Mapping

from tools.errors import DataError, UsageError
from tools.judging.parsing import RULES
from tools.records import JsonObject
from tools.store.files import ROOT
from tools.store.reading import parse_json, read_small

FOLDER = ROOT / "data" / "judges"
NOT_TEMPLATES = ("prices",)
FILES_BESIDE = ("baseline_file", "gamed_file")  # they decide no question of a judge's
MOST_BYTES = 1 << 20


class JudgeKind(str, enum.Enum):
    """What a judgment is of."""

    SINGLE = "single"  # one answer, a score on a scale
    PAIRWISE = "pairwise"  # an answer and a baseline's, which is better
    RIGHT_WRONG = "right_wrong"  # an answer and the reference


@dataclasses.dataclass(frozen=True)
class PromptPart:
    """One prompt of a template: for which turn, and whether it is the one for problems with a reference. Without `user`
    its texts are those called `name` in the template's source."""

    turn: int = 1
    with_reference: bool = False
    name: str = ""
    system: str | None = None
    user: str | None = None


@dataclasses.dataclass(frozen=True)
class AuthorsFile:
    """A file of the authors': in a repository of GitHub, or in a data set of the hub. `form`, of prompts: jsonl (rows with name,
    system_prompt, prompt_template), python (constants by name), text, chatml. Without `sha256` the commit alone says what it is."""

    repository: str
    commit: str
    path: str
    form: str = "text"
    sha256: str | None = None
    licence: str = ""
    is_on_hub: bool = False


@dataclasses.dataclass(frozen=True)
class JudgeTemplate:
    """One file of data/judges. `placeholders` maps the authors' marks to our values (messages.py lists them); `baseline`
    says in words whose answers a pairwise judge compares with and where they are; `judge` is the authors' judge;
    `reference_categories`: problems of these categories have a reference, all that have one by default;
    `expected_output_tokens` is for estimates; `top_logprobs`: how many of the likeliest first tokens a server is asked for, so that
    a verdict can be weighed by them; `baseline_file` and `gamed_file`: AlpacaEval's baseline outputs and its df_gamed.csv."""

    name: str
    kind: JudgeKind
    rule: str
    parts: tuple[PromptPart, ...]
    scale: tuple[float, float] = (0.0, 1.0)
    placeholders: Mapping[str, str] = dataclasses.field(default_factory=dict)
    source: AuthorsFile | None = None
    reference_categories: tuple[str, ...] | None = None
    baseline: str = ""
    both_orders: bool = False
    judge: str = ""
    temperature: float = 0.0
    max_new_tokens: int = 2048
    expected_output_tokens: int = 300
    top_logprobs: int = 0
    figure: str = ""
    note: str = ""
    baseline_file: AuthorsFile | None = None
    gamed_file: AuthorsFile | None = None

    @property
    def is_single(self) -> bool:
        return self.kind is JudgeKind.SINGLE

    @property
    def is_pairwise(self) -> bool:
        return self.kind is JudgeKind.PAIRWISE

    @property
    def is_right_wrong(self) -> bool:
        return self.kind is JudgeKind.RIGHT_WRONG

    @property
    def turns(self) -> int:
        return max(part.turn for part in self.parts)

    def sha256(self) -> str:
        """Of all that decides a judgment beside judge and texts."""
        row = {name: value for name, value in dataclasses.asdict(self).items() if name not in FILES_BESIDE}
        if row["source"]:
            del row["source"]["is_on_hub"]
        return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()

    def part(self, turn: int, with_reference: bool) -> PromptPart:
        """The prompt of a turn; without one for references the other serves, and the other way round."""
        parts = [part for part in self.parts if part.turn == turn]
        return next((part for part in parts if part.with_reference == with_reference), parts[0])


def template_names() -> list[str]:
    return [path.stem for path in sorted(FOLDER.glob("*.json")) if path.stem not in NOT_TEMPLATES]


def find_template(name: str) -> JudgeTemplate:
    """By name, or a file of one's own by its path. Raises UsageError, DataError."""
    path = pathlib.Path(name)
    if path.suffix != ".json":
        if name not in template_names():
            raise UsageError(
                f"there is no judge template {name!r}; choose {', '.join(template_names())} or give a file"
            )
        path = FOLDER / f"{name}.json"
    return _read(os.fspath(path))


@functools.cache
def _read(path: str) -> JudgeTemplate:
    try:
        row = parse_json(read_small(pathlib.Path(path), MOST_BYTES))
        return _from_row(pathlib.Path(path).stem, row)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: no judge template ({error}); docs/judges.md has the fields") from error


def _from_row(name: str, row: JsonObject) -> JudgeTemplate:
    row = dict(row)
    source, baseline, gamed = (row.pop(each, None) for each in ("source", *FILES_BESIDE))
    categories = row.pop("reference_categories", None)
    low, high = row.pop("scale", (0.0, 1.0))
    template = JudgeTemplate(
        name=name,
        kind=JudgeKind(row.pop("kind")),
        parts=tuple(PromptPart(**part) for part in row.pop("parts")),
        scale=(float(low), float(high)),
        source=AuthorsFile(**source) if source else None,
        baseline_file=AuthorsFile(**baseline) if baseline else None,
        gamed_file=AuthorsFile(**gamed) if gamed else None,
        reference_categories=None if categories is None else tuple(categories),
        **row,
    )
    if template.rule not in RULES:
        raise ValueError(f"its rule {template.rule!r} is unknown; choose {', '.join(RULES)}")
    if not template.parts or not low < high:
        raise ValueError("it needs a prompt, and a scale that rises")
    if template.source is None and any(part.user is None for part in template.parts):
        raise ValueError("a part has neither a text nor a source")
    return template
