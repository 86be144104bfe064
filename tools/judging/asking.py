"""Asks a judge, as many questions at once as its engine takes, and pays for each of them once.

What the folder's judgments.jsonl has is not asked again. A reply that does not parse is asked once more with another seed. The
budget is kept before a question is sent: what was paid, what is on its way and the question itself must fit.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tools.errors import IncompleteRun
from tools.judging.clerk import Clerk, Errand, Unanswered
from tools.judging.ledger import Ledger, PaidReply
from tools.judging.messages import JudgeQuestion
from tools.judging.parsing import ParsedReply, parse_reply, weigh_tokens
from tools.judging.prices import estimate_tokens
from tools.judging.setup import JudgeSetup
from tools.judging.templates import JudgeTemplate
from tools.models.reasoning import split_response
from tools.records import Generation, Grade

READ_AHEAD = 64  # questions that are made before the first is sent
TRIES = 2  # of a question whose reply does not parse


@dataclasses.dataclass(frozen=True)
class JudgeTask:
    """One sample to be judged; `base` is all of its grade that is known."""

    base: Grade
    questions: tuple[JudgeQuestion, ...]


@dataclasses.dataclass(frozen=True)
class JudgeReply:
    """What came of one question: a verdict, or None with the reason. `paid` are the replies that it took."""

    question: JudgeQuestion
    verdict: ParsedReply | None
    paid: tuple[PaidReply, ...]
    reason: str = ""


@dataclasses.dataclass
class _Open:
    """A task whose replies are coming in."""

    task: JudgeTask
    replies: dict[JudgeQuestion, JudgeReply] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class _Ask:
    """One try of one question."""

    open: _Open
    question: JudgeQuestion
    attempt: int
    key: str
    paid: tuple[PaidReply, ...] = ()


class Judging:
    """One pass over tasks. `judge` yields each with its replies when all have come, in any order."""

    def __init__(self, setup: JudgeSetup, ledger: Ledger) -> None:
        self.setup, self.ledger = setup, ledger
        self._waiting: deque[_Ask] = deque()
        self._sent: dict[str, list[_Ask]] = {}  # by key; the same question of several samples is asked once
        self._reserved = 0.0
        self._is_over_budget = False
        self._clerk: Clerk | None = None
        self._bar = JudgeBar()

    def judge(self, tasks: Iterable[JudgeTask]) -> Iterator[tuple[JudgeTask, Sequence[JudgeReply]]]:
        """Raises IncompleteRun when the budget is reached, and what the engine raises."""
        source = iter(tasks)
        is_drained = False
        try:
            with self._bar:
                if self.ledger.is_empty:  # so the clerk starts while the first responses are read
                    self._clerk = Clerk(self.setup, self.ledger.path)
                while True:
                    while not is_drained and len(self._waiting) < self._room():
                        task = next(source, None)
                        is_drained = task is None
                        if task is not None:
                            yield from self._open(task)
                    self._send()
                    if not self._sent:
                        break
                    assert self._clerk is not None
                    for found in self._clerk.take():
                        yield from self._take(found)
        finally:
            if self._clerk is not None:
                self._clerk.close()
        if self._is_over_budget:
            raise IncompleteRun(self._over_budget())

    def _room(self) -> int:
        if self._is_over_budget:
            return 0
        most = self._clerk.most_sent if self._clerk and self._sent else READ_AHEAD
        return most - len(self._sent)

    def _open(self, task: JudgeTask) -> Iterator[tuple[JudgeTask, Sequence[JudgeReply]]]:
        opened = _Open(task)
        self._bar.expect(len(task.questions))
        for question in task.questions:
            yield from self._advance(opened, question, ())

    def _advance(
        self, opened: _Open, question: JudgeQuestion, paid: tuple[PaidReply, ...], reason: str = ""
    ) -> Iterator[tuple[JudgeTask, Sequence[JudgeReply]]]:
        """What is known of a question is read, what is not is put in line; yields the task when it was its last."""
        verdict = None
        while not reason:
            if paid:
                verdict = read_reply(paid[-1], self.setup.template)
                if verdict is not None:
                    break
            if len(paid) == TRIES:
                reason = f"{TRIES} replies of the judge do not say a verdict"
                break
            key = self.setup.key(question, len(paid))
            known = self.ledger.find(key)
            if known is None:
                self._waiting.append(_Ask(opened, question, len(paid), key, paid))
                return
            paid = (*paid, known)
        opened.replies[question] = JudgeReply(question, verdict, paid, reason)
        self._bar.advance(self.ledger.spent if self.setup.price else None)
        if len(opened.replies) == len(opened.task.questions):
            yield opened.task, [opened.replies[question] for question in opened.task.questions]

    def _send(self) -> None:
        """Gives the clerk as much as there is room and money for."""
        while self._waiting and not self._is_over_budget:
            if self._clerk is None:
                self._clerk = Clerk(self.setup, self.ledger.path)
            if len(self._sent) >= self._clerk.most_sent:
                return
            ask = self._waiting.popleft()
            if ask.key in self._sent:
                self._sent[ask.key].append(ask)
                continue
            cost = self._expected_cost(ask.question)
            if self.setup.budget_usd is not None and self.ledger.spent + self._reserved + cost > self.setup.budget_usd:
                self._is_over_budget = True
                return
            self._reserved += cost
            self._sent[ask.key] = [ask]
            base = ask.open.task.base
            self._clerk.send(Errand(ask.key, ask.question, ask.attempt, base.task_id, base.seed))

    def _take(self, found: PaidReply | Unanswered) -> Iterator[tuple[JudgeTask, Sequence[JudgeReply]]]:
        asks = self._sent.pop(found.key)
        self._reserved -= self._expected_cost(asks[0].question)
        if isinstance(found, Unanswered):
            for ask in asks:
                yield from self._advance(ask.open, ask.question, ask.paid, f"the judge did not answer: {found.reason}")
            return
        self.ledger.add(found)
        for ask in asks:
            yield from self._advance(ask.open, ask.question, (*ask.paid, found))

    def _expected_cost(self, question: JudgeQuestion) -> float:
        """At most: the reply as long as it may be, so that a budget is never passed."""
        price = self.setup.price
        return 0.0 if price is None else price.of(estimate_tokens(question.chars), self.setup.sampling.max_new_tokens)

    def _over_budget(self) -> str:
        return (
            f"JUDGE_BUDGET_USD={self.setup.budget_usd:g} is reached: {self.ledger.spent:.4f} USD are paid, and the next judgment "
            "may cost more than is left; raise it and run the same command again, what is paid is kept"
        )


def read_reply(paid: PaidReply, template: JudgeTemplate) -> ParsedReply | None:
    """The verdict of a reply, after the judge's own reasoning; None where it says none, or a score beyond the scale."""
    if template.top_logprobs and paid.first_tokens is not None:
        return weigh_tokens(paid.first_tokens)
    text = split_response(Generation(paid.task_id, 0, paid.reply)).answer
    verdict = parse_reply(text, template.rule)
    low, high = template.scale
    if verdict is not None and verdict.score is not None and not low <= verdict.score <= high:
        return None
    return verdict


class JudgeBar:
    """Judgments, their rate and the cost so far, when somebody looks."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> JudgeBar:
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(desc="judging", unit="judgment", total=0, position=1, leave=False, file=sys.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def expect(self, number: int) -> None:
        if self._bar is not None:
            self._bar.total += number

    def advance(self, spent: float | None) -> None:
        if self._bar is not None:
            self._bar.update(1)
            if spent is not None:
                self._bar.set_postfix_str(f"{spent:.2f} USD", refresh=False)
