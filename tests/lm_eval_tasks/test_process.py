"""Third-party code in a process of its own: what hangs, fails or dies costs one sample, and is named; values as JSON."""

from __future__ import annotations

import pathlib

import pytest

from tests.support.lm_eval_runs import make_folder, plan, read_rows, store
from tools.errors import UsageError
from tools.lm_eval_tasks import planner
from tools.lm_eval_tasks.child import Service, answer
from tools.lm_eval_tasks.values import from_json, is_number, to_json

ODD = """
import os, time
print("this goes to nobody")

def judge(doc, results):
    if "hang" in results[0]:
        time.sleep(60)
    if "die" in results[0]:
        os._exit(7)
    if "fail" in results[0]:
        raise RuntimeError("no such answer")
    return {"length": len(results[0]), "pair": (results[0], doc["n"])}

def longest(items):
    assert all(isinstance(item, tuple) for item in items)
    return max(len(text) for text, _ in items)
"""
YAML = """
task: odd
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{n}}}}?"
doc_to_target: "{{{{n}}}}"
generation_kwargs: {{until: ["#"]}}
process_results: !function odd.judge
metric_list:
  - {{metric: length, aggregation: mean, higher_is_better: true}}
  - {{metric: pair, aggregation: !function odd.longest, higher_is_better: true}}
"""


@pytest.mark.slow
def test_a_task_that_hangs_dies_or_fails_costs_one_sample(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lm_eval", reason="needs requirements-lm-eval.txt")
    from tools.grading.grader import GradingOptions
    from tools.grading.session import grade
    from tools.lm_eval_tasks.process import PROCESS

    folder = make_folder(tmp_path)
    data = folder.write_rows("odd", [{"n": number} for number in range(5)])
    (folder.path / "odd.py").write_text(ODD)
    (folder.path / "odd.yaml").write_text(YAML.format(data=data))
    rows = plan(monkeypatch, folder, "odd")
    out = tmp_path / "lm__odd"
    store(out, rows, ["fine", "hang", "die", "fail", "quite fine # no"])
    results = grade(out, "lm:odd", GradingOptions(grader={"lm_timeout_s": 1.0}))
    PROCESS.close()
    verdicts = {row["task_id"]: row for row in read_rows(out / "verdicts.jsonl")}
    assert [verdicts[name]["verdict"] for name in "123"] == ["grader_error"] * 3
    for name, words in (("1", "took over 1 s"), ("2", "ended"), ("3", "no such answer")):
        assert words in verdicts[name]["reason"]
    assert verdicts["4"]["metrics"] == {"length,none": len("quite fine ")}
    assert results.doubts
    # Values that are no numbers come to the task's own aggregation as they were.
    assert results.sections["lm_eval"]["by_seed"]["100"]["odd"]["pair,none"] == len("quite fine ")


def test_a_plan_holds_until_a_file_of_ones_own_changes(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "task.yaml").write_text("task: one")
    monkeypatch.setenv("LM_EVAL_TASKS", str(tmp_path))
    folders = tuple(planner.task_folders())
    before = planner.fingerprint(folders)
    assert planner.fingerprint(folders) == before
    (tmp_path / "task.yaml").write_text("task: two!")
    assert planner.fingerprint(folders) != before


def test_a_folder_of_tasks_that_is_not_there_is_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_EVAL_TASKS", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="no such folder; name one that holds tasks"):
        planner.task_folders()


@pytest.mark.parametrize(
    "value", [0.1 + 0.2, True, None, "text", ("gold", ["a", 1e-300]), [(1, 2.5), (3, -0.0)], {"a": (1,)}, {2: [True]}]
)
def test_values_come_back_as_they_were(value: object) -> None:
    import json

    back = from_json(json.loads(json.dumps(to_json(value))))
    assert back == value
    assert type(back) is type(value)


def test_arrays_and_numbers_of_numpy_come_back() -> None:
    import numpy as np

    assert to_json(np.float64(0.1)) == 0.1
    assert is_number(to_json(np.bool_(True)))
    back = from_json(to_json((1, np.array([0.25, 0.75]))))
    assert back[0] == 1
    assert back[1].tolist() == [0.25, 0.75]


def test_an_error_of_ours_keeps_its_class_and_any_other_ends_one_command() -> None:
    def refuse() -> dict[str, str]:
        raise UsageError("no")

    commands = {"refuse": refuse, "fail": lambda: 1 / 0}  # type: ignore[dict-item]
    assert answer(commands, '{"do": "refuse"}') == {"raised": "UsageError", "text": "no"}
    assert "ZeroDivisionError" in answer(commands, '{"do": "fail"}')["failed"]
    assert "failed" in answer({"judge": Service().judge}, '{"do": "judge"}')
