"""Recognizes files of other toolkits, so that they are called by their name and never taken for damaged files of ours.

Reading them is the work of `python -m tools import` (tools/importing); here stands only what they look like, because every
reader of files has to say it.

>>> recognize({"doc_id": 0, "doc": {}, "target": "347", "resps": [["347"]]}).words
'samples of lm-evaluation-harness'
>>> recognize({"task_id": "60", "output": "So 204."}) is None
True
"""

from __future__ import annotations

import enum
import pathlib
from collections.abc import Mapping
from typing import Any

from tools.store.reading import open_file, parse_json, read_raw_lines, read_small

LOOK_BYTES = 16 << 20  # of a first line, or of a whole file that is one JSON value
MOST_WHOLE_BYTES = 1 << 30  # of a file that is one JSON value, when it is imported
OUR_NAMES = ("manifest.json", "verdicts.jsonl", "status.json", "accuracy_results")


class ForeignFormat(str, enum.Enum):
    """The formats that can be imported. `words` is what a sentence calls it."""

    NEMO_SKILLS = "nemo-skills"
    LM_EVAL = "lm-eval"
    OPENAI_BATCH = "openai-batch"
    MATHARENA = "matharena"
    EVALCHEMY = "evalchemy"
    PLAIN = "plain"

    def __str__(self) -> str:
        return self.value

    @property
    def words(self) -> str:
        return TITLES[self]


TITLES = {
    ForeignFormat.NEMO_SKILLS: "output of NeMo-Skills",
    ForeignFormat.LM_EVAL: "samples of lm-evaluation-harness",
    ForeignFormat.OPENAI_BATCH: "output of OpenAI's batch API",
    ForeignFormat.MATHARENA: "output of MathArena",
    ForeignFormat.EVALCHEMY: "results of Evalchemy",
    ForeignFormat.PLAIN: "responses in another layout",
}
# The fields of plain files that hold a response, or a list of responses to one problem; ours come first.
TEXT_FIELDS = (
    "output", "generation", "completion", "response", "solution", "generated_text", "prediction", "model_output", "model_outputs",
    "outputs", "generations", "completions", "responses", "output_list", "samples", "code_list",
)  # fmt: skip
ID_FIELDS = ("task_id", "question_id", "unique_id", "problem_id", "id", "problem_idx", "idx", "index")
QUESTION_FIELDS = ("problem", "question", "prompt", "question_content", "Problem", "Question")


def recognize(row: Any) -> ForeignFormat | None:
    """The format of one row, or of a file that is one JSON value; None for a row of ours and for what is no response."""
    if isinstance(row, list):
        return recognize(row[0]) if row and isinstance(row[0], dict) else None
    if not isinstance(row, dict):
        return None
    return next((found for found, is_like in MARKS if is_like(row)), None)


def _is_lm_eval(row: Mapping[str, object]) -> bool:
    return "resps" in row and ("doc_id" in row or "doc" in row or "target" in row)


def _is_openai_batch(row: Mapping[str, object]) -> bool:
    return "custom_id" in row and ("response" in row or "error" in row)


def _is_evalchemy(row: Mapping[str, object]) -> bool:
    results = row.get("results")
    return isinstance(results, dict) and any(isinstance(one, dict) and "examples" in one for one in results.values())


def _is_matharena(row: Mapping[str, object]) -> bool:
    has_messages = any(isinstance(row.get(name), (list, str)) for name in ("messages", "all_messages"))
    return has_messages and any(name in row for name in ("problem_idx", "idx", "problem"))


def _is_nemo_skills(row: Mapping[str, object]) -> bool:
    return (
        "generation" in row and "task_id" not in row and ("problem" in row or "expected_answer" in row or "id" in row)
    )


def _is_plain(row: Mapping[str, object]) -> bool:
    has_text = any(_holds_text(row.get(name)) for name in TEXT_FIELDS)
    is_named = any(row.get(name) is not None for name in (*ID_FIELDS, *QUESTION_FIELDS))
    is_ours = "task_id" in row and any(isinstance(row.get(name), str) for name in ("output", "generation"))
    return has_text and is_named and not is_ours


def _holds_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and bool(value) and isinstance(value[0], str))


MARKS = (
    (ForeignFormat.LM_EVAL, _is_lm_eval),
    (ForeignFormat.OPENAI_BATCH, _is_openai_batch),
    (ForeignFormat.EVALCHEMY, _is_evalchemy),
    (ForeignFormat.MATHARENA, _is_matharena),
    (ForeignFormat.NEMO_SKILLS, _is_nemo_skills),
    (ForeignFormat.PLAIN, _is_plain),
)


def recognize_file(path: pathlib.Path) -> ForeignFormat | None:
    """By a file's first row, or by all of it where it is one JSON value. None for what cannot be read or is not known."""
    try:
        with open_file(path) as file:
            line = next((line for line in read_raw_lines(file, LOOK_BYTES) if line.text.strip()), None)
        if line is None or line.is_too_long:
            return _recognize_whole(path)
        return recognize(parse_json(line.text))
    except OSError:
        return None
    except ValueError:
        return _recognize_whole(path)


def _recognize_whole(path: pathlib.Path) -> ForeignFormat | None:
    if path.suffix != ".json":
        return None
    try:
        return recognize(parse_json(read_small(path, MOST_WHOLE_BYTES)))
    except (OSError, ValueError):
        return None


def find_foreign(folder: pathlib.Path) -> list[tuple[pathlib.Path, ForeignFormat]]:
    """The files of other toolkits that stand directly in a folder, by name."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".jsonl", ".json"))
    except OSError:
        return []
    known = ((path, recognize_file(path)) for path in paths if not path.name.startswith(OUR_NAMES))
    return [(path, found) for path, found in known if found]


def import_command(path: pathlib.Path | str) -> str:
    """What to type, for the end of an error message."""
    return f"convert it with `python -m tools import {path} --to OUT --benchmark SET` and grade that"
