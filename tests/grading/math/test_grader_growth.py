r"""What a model writes cannot make extraction, cleaning or reading slow: every token repeated n and 4n times.

Times are CPU seconds, and a step fails only when it is both slow and grows faster than the text: a busy machine does not
fail it, one quadratic pattern does.
"""

import contextlib
import random

import pytest

from tests.support.cpu import grows_linearly, takes_less
from tools.errors import LatexError
from tools.grader import is_correct
from tools.grading.math.cleaning import math_answer_cleaning, plain_form
from tools.grading.math.extraction import extract
from tools.grading.math.original import clean_original, extract_answer_original
from tools.mathematics.answers import compare_answers
from tools.mathematics.limits import MAX_EXPRESSION_CHARS
from tools.mathematics.reader import read
from tools.models.reasoning import split_reasoning

TOKENS = [
    "\\", "\\\\", "{", "}", "$", "$$", r"\(", r"\)", r"\[", r"\]", r"\boxed", r"\boxed{", r"\boxed{1} and ", r"\framebox[", r"\text{ }",
    r"\text{", r"\text{a}", r"\text{and}", r"\begin{aligned}", r"\end{aligned}", r"\begin{cases}", r"\left(", r"\right)", r"\left", r"\,",
    r"\!", r"\;", r"\ ", r"\quad", "~", "*", "**", "***", "**a**", "**a **:", "#", "####", "#### ", "Answer", "Answer: ", "answer is ",
    "Final Answer\n", " is ", r"is \(", "\n", "\n\n", " ", "\t", ".", ". ", "...", ",", ", ", ";", ":", "::", "!", "?", "-", "+", "=",
    "<", "<<", ">", "<answer>", "</answer>", "<think>", "</think>", "<|im_end|>", "`", "```", "```\n", "```python", "|", "&", "&lt;", "<sup>",
    "</sup>", "^", "_", "^{", "_{", "^2", "1", "12", "1,", "1,000", "1.000", "1'000", "1 000", "1 ", "0x1", "1/", "1/2 ", r"\frac{1}{2}",
    r"\frac", r"\frac12", r"\frac{", r"\sqrt", r"\sqrt{", r"\mathbf{", r"\mathbf{1}", r"\underbrace{", r"\color{red}", r"\color[",
    r"\hspace{", r"\hspace{1}", r"\phantom{", "x", "xx", "x ", "C", "_C", "_5C_2", "if ", "not ", "and ", "or ", r"\pm", r"\sum", r"\int",
    r"\in\mathbb{Z}", r",k\in\mathbb{Z}", " where ", " for k", "(", ")", "[", "]", "(1,2)", "(1 2)", "(1 2", "1:2", "5 cm ", "am", "10:30 ",
    '"', "'", "“", "°", "½", "²", "₂", "４", "。", "、", "答案", "答案是", "Ответ:", "respuesta es ", "é", "\u200b", "\x00", "π", "A:", "\nA:",
    "(A)", r"\dots", r"\ldots,", r"\not", "%", r"\%", r"\$", "$5", "$5 and ", r"\circ", r"^\circ", "10^", "x 10^", "1e", r"\ne ", "≥", r"\le",
    "<<1>>", "th", "^{th}", r"\prime", r"^\prime", r"\\[1pt]", r"\\[", "{,}", "{ , }", "{:}", "the ", "The value is 5. ", "There are 5 ",
    "x = 5, ", "x=5 or ", "5 or more ", "equal to ", "e.g. ",
]  # fmt: skip
FRAMES = ["{}", "5{}x.", "The answer is {}", "\\boxed{{1{}x.}}"]
SMALL, LARGE = 4_000, 16_000
SLOW_S = 0.25  # of one step on the large text; a linear one needs a tenth of it
STEPS = {
    "extract": extract,
    "plain_form": plain_form,
    "math_answer_cleaning": math_answer_cleaning,
    "split_reasoning": split_reasoning,
    "extract_answer_original": extract_answer_original,
    "clean_original": clean_original,
}


def fill(frame, token, size):
    return frame.format(token * (size // len(token)))


def check(token, frame):
    for name, step in STEPS.items():
        small, large = fill(frame, token, SMALL), fill(frame, token, LARGE)
        assert takes_less(2 * SLOW_S, step, small), (name, token, frame)
        assert grows_linearly(step, small, large, always_fine_s=SLOW_S), (name, token, frame)


@pytest.mark.slow
@pytest.mark.parametrize("token", TOKENS, ids=repr)
def test_repeated_tokens_cost_linear_time(token):
    for frame in FRAMES:
        check(token, frame)


@pytest.mark.slow
def test_repeated_pairs_of_tokens_cost_linear_time():
    source = random.Random(7)
    for _ in range(150):
        check("".join(source.sample(TOKENS, 2)), source.choice(FRAMES))


@pytest.mark.parametrize(
    "token", ["\\", "`", "\n", "```\n", ".", r"\text{ }", r"is \(", "**", r"\[" + "\n", r"\boxed{1} and "], ids=repr
)
def test_the_patterns_that_once_hung_are_linear(token):
    for frame in FRAMES:
        check(token, frame)


@pytest.mark.parametrize(
    "token",
    ["\\", "`", ". ", r"\text{ }", r"is \(", "**a** ", r"\boxed{1} and ", "The answer is 6. ", "{", "9"],
    ids=repr,
)
def test_a_megabyte_is_graded_in_seconds(token):
    text = token * (1_000_000 // len(token))
    assert takes_less(1.5, extract, text)  # 0.5 s on an idle machine
    assert takes_less(4, is_correct, text, "5")


@pytest.mark.slow
def test_reading_what_passes_the_limits_is_bounded():
    """Up to the limit of characters, reading and comparing two answers stays below a second of CPU in this process."""

    def read_it(text):
        with contextlib.suppress(LatexError):
            read(text)

    for token in TOKENS:
        text = plain_form(token * (MAX_EXPRESSION_CHARS // len(token)))
        assert takes_less(1, read_it, text), token
        assert takes_less(2, compare_answers, text, "5", 0.2), token
