"""Properties that must hold for any answer whatever: hypothesis looks for a counterexample for a minute."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.grader import grade_answer, grade_response, math_equal
from tools.grading.math.cleaning import math_answer_cleaning, plain_form
from tools.grading.math.extraction import extract
from tools.mathematics.reader import read
from tools.mathematics.tree import BeyondLimits, Unreadable
from tools.records import Verdict

PIECES = [
    "x", "y", "n", "1", "2", "10", "0", "0.5", "+", "-", "/", "*", "^", "_", "(", ")", "[", "]", "{", "}", ",", "=", "<", r"\le",
    "|", "!", "%", r"\%", r"\frac", r"\sqrt", r"\sin", r"\ln", r"\pi", "i", "e", r"\infty", r"\pm", r"\cup", r"\{", r"\}", r"\text{cm}",
    r"\text{and}", r"^\circ", r"\left(", r"\right)", r"\cdot", r"\binom", r"\begin{pmatrix}", r"\end{pmatrix}", "&", r"\\", ";", ":",
    " ", "$", r"\boxed{", "**", r"\overline", "'", ".", "\x00", "é", "½", r"\sum_{k=1}^n", "or",
]  # fmt: skip
ANSWERS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
ATOMS = st.sampled_from(["x", "y", "2", "3", "7", r"\pi", r"\sqrt{2}", "0.5"])


def combined(parts):
    return st.one_of(
        st.tuples(parts, st.sampled_from(["+", "-", r"\cdot "]), parts).map("".join).map("({})".format),
        st.tuples(parts, parts).map(lambda pair: rf"\frac{{{pair[0]}}}{{{pair[1]}}}"),
        parts.map(r"\sqrt{{{}^2}}".format),
        parts.map("{}^{{2}}".format),
    )


EXPRESSIONS = st.recursive(ATOMS, combined, max_leaves=5)
LIMITS = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@pytest.mark.slow
@settings(max_examples=1500, **LIMITS)
@given(ANSWERS, ANSWERS)
def test_no_exception_escapes_and_equality_is_symmetric(first, second):
    forward, backward = grade_answer(first, second), grade_answer(second, first)
    assert isinstance(forward.verdict, Verdict)
    if Verdict.GRADER_ERROR not in (forward.verdict, backward.verdict):
        assert forward.is_correct == backward.is_correct
    grade_response(first + second, second)


@pytest.mark.slow
@settings(max_examples=4000, **LIMITS)
@given(ANSWERS)
def test_every_answer_equals_itself(answer):
    assert math_equal(answer, answer) or not answer.strip()


@pytest.mark.slow
@settings(max_examples=3000, **LIMITS)
@given(EXPRESSIONS, EXPRESSIONS)
def test_layout_does_not_matter(first, second):
    """Spaces, left/right and dfrac change no verdict."""
    dressed = first.replace("(", r"\left( ").replace(")", r" \right)").replace(r"\frac", r"\dfrac")
    assert math_equal(dressed, first)
    assert math_equal(dressed, second) == math_equal(first, second)


@settings(max_examples=300, **LIMITS)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    plain_form(text)
    math_answer_cleaning(text)
    extract(text)
    with contextlib.suppress(Unreadable, BeyondLimits):
        read(text)


@settings(max_examples=300, **LIMITS)
@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_numbers_compare_exactly(numerator, denominator):
    assert math_equal(f"{numerator}/{denominator}", rf"\frac{{{numerator}}}{{{denominator}}}")
    assert not math_equal(f"{numerator + 1}/{denominator}", rf"\frac{{{numerator}}}{{{denominator}}}")
