"""The default time limit of programs is written once: another number there is the default everywhere."""

from __future__ import annotations

import json
import pathlib

from tests.support.doc_pages import copy_of_the_tree


def test_another_default_limit_reaches_help_runs_and_results(tmp_path: pathlib.Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    tree.replace("tools/sandbox/limits.py", "    cpu_s: float = 6.0\n", "    cpu_s: float = 0.5\n")
    for door in ("evaluate_aime.py", "evaluate_livecodebench.py"):
        assert "CPU seconds a test [0.5]" in tree.result(f"python {door} --help")
    problem = json.loads((tree.root / "data/livecodebench_sample.jsonl").read_text().partition("\n")[0])
    text = "</think>\n```python\nwhile True: pass\n```"
    row = {"task_id": problem["question_id"], "output": text, "seed": 100}
    tree.write("out/livecodebench_sample/seed100.jsonl", json.dumps(row) + "\n")
    tree.run("python evaluate_livecodebench.py -g out/livecodebench_sample --allow-incomplete")
    results = json.loads((tree.root / "out/livecodebench_sample/accuracy_results.json").read_text())
    assert results["grader"]["timeout_s"] == 0.5
    verdict = json.loads((tree.root / "out/livecodebench_sample/verdicts.jsonl").read_text())
    assert verdict["verdict"] == "timeout"
    assert "0.5" in verdict["reason"]
