"""grading/code/crux*.py: answers to CRUXEval as models write them, as its authors decide them, and answers that cheat."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tools.benchmarks.benchmark import find_benchmark
from tools.errors import DataError, UsageError
from tools.grading.code.crux import read_crux
from tools.grading.code.crux_answers import Task, find_expression
from tools.grading.code.crux_plug import CruxOptions
from tools.sandbox.limits import limits_for
from tools.sandbox.session import Sandbox

ROOT = pathlib.Path(__file__).resolve().parents[3]
CODE = "def f(text, count):\n    return [text.upper()] * count\n"
ROW = {"id": "sample_0", "code": CODE, "input": "'a', 2", "output": "['A', 'A']"}
NUMBER = {"id": "sample_1", "code": "def f(n):\n    return n + 1\n", "input": "2", "output": "3"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


def passes(sandbox: Sandbox, row: dict[str, Any], answer: str, task: Task) -> bool:
    return read_crux(row["id"], row, task).grade(sandbox, answer, limits=limits_for(1.0)).passed


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("['A', 'A']", True),
        ('["A", "A"]', True),
        ("['A'] * 2", True),
        ("list('AA')", True),
        ("['A', 'A']  # twice", True),
        ("['A', 'A'], 'a message'", True),  # of the assertion, as its authors read it
        ("['A', 'A']\nassert f('b', 1)", True),
        ("['A', 'A']\nundefined", False),
        ("('A', 'A')", False),
        ("['A']", False),
        ("f('a', 2)", False),
        ("f( 'a',2 )", False),
        ("'A, A", False),
        ("", False),
        ("f = lambda *_: 0", False),
        ("(f := ['A', 'A'])", False),
        ("type('All', (), {'__eq__': lambda *_: True})()", False),
        ("[] or type('All', (list,), {'__eq__': lambda *_: True})()", False),
        ("exec('f = 1') or ['A', 'A']", False),
        ("(lambda: 0).__globals__['f']('a', 2)", False),
        ("1 or True", False),
        ("__answer__", False),
        ("[x for x in iter(int, 1)]", False),
    ],
)
def test_outputs(sandbox: Sandbox, answer: str, is_right: bool) -> None:
    assert passes(sandbox, ROW, answer, Task.OUTPUT) is is_right


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("f('a', 2)", True),
        ("f('A', 2)", True),
        ("f(text='a', count=2)", True),
        ("f(*['a', 2])", True),
        ("f(chr(97), len('ab'))", True),
        ("f('a', 2)\nassert f('b', 1)", True),
        ("f('a', 3)", False),
        ("f(1, 2)", False),
        ("'a', 2", False),
        ("['A', 'A']", False),
        ("['A', 'A'] or f('a', 2)", False),
        ("(f := lambda *_: ['A', 'A'])(1)", False),
        ("(lambda f: f(1))(lambda _: ['A', 'A'])", False),
        ("f(type('Text', (str,), {'upper': lambda _: 'A'})(), 2)", False),
        ("f(globals().update(len=1), 2)", False),
        ("f", False),
    ],
)
def test_inputs(sandbox: Sandbox, answer: str, is_right: bool) -> None:
    assert passes(sandbox, ROW, answer, Task.INPUT) is is_right


def test_an_equal_number_of_another_type_is_equal(sandbox: Sandbox) -> None:
    assert passes(sandbox, NUMBER, "3.0", Task.OUTPUT)
    assert not passes(sandbox, NUMBER, "'3'", Task.OUTPUT)


@pytest.mark.parametrize(
    ("text", "output", "call"),
    [
        ("[ANSWER]['A', 'A'][/ANSWER]", "['A', 'A']", None),
        (
            "[THOUGHT]\nfirst == second\n[/THOUGHT]\n[ANSWER]\nassert f('a', 2) == ['A', 'A']\n[/ANSWER]",
            "['A', 'A']",
            "f('a', 2)",
        ),
        ("[ANSWER]\nf('a', 2) == ['A', 'A']", "['A', 'A']", "f('a', 2)"),
        ("assert ['A', 'A'] == f('a', 2)", "['A', 'A']", "f('a', 2)"),
        ("So it is:\n```python\nassert f('a', 2) == ['A', 'A']\n```\n", "['A', 'A']", "f('a', 2)"),
        ("The answer is `['A', 'A']`.", "['A', 'A']", None),
        ("Two steps.\nf('a', 2) == ['A', 'A']", "['A', 'A']", "f('a', 2)"),
        ("[ANSWER]'a == b'[/ANSWER]", "'a == b'", None),
        ("[ANSWER]wrong first[/ANSWER] No: [ANSWER]3[/ANSWER]", "3", None),
        ("It cannot be said.", None, None),
    ],
)
def test_answers_are_found_as_models_write_them(text: str, output: str | None, call: str | None) -> None:
    found = find_expression(text, Task.OUTPUT)
    assert (found.source if found else None) == output
    if call is not None:
        asked = find_expression(text, Task.INPUT)
        assert asked is not None
        assert asked.source == call


@pytest.mark.parametrize("change", [{"output": "f(1)"}, {"code": None}, {"input": 3}])
def test_a_damaged_row_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="problem sample_0"):
        read_crux("sample_0", ROW | change, Task.OUTPUT)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(UsageError, match="neither output nor input"):
        CruxOptions(task="both")


def test_both_tasks_have_an_entry_and_their_names() -> None:
    assert (
        find_benchmark("cruxeval").grader_options == find_benchmark("CRUXEval-O").grader_options == {"task": "output"}
    )
    assert find_benchmark("cruxeval_i").grader_options == {"task": "input"}


def test_stored_responses_are_graded_by_the_door(tmp_path: pathlib.Path, run_script: Any) -> None:
    rows = [ROW, NUMBER]
    (tmp_path / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = tmp_path / "out"
    folder.mkdir()
    answers = {"sample_0": "<think>f == f</think>[ANSWER]['A', 'A'][/ANSWER]", "sample_1": "4"}
    lines = [json.dumps({"task_id": task_id, "output": output}) + "\n" for task_id, output in answers.items()]
    (folder / "seed100.jsonl").write_text("".join(lines))
    entry = {"grader": "cruxeval", "grader_options": {"task": "output"}, "samples_per_seed": 1}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "predictions.json").write_text(json.dumps(entry))
    command = [
        "python",
        "evaluate.py",
        "-g",
        str(folder),
        "-q",
        str(tmp_path / "set.jsonl"),
        "--benchmark",
        "predictions",
    ]
    done = run_script(*command, env={"BENCHMARKS_DIR": str(tmp_path / "mine")})
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    assert {row["task_id"]: row["verdict"] for row in verdicts} == {"sample_0": "correct", "sample_1": "wrong"}


def test_the_answers_of_the_set_pass(data_dir: pathlib.Path, sandbox: Sandbox) -> None:
    path = data_dir / "breadth" / "cruxeval" / "cruxeval.jsonl"
    if not path.is_file():
        pytest.skip(f"{path} does not exist: real data cannot be committed here")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    assert [row["id"] for row in rows if not passes(sandbox, row, row["output"], Task.OUTPUT)] == []
    some = rows[::20]
    assert [row["id"] for row in some if not passes(sandbox, row, f"f({row['input']})", Task.INPUT)] == []
