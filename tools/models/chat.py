"""What a chat template gets beside the question: a system prompt, arguments of its own, and a date that stands still.

Templates of gpt-oss, Llama 3, Mistral and Granite write today's date into the prompt. A run that is continued the next
day would ask something else, so the date is fixed once per run.

>>> options = ChatOptions("Be brief.", {"enable_thinking": False}, "2026-11-26")
>>> options.messages("1 + 1?")
[{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': '1 + 1?'}]
>>> options.arguments("today is {{ strftime_now('%d %b') }}")["strftime_now"]("%d %b %Y")
'26 Nov 2026'
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping
from typing import Any

from tools.errors import ModelError, UsageError

History = tuple[tuple[str, str], ...]  # what the user said and what was answered, turn by turn
CLOCK = "strftime_now"  # what transformers gives to templates, and vLLM with it


@dataclasses.dataclass(frozen=True)
class ChatOptions:
    """`template_kwargs` are of the model's own template (enable_thinking, reasoning_effort); `date` is ISO 8601."""

    system_prompt: str | None = None
    template_kwargs: Mapping[str, object] = dataclasses.field(default_factory=dict)
    date: str | None = None

    def messages(self, question: str, history: History = ()) -> list[dict[str, str]]:
        """`history`: questions with their answers that came before."""
        said = [{"role": "system", "content": self.system_prompt}] if self.system_prompt is not None else []
        for asked, answer in history:
            said += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        return [*said, {"role": "user", "content": question}]

    def arguments(self, template: str) -> dict[str, object]:
        """For apply_chat_template. A clock is given to dated templates only, so that all others see what they always saw."""
        if self.date is None or not is_dated(template):
            return dict(self.template_kwargs)
        moment = datetime.datetime.fromisoformat(self.date)
        return {CLOCK: moment.strftime, **self.template_kwargs}


NO_OPTIONS = ChatOptions()


def is_dated(template: str) -> bool:
    """Whether a template asks for the date."""
    return CLOCK in template


def template_of(tokenizer: Any) -> str:
    """A tokenizer's template as one text; some have several by name."""
    template = getattr(tokenizer, "chat_template", None) or ""
    return template if isinstance(template, str) else json.dumps(template, ensure_ascii=False)


def apply_template(tokenizer: Any, question: str, options: ChatOptions, history: History = ()) -> str:
    """The prompt by the tokenizer's own template. Raises ModelError: a template is a program, and some insist on things."""
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError("the tokenizer has no chat template; choose --model-type qwen or r1")
    arguments = options.arguments(template_of(tokenizer))
    try:
        text = tokenizer.apply_chat_template(
            options.messages(question, history), tokenize=False, add_generation_prompt=True, **arguments
        )
    except Exception as error:  # whatever a program of others raises
        said = str(error).strip().split("\n")[0][:200] or type(error).__name__
        remedy = "give what it asks for as CHAT_TEMPLATE_KWARGS='{\"name\": value}'"
        if options.system_prompt is not None:
            remedy += ", or leave out SYSTEM_PROMPT"
        raise ModelError(
            f"the model's chat template fails ({said}); {remedy}, or choose --model-type qwen or r1"
        ) from error
    return str(text)


def read_template_kwargs(text: str | None) -> dict[str, object]:
    """The value of CHAT_TEMPLATE_KWARGS. Raises UsageError."""
    if text is None:
        return {}
    try:
        row = json.loads(text)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise UsageError(
            f"CHAT_TEMPLATE_KWARGS={text!r} is no JSON object; give for example CHAT_TEMPLATE_KWARGS='{{\"enable_thinking\": false}}'"
        )
    return row


def check_date(text: str) -> str:
    """The value of PROMPT_DATE: a day as 2026-11-26. Raises UsageError."""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"PROMPT_DATE={text!r} is no day; give for example PROMPT_DATE=2026-11-26") from None
