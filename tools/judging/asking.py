"""Asks a judge, as many questions at once as its engine takes, and pays for each of them once.

What the folder's judgments.jsonl has is not asked again. A reply that does not parse is asked once more with another seed. The
budget is kept before a question is sent: what was paid, what is on its way and the question itself must fit.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tools.commandline import read_options
from tools.engines import (
    Completion,
    Engine,
    EngineSetup,
    Failure,
    GenerationRequest,
    check_engine,
    create_engine,
    find_engine,
    load_tokenizer,
    make_options,
)  # fmt: skip
from tools.errors import IncompleteRun
from tools.judging.ledger import Ledger, PaidReply, key_of
from tools.judging.messages import JudgeQuestion
from tools.judging.parsing import ParsedReply, parse_reply
from tools.judging.prices import Price, estimate_tokens
from tools.judging.templates import JudgeTemplate
from tools.models.chat import ChatOptions
from tools.models.prompts import Prompt, cut_at_end_mark, encode_prompt, render_without_tokenizer
from tools.models.reasoning import split_response
from tools.records import Generation, Grade, Sample, Sampling

TRIES = 2  # of a question whose reply does not parse
LOCAL_MODEL_LEN = 32768  # of a judge that is loaded here: prompt and reply in tokens


@dataclasses.dataclass(frozen=True)
class JudgeSetup:
    """The judge and how it is asked. `budget_usd` is of the folder, all judgings together."""

    model: str
    engine: str
    template: JudgeTemplate
    base_url: str | None = None
    concurrency: int | None = None
    price: Price | None = None
    budget_usd: float | None = None

    @property
    def sampling(self) -> Sampling:
        template = self.template
        return Sampling(temperature=template.temperature, top_p=1.0, max_new_tokens=template.max_new_tokens)

    def key(self, question: JudgeQuestion, attempt: int) -> str:
        return key_of(self.model, question.messages, self.sampling.given(), attempt)


@dataclasses.dataclass(frozen=True)
class JudgeTask:
    """One sample to be judged; `base` is all of its grade that is known."""

    base: Grade
    questions: tuple[JudgeQuestion, ...]


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came of one question: a verdict, or None with the reason. `paid` are the replies that it took."""

    question: JudgeQuestion
    verdict: ParsedReply | None
    paid: tuple[PaidReply, ...]
    reason: str = ""


@dataclasses.dataclass
class _Open:
    """A task whose replies are coming in."""

    task: JudgeTask
    replies: dict[JudgeQuestion, Reply] = dataclasses.field(default_factory=dict)


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
        self._sent: dict[Sample, _Ask] = {}
        self._followers: dict[str, list[_Ask]] = {}  # the same question of other samples, while it is on its way
        self._reserved = 0.0
        self._is_over_budget = False
        self._engine: Engine | None = None
        self._tokenizer: Any = None
        self._bar = JudgeBar()

    def judge(self, tasks: Iterable[JudgeTask]) -> Iterator[tuple[JudgeTask, Sequence[Reply]]]:
        """Raises IncompleteRun when the budget is reached, and what the engine raises."""
        source = iter(tasks)
        is_drained = False
        try:
            with self._bar:
                while True:
                    while not is_drained and len(self._waiting) < self._room():
                        task = next(source, None)
                        is_drained = task is None
                        if task is not None:
                            yield from self._open(task)
                    self._send()
                    if not self._sent:
                        break
                    assert self._engine is not None
                    for outcome in self._engine.step():
                        yield from self._take(outcome)
        finally:
            if self._engine is not None:
                self._engine.close()
        if self._is_over_budget:
            raise IncompleteRun(self._over_budget())

    def _room(self) -> int:
        if self._is_over_budget:
            return 0
        return (self._engine.capacity if self._engine else 1) - len(self._sent)

    def _open(self, task: JudgeTask) -> Iterator[tuple[JudgeTask, Sequence[Reply]]]:
        opened = _Open(task)
        self._bar.expect(len(task.questions))
        for question in task.questions:
            yield from self._advance(opened, question, ())

    def _advance(
        self, opened: _Open, question: JudgeQuestion, paid: tuple[PaidReply, ...], reason: str = ""
    ) -> Iterator[tuple[JudgeTask, Sequence[Reply]]]:
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
        opened.replies[question] = Reply(question, verdict, paid, reason)
        self._bar.advance(self.ledger.spent if self.setup.price else None)
        if len(opened.replies) == len(opened.task.questions):
            yield opened.task, [opened.replies[question] for question in opened.task.questions]

    def _send(self) -> None:
        """Puts as much on its way as there is room and money for."""
        while self._waiting and not self._is_over_budget:
            if self._engine is None:
                self._engine = self._start()
            if len(self._sent) >= self._engine.capacity:
                return
            ask = self._waiting.popleft()
            if ask.key in self._followers:
                self._followers[ask.key].append(ask)
                continue
            cost = self._expected_cost(ask.question)
            if self.setup.budget_usd is not None and self.ledger.spent + self._reserved + cost > self.setup.budget_usd:
                self._is_over_budget = True
                return
            self._reserved += cost
            self._followers[ask.key] = []
            sample = Sample("judge", ask.key, ask.attempt)
            self._sent[sample] = ask
            self._engine.submit(
                GenerationRequest(sample, self._prompt(ask.question), self.setup.sampling.max_new_tokens, ask.attempt)
            )

    def _take(self, outcome: Completion | Failure) -> Iterator[tuple[JudgeTask, Sequence[Reply]]]:
        ask = self._sent.pop(outcome.sample)
        self._reserved -= self._expected_cost(ask.question)
        asks = [ask, *self._followers.pop(ask.key)]
        if isinstance(outcome, Failure):
            for each in asks:
                yield from self._advance(
                    each.open, each.question, each.paid, f"the judge did not answer: {outcome.reason}"
                )
            return
        paid = self._paid(ask, outcome)
        self.ledger.add(paid)
        for each in asks:
            yield from self._advance(each.open, each.question, (*each.paid, paid))

    def _paid(self, ask: _Ask, outcome: Completion) -> PaidReply:
        base, setup = ask.open.task.base, self.setup
        is_estimated = outcome.prompt_tokens is None or outcome.output_tokens is None
        prompt = outcome.prompt_tokens if outcome.prompt_tokens is not None else estimate_tokens(ask.question.chars)
        output = outcome.output_tokens if outcome.output_tokens is not None else estimate_tokens(len(outcome.text))
        return PaidReply(
            key=ask.key,
            judge=setup.model,
            template=setup.template.name,
            task_id=base.task_id,
            seed=base.seed,
            reply=cut_at_end_mark(outcome.text),
            turn=ask.question.turn,
            order=ask.question.order,
            attempt=ask.attempt,
            finish_reason=outcome.finish_reason,
            prompt_tokens=prompt,
            output_tokens=output,
            is_estimated=is_estimated,
            cost=None if setup.price is None else setup.price.of(prompt, output),
            date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        )

    def _expected_cost(self, question: JudgeQuestion) -> float:
        """At most: the reply as long as it may be, so that a budget is never passed."""
        price = self.setup.price
        return 0.0 if price is None else price.of(estimate_tokens(question.chars), self.setup.sampling.max_new_tokens)

    def _prompt(self, question: JudgeQuestion) -> Prompt:
        chat = ChatOptions(question.system)
        if self._tokenizer is None:
            return render_without_tokenizer(question.user, "chat", chat)
        return encode_prompt(question.user, "chat", self._tokenizer, chat)

    def _start(self) -> Engine:
        """Loads or connects, when there is something to ask."""
        setup = self.setup
        needs = find_engine(setup.engine).needs
        check_engine(setup.engine, setup.sampling)
        if needs.loads_model and needs.tokenizer:
            self._tokenizer = load_tokenizer(setup.model)
        values = read_options(find_engine(setup.engine).Options, argparse.Namespace(), os.environ)
        values |= {"base_url": setup.base_url} if setup.base_url else {}
        values |= {"max_num_seqs": setup.concurrency} if setup.concurrency else {}
        engine = EngineSetup(setup.model, setup.sampling, LOCAL_MODEL_LEN)
        return create_engine(setup.engine, engine, make_options(setup.engine, values))

    def _over_budget(self) -> str:
        return (
            f"JUDGE_BUDGET_USD={self.setup.budget_usd:g} is reached: {self.ledger.spent:.4f} USD are paid, and the next judgment "
            "may cost more than is left; raise it and run the same command again, what is paid is kept"
        )


def read_reply(paid: PaidReply, template: JudgeTemplate) -> ParsedReply | None:
    """The verdict of a reply, after the judge's own reasoning; None where it says none, or a score beyond the scale."""
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
