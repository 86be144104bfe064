"""Prompts as the models were trained for, to the letter and to the token."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.questions import PROBE, render_question
from tools.errors import ModelError
from tools.models.prompts import cut_at_end_mark, encode_prompt, render_prompt, template_sha256
from tools.records import Problem

PROBLEM = Problem("1", "What is {1} + 1?", "2", {})
CODE = Problem("2", "Add two numbers.", None, {"starter_code": "class Solution:\n    def add(self, a, b):"})

QUESTION = "What is {1} + 1?"


def question(problem: Problem, name: str, model_type: str) -> str:
    return render_question(problem, Benchmark("own", question=name), model_type)


# Golden texts: the original toolkit's.
GOLDEN = {
    (
        "math",
        "r1",
    ): "<｜begin▁of▁sentence｜><｜User｜>What is {1} + 1?\nPlease reason step by step, and put your final answer within \\boxed{}."
    "<｜Assistant｜><think>\n",
    (
        "math",
        "qwen",
    ): "<|im_start|>system\nYou are a helpful and harmless assistant. You should think step-by-step.<|im_end|>\n<|im_start|>user\n"
    "What is {1} + 1?\n\nPlease place your final answer inside \\boxed{}.<|im_end|>\n<|im_start|>assistant\n<think>\n",
    (
        "code",
        "r1",
    ): "<｜begin▁of▁sentence｜><｜User｜>Add two numbers.\n\nSolve the problem starting with the provided function header.\n\n"
    "Function header:\n```\nclass Solution:\n    def add(self, a, b):\n```\n\nPlease place the solution code in the following format:\n"
    "```python\n# Your solution code here\n```<｜Assistant｜><think>\n",
    (
        "code",
        "qwen",
    ): "<|im_start|>system\nYou are a helpful and harmless assistant. You should think step-by-step.<|im_end|>\n<|im_start|>user\n"
    "Add two numbers.\n\nWrite Python code to solve the problem. Please place the solution code in the following format:\n"
    "```python\n# Your solution code here\n```<|im_end|>\n<|im_start|>assistant\n<think>\n",
}


@pytest.mark.parametrize(("name", "model_type"), GOLDEN)
def test_prompts_are_those_of_training_to_the_letter(name, model_type):
    problem = PROBLEM if name == "math" else CODE
    if (name, model_type) == ("code", "qwen"):
        problem = Problem("2", CODE.statement, None, {"starter_code": ""})
    assert render_prompt(question(problem, name, model_type), model_type) == GOLDEN[name, model_type]


class Tokenizer:
    """A letter is a token; begin-of-sentence is 1, as the DeepSeek tokenizer has it as one token."""

    bos_token_id = 1
    chat_template = "a template"

    def __init__(self, adds_begin_in_template: int = 1) -> None:
        self.begins = adds_begin_in_template

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        assert add_special_tokens is False
        return [1 if letter == "\x01" else ord(letter) for letter in text.replace("<｜begin▁of▁sentence｜>", "\x01")]

    def apply_chat_template(self, messages: list[dict], tokenize: bool, add_generation_prompt: bool) -> str:
        assert not tokenize
        assert add_generation_prompt
        return "<｜begin▁of▁sentence｜>" * self.begins + messages[0]["content"]


def test_begin_of_sentence_stands_exactly_once_in_the_token_ids():
    prompt = encode_prompt(QUESTION, "r1", Tokenizer())
    assert prompt.token_ids.count(1) == 1
    assert prompt.token_ids[0] == 1


def test_a_doubled_begin_of_sentence_is_an_error():
    with pytest.raises(ModelError, match="stands 2 times"):
        encode_prompt(QUESTION, "chat", Tokenizer(adds_begin_in_template=2))


def test_type_r1_needs_a_tokenizer_that_knows_its_marks():
    tokenizer = Tokenizer()
    tokenizer.encode = lambda text, add_special_tokens: [7, 8]
    with pytest.raises(ModelError, match="stands 0 times"):
        encode_prompt(QUESTION, "r1", tokenizer)


def test_chat_uses_the_tokenizers_own_template_and_no_system_line():
    prompt = encode_prompt(QUESTION, "chat", Tokenizer())
    assert prompt.text == "<｜begin▁of▁sentence｜>What is {1} + 1?"
    assert not prompt.is_reasoning_opened


def test_chat_without_template_is_an_error_with_a_remedy():
    tokenizer = Tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(ModelError, match="--model-type"):
        render_prompt(QUESTION, "chat", tokenizer)


def test_a_changed_template_changes_the_hash():
    math, code = (question(PROBE, name, "qwen") for name in ("math", "code"))
    assert template_sha256(math, "r1") != template_sha256(math, "qwen")
    assert template_sha256(math, "qwen") != template_sha256(code, "qwen")
    assert template_sha256(math, "chat", Tokenizer(0)) != template_sha256(math, "chat", Tokenizer(1))


def test_templates_hash_as_in_version_0_1_so_that_its_runs_go_on():
    hashes = {
        ("math", "qwen"): "200ad14cd51beb7a3bf2569f0ab9bf7b5f6f113c54d64aa91e2f351698d3c9f8",
        ("math", "r1"): "1439f3091de99f4e51185ad291539187da27d8e04c39f83f32b9631e1660a758",
        ("code", "qwen"): "3c7afb9c39459a8faa4b103e83839a252b4067c50cdf4410b3ddd346b6bf1f95",
    }
    for (name, model_type), expected in hashes.items():
        assert template_sha256(question(PROBE, name, model_type), model_type) == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a</think>b<|im_end|>c", "a</think>b"),
        ("a<|endoftext|><|im_end|>", "a"),
        ("whole", "whole"),
        ("x<｜end▁of▁sentence｜>", "x"),
        ("Answer: 4\n\nQuestion: next\n```\nProblem:", "Answer: 4\n\nQuestion: next\n```\nProblem:"),
    ],
)
def test_only_end_marks_cut_text_never_task_words_in_the_reasoning(text, kept):
    assert cut_at_end_mark(text) == kept


def test_the_demo_models_own_template_gives_the_qwen_prompt_token_by_token():
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / "data" / "demo_model")
    ours = encode_prompt(QUESTION, "qwen", tokenizer)
    assert tokenizer.decode(ours.token_ids) == ours.text
    assert ours.is_reasoning_opened
    assert len(tokenizer.encode("<|im_start|>", add_special_tokens=False)) == 1
