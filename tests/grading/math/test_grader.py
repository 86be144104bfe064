r"""The math grader against its golden table, the kept cases of others, and the complaints it must never earn."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tools.errors import UsageError
from tools.grader import (
    get_answer_by_majority_voting,
    grade_answer,
    grade_response,
    group_equal_answers,
    is_correct,
    math_answer_cleaning,
    math_equal,
    numeric_equal,
    symbolic_equal,
    unreadable_golds,
)
from tools.records import Verdict

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = [
    json.loads(line)
    for name in ("grader_answers.jsonl", "grader_reports.jsonl")
    for line in (ROOT / "tests/golden" / name).read_text("utf-8").split("\n")
    if line
]
HOSTILE = ("pathological", "injection", "code")


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['gold'][:20]}~{row['answer'][:20]}")
def test_golden_table(row):
    judge = is_correct if row["kind"] == "response" else math_equal
    assert judge(row["answer"], row["gold"]) is row["is_equal"]


def read_cases(bench_dir, name):
    for line in (bench_dir / "math" / name).read_text("utf-8").splitlines():
        case = json.loads(line)
        for mark, (text, times) in case.pop("repeat", {}).items():
            case["gold"], case["pred"] = (case[field].replace(mark, text * times) for field in ("gold", "pred"))
        yield case


@pytest.mark.parametrize("name", ["cases_adversarial.jsonl", "cases_mathverify.jsonl"])
def test_kept_cases_outside_conventions_are_all_right(bench_dir, name):
    wrong = []
    for case in read_cases(bench_dir, name):
        judge = is_correct if case["mode"] == "response" else math_equal
        if not case["category"].startswith("conv") and judge(case["pred"], case["gold"]) is not case["expected"]:
            wrong.append(case["id"])
    assert wrong == []


def test_reported_cases_are_all_right(bench_dir):
    """Cases made from public bug reports; without false positives above all."""
    wrong = []
    for case in read_cases(bench_dir, "cases_reports.jsonl"):
        judge = is_correct if case["mode"] == "response" else math_equal
        if judge(case["pred"], case["gold"]) is not case["expected"]:
            wrong.append(case["id"])
    assert wrong == []


def test_golds_that_nobody_reads_are_told():
    assert [
        gold for gold, _ in unreadable_golds(["7", "June 20", r"\frac{}{2}", r"\int_0^1 x\,dx", r"2\heartsuit 3"])
    ] == [
        r"\frac{}{2}",
        r"2\heartsuit 3",
    ]


def test_real_responses_differ_from_their_labels_as_documented(bench_dir):
    """docs/grading.md accounts for every row: 19 labels wrongly say false, 22 rows are refused with a reason."""
    differing = {True: 0, False: 0}
    for line in (bench_dir / "math/real_responses.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        judge = math_equal if row["kind"] == "answer" else is_correct
        differing[row["label"]] += judge(row["response_or_answer"], row["gold"]) is not row["label"]
    assert differing[False] <= 19
    assert differing[True] <= 22


# The complaints of other graders' users.
def test_no_false_positives_from_partial_parses():
    assert not math_equal(r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}")
    assert not math_equal(r"4\sqrt{2}", "4")
    assert not math_equal(r"\foo{7} + \bar 3", r"\baz{7} - 3")  # two unreadable formulas with the same number
    assert not math_equal(r"x \heartsuit 7", r"y \spadesuit 7")


@pytest.mark.parametrize(("prediction", "reference"), [("2.04", "204"), ("20400", "204"), ("1", "100"), ("0.5", "50")])
def test_no_percent_rule_unless_the_gold_is_a_percentage(prediction, reference):
    assert not math_equal(prediction, reference)
    assert math_equal(prediction, reference, include_percentage=True)
    assert math_equal(r"28\%", "0.28")
    assert math_equal("0.28", r"28\%")


def test_boxes_need_no_dollars_and_a_failed_parse_says_so():
    assert is_correct(r"\boxed{\frac{1}{2}}", "0.5")
    assert is_correct("**73**", "73")
    grade = grade_answer(r"\weird{3}", "3")
    assert grade.verdict is Verdict.WRONG
    assert grade.rule == "unreadable"
    assert "character" in grade.reason
    assert grade_answer("3", r"\frac{}{2}").verdict is Verdict.GRADER_ERROR


def test_a_subset_of_a_multi_part_answer_is_not_accepted():
    assert not math_equal("1,2", "1,2,3")
    assert not math_equal(r"\{1\}", r"\{1,2\}")
    assert not math_equal("x=1", "x=1, x=2")
    assert math_equal("3,1,2", r"\{1,2,3\}")


def test_symbolic_work_is_bounded_in_threads_without_signals():
    verdicts = []

    def work():
        verdicts.append(math_equal(r"\int_0^1 x^2\,dx", r"\frac{1}{3}"))
        verdicts.append(math_equal(r"\int_0^\infty \sin(x^2)\cos(e^x)\,dx", "5", timeout=0.2))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(verdicts) == [False, False, True, True]
    assert "signal" not in (ROOT / "tools/mathematics/symbolic.py").read_text().replace("No signals", "")


@pytest.mark.parametrize(
    "answer",
    ["9^{9^{9^9}}", "(10^9)!", "{" * 10_000 + "6", "9" * 1_000_000, "x" * 1_000_000, "\x00", "\ud800", "1e999999999", "5" + "!" * 200],
    ids=lambda answer: answer[:12].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_nothing_hangs_or_fills_memory(answer):
    started = time.process_time()
    assert not math_equal(answer, "5")
    assert not is_correct(answer, "5")
    assert time.process_time() - started < 4  # two verdicts of at most 2 s


def test_a_budget_that_runs_out_is_a_grader_error():
    grade = grade_answer(r"\int_0^\infty \sin(x^2)\cos(e^x)\,dx", "5", timeout=0.2)
    assert grade.verdict is Verdict.GRADER_ERROR
    assert math_equal(r"\int_0^1 x^2\,dx", r"\frac{1}{3}")  # the next question has a worker again


# Verdicts, extraction, reasoning.
def test_reasoning_is_not_read_for_answers():
    assert grade_response("<think>\\boxed{5}", "5").verdict is Verdict.TRUNCATED
    assert grade_response("so \\boxed{5}", "5", is_opened_by_prompt=True).verdict is Verdict.TRUNCATED
    assert grade_response("so \\boxed{5}", "5", is_opened_by_prompt=True, answer_from="anywhere").is_correct
    assert grade_response("<think>a</think>b", "5", comparison="integer").verdict is Verdict.NO_ANSWER


def test_an_unfinished_last_box_is_truncated():
    grade = grade_response(r"First \boxed{5}, no: \boxed{1", "5")
    assert grade.verdict is Verdict.TRUNCATED


def test_a_cut_off_text_without_answer_is_truncated():
    assert grade_response("The sum is 5", "5", is_cut_off=True).verdict is Verdict.TRUNCATED


@pytest.mark.parametrize(
    ("answer", "is_right"), [("204", True), ("0204", True), (r"\text{204}", True), ("2.04", False), ("205", False)]
)
def test_integer_comparison(answer, is_right):
    grade = grade_response(f"\\boxed{{{answer}}}", "204", comparison="integer")
    assert grade.is_correct is is_right


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [("B", True), ("(B)", True), (r"\text{(B)}", True), ("B.", True), (r"\textbf{(B) } 42", True), ("A", False), ("A and B", False), ("42", False)],
)  # fmt: skip
def test_choice_comparison(answer, is_right):
    assert grade_answer(answer, "B", comparison="choice").is_correct is is_right


def test_unknown_options_are_refused():
    with pytest.raises(UsageError, match="integer, math, choice"):
        grade_answer("1", "1", comparison="exact")
    with pytest.raises(UsageError, match="answer_from"):
        grade_response("1", "1", answer_from="middle")


def test_the_grade_says_why():
    grade = grade_answer("(2,1)", "(1,2)")
    assert grade.rule == "tuple"
    assert "('num', 2)" in grade.details["given"]


def test_is_close_brings_the_tolerances_of_the_original():
    assert not math_equal("3.1416", r"3.14159")
    assert math_equal("3.1416", "3.14159", is_close=True)
    assert numeric_equal(1.00005, 1.0)
    assert not numeric_equal(1.0002, 1.0)


def test_symbolic_equal_answers_for_expressions():
    assert symbolic_equal("2(x+1)", "2x+2") is True
    assert symbolic_equal("2(x+1)", "2x+1") is False


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (r"\text{Evelyn}", "evelyn"),
        (r"1{,}000", "1000"),
        (r"\$5", "5"),
        (r"\dfrac{1}{2}", r"\frac{1}{2}"),
        (r"90^\circ", "90"),
        (r"5\,\text{cm}", "5"),
        (r"3.54\times10^{10}", "3.54e10"),
        ("f(x)=ax+b", "ax+b"),
        ("x=5", "5"),
    ],
)
def test_math_answer_cleaning(text, cleaned):
    assert math_answer_cleaning(text) == cleaned


def test_majority_voting_counts_equal_answers_together():
    outputs = [
        r"\boxed{0.5}",
        r"\boxed{3}",
        r"\boxed{3}",
        r"\boxed{\frac12}",
        r"\boxed{1/2}",
        "nothing",
        "<think>\\boxed{3}",
    ]
    assert get_answer_by_majority_voting(outputs) == "0.5"
    assert get_answer_by_majority_voting(["<think>"]) is None
    assert group_equal_answers(["1", None, "2", "1.0", ""]) == [0, None, 1, 0, None]


# Costs and safety.
def test_grading_integers_imports_nothing_heavy():
    code = (
        "import sys; from tools.grader import grade_response;"
        "assert grade_response(r'\\boxed{204}', '204', comparison='integer').is_correct;"
        "assert not {'sympy', 'antlr4', 'mpmath', 'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_no_text_is_ever_evaluated():
    """No eval, exec, parse_expr, sympify of text or compile anywhere in the grader."""
    import ast

    folders = ("tools/grading/math", "tools/mathematics", "tools/latex2sympy")
    files = [path for folder in folders for path in (ROOT / folder).glob("*.py")]
    assert len(files) > 20
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                is_builtin = isinstance(node.func, ast.Name)
                assert name not in {"parse_expr", "parse_latex", "lambdify", "literal_eval", "nsimplify_text"}, path
                assert not (is_builtin and name in {"eval", "exec", "compile", "__import__"}), path
                if name == "sympify":  # only on values that a caller passes, never on text
                    assert any(word.arg == "strict" for word in node.keywords), path


@pytest.mark.parametrize(
    "template",
    [
        "__import__('os').system('touch {}')", "5+(__import__('os').mknod('{}')or(0))", "open('{}','w').write('x')",
        "exec(\"open('{}','w')\")", "S(\"__import__('os').mknod('{}')\")", "\\frac{{__import__('os').mknod('{}')}}{{1}}",
        "(lambda:open('{}','w'))()", "Symbol('x').__class__.__init__.__globals__['__builtins__']['open']('{}','w')",
        "\\write18{{touch {}}}", "\\input{{|\"touch {}\"}}", "`touch {}`", "$(touch {})", "5; touch {}", "[x for x in open('{}','w')]",
    ],
)  # fmt: skip
def test_code_in_an_answer_does_nothing_and_is_wrong(template, tmp_path):
    target = tmp_path / "touched"
    answer = template.format(target)
    assert not math_equal(answer, "5")
    assert not is_correct(f"The answer is \\boxed{{{answer}}}.", "5")
    assert not math_equal("5", answer)
    assert not target.exists()
