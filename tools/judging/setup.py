"""The judge of a run and how it is asked: one record, known to those who ask and to the clerk who pays.

>>> from tools.judging.templates import find_template
>>> JudgeSetup("gpt-4o-mini", "openai", find_template("single")).sampling.temperature
0.0
"""

from __future__ import annotations

import dataclasses

from tools.judging.ledger import key_of
from tools.judging.messages import JudgeQuestion
from tools.judging.prices import Price
from tools.judging.templates import JudgeTemplate
from tools.records import Sampling


@dataclasses.dataclass(frozen=True)
class JudgeSetup:
    """`budget_usd` is of the folder, all judgings together; `template` has its authors' texts."""

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
        wanted = {"top_logprobs": self.template.top_logprobs} if self.template.top_logprobs else {}
        return key_of(self.model, question.messages, {**self.sampling.given(), **wanted}, attempt)
