"""Splits a response into reasoning and answer: once, in one place, for every benchmark.

The prompts of reasoning models end in `<think>`, so a response is reasoning, `</think>`, answer. What counts as answer
is all text outside the tags; a response that is cut before its reasoning closes has none.

>>> split_reasoning("3 + 4 is 7</think>The answer is \\\\boxed{7}.").answer
'The answer is \\\\boxed{7}.'
>>> split_reasoning("3 + 4 is", is_opened_by_prompt=True).is_closed
False
"""

from __future__ import annotations

from dataclasses import dataclass

# Tag pairs of the models that are in use: DeepSeek-R1, Qwen, AceReason; then Sky-T1.
TAG_PAIRS = (("<think>", "</think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"))


@dataclass(frozen=True)
class SplitResponse:
    """`is_closed` is None when nothing says that the response holds reasoning at all: then the whole text is answer."""

    reasoning: str
    answer: str
    is_closed: bool | None


def split_reasoning(response: str, is_opened_by_prompt: bool | None = None) -> SplitResponse:
    """Splits one response.

    `is_opened_by_prompt`: True when the prompt ended in the opening tag; None when unknown, as for files of others.
    Text before a closing tag that nothing opened is reasoning too (the prompt must have opened it).
    """
    for opening, closing in TAG_PAIRS:
        end = response.find(closing)
        if end < 0 and opening not in response:
            continue
        is_open = bool(is_opened_by_prompt) or (end >= 0 and response.find(opening, 0, end) < 0)
        rest = end + len(closing)
        if is_open and end >= 0 and response.find(opening, rest) < 0 and response.find(closing, rest) < 0:
            return SplitResponse(
                response[:end], response[rest:], True
            )  # nearly all responses, with one look at each letter
        return _split_at_tags(response, opening, closing, is_open)
    if is_opened_by_prompt:
        return SplitResponse(response, "", False)
    return SplitResponse("", response, None)


def _split_at_tags(response: str, opening: str, closing: str, is_open: bool) -> SplitResponse:
    """Several tags, or none that closes: what stands between an opening and the next closing tag is reasoning."""
    inside: list[str] = []
    outside: list[str] = []
    position = 0
    while True:
        tag = closing if is_open else opening
        end = response.find(tag, position)
        text = response[position:] if end < 0 else response[position:end]
        (inside if is_open else outside).append(text.replace(opening, "") if is_open else text.replace(closing, ""))
        if end < 0:
            return SplitResponse("".join(inside), "".join(outside), not is_open)
        is_open = not is_open
        position = end + len(tag)
