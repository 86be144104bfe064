"""The records that pass between rooms: what is asked, what was said, what is right. Frozen, and keyed by what they are.

    Problem -> Sample (which problem, which seed) -> Generation -> Response (reasoning | answer) -> Grade

A verdict is one of a closed set. Only CORRECT scores in full. GRADER_ERROR and INFRA_ERROR say that we do not know; a
figure that contains one is not claimed until someone has looked.

`<out>/<benchmark>/verdicts.jsonl` holds one Grade a line:

>>> Grade("60", 100, Verdict.CORRECT, answer="204", rule="integer").to_json()
'{"task_id": "60", "seed": 100, "verdict": "correct", "score": 1.0, "answer": "204", "rule": "integer"}'
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from typing import Any

from tools.commandline import option

# One object as it stands in a file, goes through a pipe to a process of ours, or comes from a server. Between rooms data
# are records; only code at such an edge takes or gives one of these.
JsonObject = dict[str, Any]
JsonRow = Mapping[str, Any]


class Verdict(str, enum.Enum):
    """Closed set of outcomes of one sample."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"  # finished, but nothing that could be an answer (or no code)
    TRUNCATED = "truncated"  # cut off before an answer: a fact about the budget, not a guess
    TIMEOUT = "timeout"  # code only: the program ran out of its time
    MEMORY = "memory"  # code only: the program ran out of its memory
    RUNTIME_ERROR = "runtime_error"  # code only
    COMPILE_ERROR = "compile_error"  # code only
    GRADER_ERROR = "grader_error"  # our fault: a budget of the grader ran out
    INFRA_ERROR = "infra_error"  # our fault: the machine or the sandbox failed

    def __str__(self) -> str:
        return self.value

    @property
    def is_known(self) -> bool:
        """False when the sample still has to be looked at before a figure is claimed."""
        return self not in (Verdict.GRADER_ERROR, Verdict.INFRA_ERROR)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a row stands in its file, in bytes. `checksum` (CRC-32) is of the whole row."""

    path: str
    offset: int
    length: int
    checksum: int


@dataclasses.dataclass(frozen=True)
class Problem:
    """One problem of a benchmark. `fields` is its row without the heavy fields (tests), which are read when graded,
    from `place`. `choices` are the options of multiple choice, as they are shown; `answer` is then the right letter."""

    task_id: str
    statement: str
    answer: str | None
    fields: Mapping[str, Any]
    place: Place | None = None
    choices: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Sample:
    """One thing to ask: its fields are its key, everywhere. `dataset` is the benchmark's name."""

    dataset: str
    task_id: str
    seed: int


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. None means: not given to the engine at all. `max_new_tokens` counts output tokens.

    The defaults are the original toolkit's; a model's preset may have others, and each is an option of a run.
    """

    temperature: float = option(0.6, "0 is greedy")
    top_p: float = option(0.95, "nucleus sampling")
    max_new_tokens: int = option(32768, "output tokens at most", name="OUT_SEQ_LEN")
    top_k: int | None = option(None, "only the K most likely tokens", shown="all")
    min_p: float | None = option(None, "only tokens this likely, as a share of the most likely one's probability")
    repetition_penalty: float | None = option(None, "over 1 makes tokens that were there less likely")
    presence_penalty: float | None = option(None, "over 0 makes tokens that were in the output less likely")
    stop: tuple[str, ...] = option((), "text that ends an answer, or a JSON list of texts", shown="none")

    def given(self) -> dict[str, Any]:
        """What was chosen, under the names that manifests and engines use; what was not is left out."""
        return {name: value for name, value in self.__dict__.items() if value is not None and value != ()}


@dataclasses.dataclass(frozen=True)
class Generation:
    """One response as the engine gave it. Token counts and finish reason ("stop", "length") are None in files of others;
    `cost` is in US dollars, where a price is known. Of a problem with several turns `turns` has the response to each, and
    `output` is the last; counts are of all.
    """

    task_id: str
    seed: int
    output: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    loglikelihoods: tuple[tuple[float, bool], ...] | None = None  # of scored choices: and whether it is the greedy one
    turns: tuple[str, ...] = ()

    @property
    def is_cut_off(self) -> bool:
        return self.finish_reason == "length"

    def to_json(self) -> str:
        row = {"task_id": self.task_id, "output": self.output, "seed": self.seed, "finish_reason": self.finish_reason}
        row |= {"prompt_tokens": self.prompt_tokens, "output_tokens": self.output_tokens, "cost": self.cost}
        row |= {"loglikelihoods": self.loglikelihoods}
        row |= {"turns": self.turns} if self.turns else {}
        return json.dumps({name: value for name, value in row.items() if value is not None}, ensure_ascii=False)


@dataclasses.dataclass(frozen=True)
class Response:
    """A generation, split once. `is_closed` is None when nothing says that it holds reasoning: then all is answer.

    `turns` are the answers to each turn where there are several, without their reasoning.
    """

    generation: Generation
    reasoning: str
    answer: str
    is_closed: bool | None
    turns: tuple[str, ...] = ()

    @property
    def is_cut_off(self) -> bool:
        return self.generation.is_cut_off


@dataclasses.dataclass(frozen=True)
class MetricKind:
    """What a further value of samples (a share of instructions, a judge's points) means.

    It lies between 0 and `scale`; without a bound `scale` is None. `weight` names the count in a sample's `details` that
    the value is a share of: the metric is then one ratio over all samples (instructions followed of those asked), not a
    mean over problems.
    """

    higher_is_better: bool = True
    scale: float | None = 1.0
    weight: str | None = None


@dataclasses.dataclass(frozen=True)
class Grade:
    """One sample with its verdict; (task_id, seed) is its key within a benchmark.

    `score` is in 0..1: 1 iff correct, unless the grader gives shares of points. `rule` names what decided (integer,
    numeric, symbolic, stdin test 3, ...); `metrics` are further values of this sample by name; `cost` is in US dollars;
    `details` holds what a reader of the report wants besides, by kind of grading; `fingerprint` says of what the
    verdict is: the same grader, rules, problem and response have the same one.
    """

    task_id: str
    seed: int
    verdict: Verdict
    answer: str | None = None
    rule: str = ""
    reason: str = ""
    output_tokens: int | None = None
    reasoning_chars: int | None = None
    is_cut_off: bool = False  # the engine stopped at the token limit
    closes_reasoning: bool | None = None  # None: the prompt opened none
    is_correct_in_reasoning: bool | None = None  # the reference stands boxed in the reasoning only
    differs_from_original: bool | None = None  # the original toolkit's rules decide otherwise
    share: float | None = None  # of the points, from graders that give shares
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    cost: float | None = None
    details: dict[str, Any] = dataclasses.field(default_factory=dict)
    fingerprint: str = ""

    @property
    def key(self) -> tuple[str, int]:
        return self.task_id, self.seed

    @property
    def is_correct(self) -> bool:
        return self.verdict is Verdict.CORRECT

    @property
    def score(self) -> float:
        return self.share if self.share is not None else float(self.is_correct)

    def stamped(self, fingerprint: str) -> Grade:
        """The same with a fingerprint. Every verdict passes here, and `dataclasses.replace` takes ten times as long."""
        copy = object.__new__(Grade)
        copy.__dict__.update(self.__dict__, fingerprint=fingerprint)
        return copy

    def to_json(self) -> str:
        """One line of verdicts.jsonl, without fields that say nothing."""
        row = {"task_id": self.task_id, "seed": self.seed, "verdict": self.verdict.value, "score": self.score}
        row |= {name: value for name, value in self.__dict__.items() if value and name in _SPARE}
        for name in ("closes_reasoning", "is_correct_in_reasoning", "cost"):
            if self.__dict__[name] is not None:  # False and 0 say something here
                row[name] = self.__dict__[name]
        return json.dumps(row, ensure_ascii=False)

    @classmethod
    def from_row(cls, row: JsonObject) -> Grade:
        """Reads one parsed line; unknown fields of later versions are passed over, version 0.1 wrote no score."""
        known = {name: value for name, value in row.items() if name in GRADE_FIELDS}
        known["verdict"] = verdict = Verdict(known["verdict"])
        if row.get("score") is not None and row["score"] != (verdict is Verdict.CORRECT):
            known["share"] = row["score"]
        return cls(**known)


GRADE_FIELDS = {field.name for field in dataclasses.fields(Grade)}
_SPARE = GRADE_FIELDS - {"task_id", "seed", "verdict", "share"}  # left out of a line where they say nothing
