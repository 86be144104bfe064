"""`--estimate`: how many judgments a folder needs, and what they would cost, before anything is paid.

Tokens are counted as a quarter of the letters; the reply is expected as long as the template says, and at most as long as allowed.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.judging.asking import JudgeTask
from tools.judging.ledger import Ledger
from tools.judging.prices import estimate_tokens
from tools.judging.setup import JudgeSetup


def describe_estimate(setup: JudgeSetup, ledger: Ledger, tasks: Iterable[JudgeTask]) -> str:
    """One line; judgments that the folder has are free."""
    new: set[str] = set()
    prompt = known = 0
    for task in tasks:
        for question in task.questions:
            key = setup.key(question, 0)
            if ledger.find(key) is not None:
                known += 1
            elif key not in new:
                new.add(key)
                prompt += estimate_tokens(question.chars)
    template = setup.template
    expected, most = len(new) * template.expected_output_tokens, len(new) * template.max_new_tokens
    text = (
        f"{len(new)} judgments by {setup.model} ({template.name}), {known} more are paid already; about {prompt} tokens in, "
        f"{expected} out (at most {most}): "
    )
    if setup.price is None:
        return text + "its price is not known (JUDGE_PRICE=INPUT,OUTPUT gives it)"
    price = setup.price
    text += f"about {price.of(prompt, expected):.2f} USD, at most {price.of(prompt, most):.2f}"
    return f"{text} (price: {price.source}{f', {price.date}' if price.date else ''})"
