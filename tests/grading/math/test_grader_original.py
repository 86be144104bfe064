"""The original toolkit's rules: its leniencies one by one, and its recorded verdicts."""

import json

import pytest

from tools.errors import UsageError
from tools.grading.math.original import (
    answers_equal_original,
    clean_original,
    extract_answer_original,
    is_correct_original,
)

# There the original ran the answer's text as Python; this toolkit never does, so these count as unequal.
EXECUTED = {
    "adv-code-005-a", "adv-code-006-a", "adv-code-007-a", "adv-code-013-a", "adv-code-024-a", "adv-code-030-a", "adv-code-031-a",
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "reference", "is_equal"),
    [
        ("2", "200", True),  # the percent rule
        ("20400", "204", True),
        ("12345", "12346", True),  # relative tolerance
        ("(12,3)", "(1,23)", True),  # commas go
        ("listen", "silent", True),  # letters multiply
        (r"\frac{1}{2}", "0.5", True),
        ("-123", "-124", True),  # two digits below 1
        ("x=5", "5", True),
        ("205", "204", False),
        (r"2\frac{1}{2}", "2.5", False),  # a product there
        (r"\mathbf{204}", "204", False),
        ("2^3", "8", True),
    ],
)
def test_leniencies_and_gaps_of_the_original(answer, reference, is_equal):
    assert answers_equal_original(answer, reference, rules="voting") is is_equal


def test_the_whole_text_is_read_and_the_last_box_decides():
    assert is_correct_original(r"<think>\boxed{5} hmm", "5")
    assert not is_correct_original(r"\boxed{5} then \boxed{6}", "5")
    assert extract_answer_original(r"\boxed{\frac{\sqrt{2}}{3}}") == r"\frac{\sqrt{2}}{3}"
    assert extract_answer_original("the answer is 5") is None


def test_rules_differ_by_set():
    assert answers_equal_original("0.123", "0.1234", rules="aime")
    assert answers_equal_original(r"x+\frac{1}{2}", r"\frac{x+1}{2}", rules="math500")
    with pytest.raises(UsageError, match="aime, math500, voting"):
        answers_equal_original("1", "1", rules="strict")


def test_cleaning_drops_units_and_left_sides():
    assert clean_original(r"f(x) = 3\times10^{4}\,\text{cm}") == "3e4"
    assert clean_original(r"\text{(A), (B)}") == "ab"


def test_code_is_never_run(tmp_path):
    target = tmp_path / "touched"
    assert not is_correct_original(rf"\boxed{{__import__('os').mknod('{target}') or 5}}", "5")
    assert not target.exists()


@pytest.mark.slow
def test_recorded_verdicts_of_the_original_are_reproduced(bench_dir):
    cases = {}
    for name in ("cases_adversarial.jsonl", "cases_mathverify.jsonl"):
        for line in (bench_dir / "math" / name).read_text("utf-8").splitlines():
            case = json.loads(line)
            for mark, (text, times) in case.pop("repeat", {}).items():
                case["gold"], case["pred"] = (case[field].replace(mark, text * times) for field in ("gold", "pred"))
            cases[case["id"]] = case
    differing = set()
    for line in (bench_dir / "math/original_verdicts.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        case = cases[record["id"]]
        if record["outcome"] == "verdict":
            judge = is_correct_original if case["mode"] == "response" else answers_equal_original
            if judge(case["pred"], case["gold"], rules="voting") is not record["verdict"]:
                differing.add(record["id"])
    assert differing <= EXECUTED
