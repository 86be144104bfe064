"""Prompts, exactly as the models were trained for: types r1, qwen and chat; as text and as token ids.

Engines get token ids, so that no tokenizer adds a second begin-of-sentence to a text that has one already. The texts
are those of SPEC, which are the original toolkit's; a golden test holds each of them.

>>> problem = Problem("1", "What is 1 + 1?", "2", {})
>>> render_prompt(problem, "math", "r1")[:40]
'<｜begin▁of▁sentence｜><｜User｜>What is 1 +'
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from tools.errors import ModelError, UsageError
from tools.records import Problem

MODEL_TYPES = ("r1", "qwen", "chat")

R1_BEGIN = "<｜begin▁of▁sentence｜>"
R1_TEMPLATE = R1_BEGIN + "<｜User｜>{question}<｜Assistant｜><think>\n"
QWEN_TEMPLATE = (
    "<|im_start|>system\nYou are a helpful and harmless assistant. You should think step-by-step.<|im_end|>\n"
    "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n<think>\n"
)
MATH_QUESTION = {
    "r1": "{problem}\nPlease reason step by step, and put your final answer within \\boxed{{}}.",
    "qwen": "{problem}\n\nPlease place your final answer inside \\boxed{{}}.",
}
CODE_FORMAT = "Please place the solution code in the following format:\n```python\n# Your solution code here\n```"
CODE_WITH_STARTER = (
    "{content}\n\nSolve the problem starting with the provided function header.\n\nFunction header:\n```\n{starter_code}\n```\n\n"
    + CODE_FORMAT
)
CODE_WITHOUT_STARTER = "{content}\n\nWrite Python code to solve the problem. " + CODE_FORMAT

# Where generated text ends: the end-of-text marks of the model families in use.
END_MARKS = ("<|im_end|>", "<|end_of_text|>", "<|eot_id|>", "<|endoftext|>", "<｜end▁of▁sentence｜>")


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt ready to send. `token_ids` is None where only a server knows the tokenizer; then `question` is sent."""

    text: str
    token_ids: tuple[int, ...] | None
    question: str

    @property
    def is_reasoning_opened(self) -> bool:
        return self.text.rstrip().endswith("<think>")


def render_question(problem: Problem, grading: str, model_type: str) -> str:
    """What the user says, without the model's wrapping. `grading` is "math" or "code"."""
    if grading == "math":
        return MATH_QUESTION["r1" if model_type == "r1" else "qwen"].format(problem=problem.statement)
    starter_code = problem.fields.get("starter_code") or ""
    template = CODE_WITH_STARTER if starter_code else CODE_WITHOUT_STARTER
    return template.format(content=problem.statement, starter_code=starter_code)


def render_prompt(problem: Problem, grading: str, model_type: str, tokenizer: Any = None) -> str:
    """The whole prompt as text. Type chat needs the tokenizer, whose own template is used."""
    question = render_question(problem, grading, model_type)
    if model_type == "r1":
        return R1_TEMPLATE.format(question=question)
    if model_type == "qwen":
        return QWEN_TEMPLATE.format(question=question)
    if model_type != "chat":
        raise UsageError(f"model type {model_type!r} is unknown; choose one of {', '.join(MODEL_TYPES)}")
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError("the tokenizer has no chat template; choose --model-type qwen or r1")
    messages = [{"role": "user", "content": question}]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def encode_prompt(problem: Problem, grading: str, model_type: str, tokenizer: Any) -> Prompt:
    """The prompt with its token ids. Raises ModelError when begin-of-sentence does not stand exactly once."""
    text = render_prompt(problem, grading, model_type, tokenizer)
    token_ids = tuple(tokenizer.encode(text, add_special_tokens=False))
    begin = tokenizer.bos_token_id
    count = token_ids.count(begin) if begin is not None else 0
    if count > 1 or (model_type == "r1" and count != 1):
        raise ModelError(
            f"begin-of-sentence stands {count} times in the prompt of {problem.task_id}; "
            f"type {model_type} does not fit this tokenizer, choose another --model-type"
        )
    return Prompt(text, token_ids, render_question(problem, grading, model_type))


def template_sha256(model_type: str, grading: str, tokenizer: Any = None) -> str:
    """Hash of everything around the problem, so that a changed template is seen: the prompt of a fixed problem."""
    probe = Problem("probe", "{problem}", None, {"starter_code": "{starter_code}"})
    if model_type == "chat" and tokenizer is None:  # a server applies its own template
        text = render_question(probe, grading, model_type)
    else:
        text = render_prompt(probe, grading, model_type, tokenizer)
    return hashlib.sha256(text.encode()).hexdigest()


def cut_at_end_mark(text: str) -> str:
    """Generated text up to its first end mark."""
    end = min((position for mark in END_MARKS if (position := text.find(mark)) >= 0), default=len(text))
    return text[:end]
