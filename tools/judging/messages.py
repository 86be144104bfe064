"""From a problem and a response to what a judge is asked: one question for each turn, for each order of two answers.

Values that a template's placeholders may name: question, query, history, answer, reference, references, answer_a, answer_b, each
also with a turn (question_2, answer_a_1, ref_answer_1), and every field of the problem's row. The judge sees answers only, never
the reasoning before them.

>>> fill("Is {answer} right? {x}", {"{answer}": "answer"}, {"answer": "{x}", "x": "7"})
'Is {x} right? 7'
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tools.benchmarks import rows
from tools.benchmarks.questions import conversation_of
from tools.errors import DataError
from tools.judging.templates import JudgeKind, JudgeTemplate
from tools.records import Problem

OWN = re.compile(r"\{([a-z][a-z0-9_]*)\}")
ROLES = {"user": "USER", "assistant": "ASSISTANT"}
MOST_CHARS = 400_000  # of one value: no context is longer


@dataclasses.dataclass(frozen=True)
class JudgeQuestion:
    """One thing to ask of a judge. `order`: AB when the baseline is assistant A, BA when the model is, else empty."""

    turn: int
    order: str
    system: str | None
    user: str

    @property
    def messages(self) -> list[dict[str, str]]:
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": self.user}]

    @property
    def chars(self) -> int:
        return len(self.user) + len(self.system or "")


def questions_for(
    template: JudgeTemplate,
    problem: Problem,
    answers: Sequence[str],
    baseline: Sequence[str] = (),
    given_references: Sequence[str] = (),
) -> list[JudgeQuestion]:
    """All questions about one sample; `answers` and `baseline` are texts by turn, `given_references` stand before those of
    the problem's row. Raises DataError."""
    references = tuple(given_references) or references_of(problem)
    category = problem.fields.get("category")
    wanted = template.reference_categories
    has_reference = bool(references) and (wanted is None or category in wanted)
    if wanted is not None and category in wanted and not references:
        raise DataError(
            f"problem {problem.task_id} ({category}) has no reference, and {template.name} judges such by one; give "
            "--judge-references FILE"
        )
    found = []
    for turn in range(1, min(template.turns, len(answers)) + 1):
        part = template.part(turn, has_reference)
        if part.with_reference and not references:
            raise DataError(
                f"problem {problem.task_id} has no reference, and the judge {template.name} compares with one"
            )
        for order in orders_of(template, problem.task_id):
            pair = (baseline, answers) if order == "AB" else (answers, baseline)
            values = values_of(problem, answers, references, *(pair if order else ((), ())))
            marks = template.placeholders
            user = fill(part.user or "", marks, values)
            system = None if part.system is None else fill(part.system, marks, values)
            found.append(JudgeQuestion(turn, order, system, user))
    return found


def orders_of(template: JudgeTemplate, task_id: str) -> tuple[str, ...]:
    """Both orders, or the one that the problem's id chooses: as often one as the other, and always the same."""
    if template.kind is not JudgeKind.PAIRWISE:
        return ("",)
    if template.both_orders:
        return ("AB", "BA")
    return ("AB",) if hashlib.sha256(task_id.encode("utf-8", "surrogatepass")).digest()[0] % 2 else ("BA",)


def turns_of(problem: Problem) -> tuple[str, ...]:
    """What the user says, turn by turn; WildBench's conversation ends in the one that is answered."""
    return rows.asked_turns(problem.fields) or (problem.statement,)


def references_of(problem: Problem) -> tuple[str, ...]:
    """The right answer, of each turn where there are several; empty where there is none."""
    given: Any = problem.fields.get("reference")
    if isinstance(given, (list, tuple)):
        return tuple(str(text) for text in given)
    if problem.answer is not None:
        return (problem.answer,)
    if problem.fields.get("target"):
        return (_listed(problem, ()),)
    return (str(given),) if given not in (None, "") else ()


def values_of(
    problem: Problem,
    answers: Sequence[str],
    references: Sequence[str],
    first: Sequence[str] = (),
    second: Sequence[str] = (),
) -> dict[str, str]:
    """Every value by its name."""
    questions = turns_of(problem)
    values = {name: as_text(value) for name, value in problem.fields.items()}
    history, query = _conversation(problem)
    values |= {"history": history, "query": query, "references": _listed(problem, references)}
    values |= {"question": questions[0], "answer": answers[0] if answers else ""}
    values |= {"reference": references[0] if references else ""}
    named = {"question": questions, "answer": answers, "reference": references, "ref_answer": references}
    named |= {"answer_a": first, "answer_b": second}
    for name, texts in named.items():
        if texts:
            values.setdefault(name, texts[0])
        values |= {f"{name}_{turn}": text for turn, text in enumerate(texts, 1)}
    if first or second:
        values["answer_a"], values["answer_b"] = first[0] if first else "", second[0] if second else ""
    return values


def _conversation(problem: Problem) -> tuple[str, str]:
    """What was said before, and the last thing that the user says."""
    said = conversation_of(problem)
    if not said:
        return "", problem.statement
    return "\n\n".join(f"{ROLES.get(role, 'USER')}: {text}" for role, text in said[:-1]), said[-1][1]


def _listed(problem: Problem, references: Sequence[str]) -> str:
    """MixEval's form of several right answers."""
    targets = problem.fields.get("target")
    texts = [str(text) for text in targets] if isinstance(targets, list) else list(references)
    return "; ".join(f"<answer {number}> {text}" for number, text in enumerate(texts, 1))


def as_text(value: object) -> str:
    """A field as it goes into a prompt; a list of texts as a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(f"- {each}" for each in value)
    return json.dumps(value, ensure_ascii=False)


def fill(text: str, marks: Mapping[str, str], values: Mapping[str, str]) -> str:
    """A template with its values, in one pass: what a value holds is never a placeholder itself. Unknown marks stay."""
    named = {**{f"{{{name}}}": name for name in OWN.findall(text)}, **marks}
    known = {mark: values[name][:MOST_CHARS] for mark, name in named.items() if name in values}
    if not known:
        return text
    pattern = re.compile("|".join(re.escape(mark) for mark in sorted(known, key=len, reverse=True)))
    return pattern.sub(lambda match: known[match[0]], text)
