"""The answers that a pairwise judge compares with: a model's outputs in AlpacaEval's, Arena-Hard's, FastChat's or our form.

    [{"instruction": ..., "output": ..., "generator": ...}, ...]                      AlpacaEval
    {"uid" or "question_id": ..., "choices": [{"turns": [...]}]}                      FastChat, Arena-Hard v0.1
    {"uid": ..., "model": ..., "messages": [..., {"role": "assistant", ...}]}         Arena-Hard v2
    seed<N>.jsonl                                                                     a folder of ours, its first seed

Answers meet problems by id, else by the text of the instruction; never by their place.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from tools.errors import DataError
from tools.judging.messages import turns_of
from tools.judging.stored import read_rows
from tools.models.reasoning import split_response
from tools.records import Generation, JsonRow, Problem
from tools.store import generations

ID_FIELDS = ("uid", "question_id", "task_id", "id", "session_id")


@dataclasses.dataclass(frozen=True)
class Baseline:
    """Answers by id and by instruction, each a text for every turn."""

    name: str
    by_id: Mapping[str, tuple[str, ...]]
    by_instruction: Mapping[str, tuple[str, ...]]

    def answers(self, problem: Problem) -> tuple[str, ...]:
        """Raises DataError where the baseline has none."""
        found = self.by_id.get(problem.task_id) or self.by_instruction.get(turns_of(problem)[0].strip())
        if found is None:
            raise DataError(
                f"the baseline {self.name} has no answer to problem {problem.task_id}; give the answers to all with --judge-baseline"
            )
        return found


def read_baseline(path: pathlib.Path) -> Baseline:
    """Raises DataError."""
    if path.is_dir():
        return _read_folder(path)
    name, by_id, by_instruction = path.stem, {}, {}
    for number, row in read_rows(path):
        try:
            turns = _turns(row)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise DataError(
                f"{path}, row {number + 1}: no answer of a known form ({error!r:.80}); docs/judges.md lists them"
            ) from error
        name = str(row.get("generator") or row.get("model") or row.get("model_id") or name)
        identity = next((str(row[field]) for field in ID_FIELDS if row.get(field) is not None), None)
        if identity is not None:
            by_id[identity] = turns
        instruction = row.get("instruction") or row.get("prompt")
        if isinstance(instruction, str):
            by_instruction[instruction.strip()] = turns
    if not by_id and not by_instruction:
        raise DataError(f"{path}: no answers stand in it; give a model's outputs")
    return Baseline(name, by_id, by_instruction)


def _read_folder(path: pathlib.Path) -> Baseline:
    files = generations.list_files(path)
    if not files:
        raise DataError(f"{path}: no seed<N>.jsonl there; give a folder of generations or a file of outputs")
    by_id: dict[str, tuple[str, ...]] = {}
    for generation in generations.read_folder(path):
        by_id.setdefault(generation.task_id, answer_turns(generation))
    return Baseline(path.resolve().parent.name, by_id, {})


def answer_turns(generation: Generation) -> tuple[str, ...]:
    """The answers of a generation without their reasoning."""
    response = split_response(generation)
    return response.turns or (response.answer,)


def _turns(row: JsonRow) -> tuple[str, ...]:
    if "output" in row:
        output: Any = row["output"]
        return tuple(map(str, output)) if isinstance(output, list) else (str(output),)
    if "choices" in row:
        return tuple(str(turn["content"] if isinstance(turn, dict) else turn) for turn in row["choices"][0]["turns"])
    said = [message["content"] for message in row["messages"] if message["role"] == "assistant"]
    return tuple(str(text["answer"] if isinstance(text, dict) else text) for text in said)
