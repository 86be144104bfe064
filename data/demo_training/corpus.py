"""Draws training examples of the demo model, with the prompts that the toolkit's type qwen sends.

>>> example = draw_example(random.Random(7), excluded=frozenset())
>>> example.prompt.endswith("<|im_start|>assistant\\n<think>\\n")
True
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from demo_training.programs import PROGRAMS
from demo_training.unfamiliar import END, unfamiliar
from demo_training.word_problems import WORD_PROBLEMS, drill

SYSTEM = "You are a helpful and harmless assistant. You should think step-by-step."
MATH_ENDING = "\n\nPlease place your final answer inside \\boxed{}."
STDIN_ENDING = (
    "\n\nWrite Python code to solve the problem. Please place the solution code in the following format:\n"
    "```python\n# Your solution code here\n```"
)
FUNCTION_ENDING = (
    "\n\nSolve the problem starting with the provided function header.\n\n"
    "Function header:\n```\n{starter_code}\n```\n\n"
    "Please place the solution code in the following format:\n```python\n# Your solution code here\n```"
)

GROUP_WEIGHTS = {"math": 0.50, "drill": 0.22, "code": 0.18, "unfamiliar": 0.10}


@dataclass(frozen=True)
class Example:
    """`completion` is what the model has to learn; `statement` is the problem as a data file would hold it."""

    statement: str
    prompt: str
    completion: str


def chat_prompt(question: str) -> str:
    """The prompt of type qwen around one question, opened for reasoning."""
    opening = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n"
    return f"{opening}{question}<|im_end|>\n<|im_start|>assistant\n<think>\n"


def draw_example(rng: random.Random, excluded: frozenset[str]) -> Example:
    """Draws one training example; statements in `excluded` (those of the sample sets) are never drawn."""
    group = rng.choices(list(GROUP_WEIGHTS), list(GROUP_WEIGHTS.values()))[0]
    while True:
        example = DRAWERS[group](rng)
        if example.statement not in excluded:
            return example


def question_text(kind: str, statement: str, starter_code: str) -> str:
    """The user's text around a statement; `kind` is math, stdin or function."""
    if kind == "math":
        return statement + MATH_ENDING
    return statement + (FUNCTION_ENDING.format(starter_code=starter_code) if starter_code else STDIN_ENDING)


def _math_example(rng: random.Random) -> Example:
    statement, working, answer = rng.choice(WORD_PROBLEMS)(rng)
    completion = f"{working}\n</think>\nThe answer is \\boxed{{{answer}}}.{END}"
    return Example(statement, chat_prompt(question_text("math", statement, "")), completion)


def _code_example(rng: random.Random) -> Example:
    statement, starter, plan, program = rng.choice(PROGRAMS)(rng)
    completion = f"{plan}\n</think>\n```python\n{program}\n```{END}"
    return Example(statement, chat_prompt(question_text("code", statement, starter)), completion)


def _unfamiliar_example(rng: random.Random) -> Example:
    kind, statement, starter, completion = unfamiliar(rng)
    return Example(statement, chat_prompt(question_text(kind, statement, starter)), completion)


def _drill_example(rng: random.Random) -> Example:
    return Example("", "", drill(rng))


DRAWERS = {
    "math": _math_example,
    "drill": _drill_example,
    "code": _code_example,
    "unfamiliar": _unfamiliar_example,
}
