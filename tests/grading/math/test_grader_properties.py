r"""Pairs made from gold answers of our own: one change makes another answer, a rewriting does not.

perf/grader/properties.py has the makers and runs them over the gold answers of real data sets.
"""

import importlib.util
from pathlib import Path

import pytest

from tools.grader import is_correct, math_equal

SCRIPT = Path(__file__).resolve().parents[3] / "perf/grader/properties.py"
specification = importlib.util.spec_from_file_location("grader_properties", SCRIPT)
properties = importlib.util.module_from_spec(specification)
specification.loader.exec_module(properties)

GOLDS = [
    "17", "-204", "3.75", r"\frac{7}{12}", r"-\frac{5}{8}", r"2\sqrt{3}", r"\frac{3+\sqrt{7}}{4}", r"5\sqrt[3]{2}-1", r"12\pi", r"\frac{\pi}{6}",
    r"4e^{-3}", r"\ln 5", r"\log_{3} 7", r"\sin 20^{\circ}", r"2\arctan 4", "3x^2-5x+7", r"\frac{x-2}{x+3}", "(x-4)(x+9)", "2^{n+1}-1",
    r"\frac{n(n+3)}{2}", r"\binom{9}{2}", "8!", "5-2i", "(3,-8)", r"\left(\frac{1}{2},6\right)", "[2,7)", r"(-\infty,4]", r"(1,3)\cup(5,9)",
    r"\{2,5,11\}", "2, 6, 13", r"x=4", "y=3x-8", "x^2+y^2=36", r"x\le 9", "2<x<11", r"x\equiv 3 \pmod{8}", r"\begin{pmatrix}1&4\\6&9\end{pmatrix}",
    r"6\text{ cm}", r"15\text{ hours}", r"40\%", r"72^\circ", r"\$12.50", "1011_2", r"\lfloor \frac{p}{9} \rfloor", r"\max(x,5)", r"|x-3|+2",
    r"2^{1000n}", r"(1+x)^{600}", r"\tanh 800", r"\sum_{k=1}^{n} k^3", r"x_1+x_2", "f(x)=3x+4", r"n=4k+1", r"7\frac{2}{5}", "3:5", "10:45",
    r"2\mathbf{i}+7\mathbf{j}", r"\begin{cases}x+1&x\ge 2\\3x&x<2\end{cases}",
]  # fmt: skip


@pytest.mark.parametrize("gold", GOLDS)
def test_one_change_is_another_answer(gold):
    called_equal = [
        pair for pair in dict.fromkeys(properties.differing(gold)) if pair[1] != gold and math_equal(pair[1], gold)
    ]
    assert called_equal == []


@pytest.mark.parametrize("gold", GOLDS)
def test_a_rewriting_is_the_same_answer(gold):
    refused = [pair for pair in dict.fromkeys(properties.rewritings(gold)) if not math_equal(pair[1], gold)]
    assert refused == []
    assert is_correct(f"We are done: $\\boxed{{{gold}}}$.", gold)


def test_the_makers_make_every_kind():
    kinds = {kind for gold in GOLDS for kind, _ in properties.differing(gold)}
    assert kinds >= {
        "digit",
        "sign",
        "exponent",
        "index",
        "added term",
        "dropped term",
        "function",
        "unit",
        "relation",
        "bracket",
        "variable",
    }
