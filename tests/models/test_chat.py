"""Chat templates: a system prompt, arguments of their own, and a date that stands still; one that fails says so in one line."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tools.errors import ModelError, UsageError
from tools.models.chat import ChatOptions, apply_template, check_date, read_template_kwargs
from tools.models.prompts import encode_prompt, render_without_tokenizer, template_sha256

TURN = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"


@pytest.fixture(scope="module")
def tokenizer():
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(ROOT / "data" / "demo_model")


@pytest.fixture
def templated(tokenizer):
    kept = tokenizer.chat_template

    def use(template: str):
        tokenizer.chat_template = template
        return tokenizer

    yield use
    tokenizer.chat_template = kept


def test_the_date_of_a_dated_template_is_the_runs(templated):
    dated = templated("Today: {{ strftime_now('%d %b %Y %H:%M') }}\n" + TURN)
    options = ChatOptions(date="2025-01-31")
    assert encode_prompt("1 + 1?", "chat", dated, options).text.startswith("Today: 31 Jan 2025 00:00\n")
    assert template_sha256("p", "chat", dated, options) == template_sha256("p", "chat", dated, options)
    assert template_sha256("p", "chat", dated, options) != template_sha256("p", "chat", dated, ChatOptions())


def test_a_template_without_a_date_never_sees_one(templated):
    plain = templated("{{ 'dated' if date is defined else 'plain' }}" + TURN)
    assert apply_template(plain, "q", ChatOptions(date="2025-01-31")) == apply_template(plain, "q", ChatOptions())


def test_a_system_prompt_and_arguments_reach_the_template(templated):
    thinking = templated(TURN + "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}")
    options = ChatOptions("Be brief.", {"enable_thinking": False})
    assert apply_template(thinking, "q", options) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nq<|im_end|>\n<think></think>"
    )


@pytest.mark.parametrize(
    "template", ["{{ raise_exception('reasoning_effort is required') }}", "{{ tools[0]['name'] }}", "{% if %}"]
)
def test_a_template_that_fails_names_the_option(templated, template):
    with pytest.raises(ModelError, match=r"chat template fails .*CHAT_TEMPLATE_KWARGS") as caught:
        apply_template(templated(template), "q", ChatOptions())
    assert "\n" not in str(caught.value)


def test_a_server_gets_the_system_turn_as_a_message():
    prompt = render_without_tokenizer("q", "chat", ChatOptions("Be brief."))
    assert [message["role"] for message in prompt.messages] == ["system", "user"]
    assert render_without_tokenizer("q", "chat").messages == [{"role": "user", "content": "q"}]


def test_odd_values_are_refused():
    for text in ("enable_thinking", "[1]", "3"):
        with pytest.raises(UsageError, match="CHAT_TEMPLATE_KWARGS"):
            read_template_kwargs(text)
    for text in ("tomorrow", "2026-13-01"):
        with pytest.raises(UsageError, match="PROMPT_DATE"):
            check_date(text)
