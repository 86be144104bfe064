"""lm-eval's own tasks on real files: the figures of both gradings of the same responses are equal to the last digit."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from tests.support.lm_eval_real import NAMES, real_texts, write_real
from tests.support.lm_eval_runs import SEED, figures, make_folder, plan, read_rows, run_reference, store

pytest.importorskip("lm_eval", reason="needs requirements-lm-eval.txt")
pytest.importorskip("langdetect", reason="IFEval needs it: pip install lm_eval[ifeval]")

LIMIT = int(os.environ.get("LM_EVAL_LIMIT", "40")) or None  # 0: whole files


@pytest.mark.slow
def test_real_tasks_have_lm_evals_figures(
    tmp_path: pathlib.Path, data_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.grading.session import grade
    from tools.lm_eval_tasks.process import PROCESS

    folder = make_folder(tmp_path)
    outputs = write_real(folder, data_dir / "breadth", LIMIT)
    theirs: list[Any] = []
    ours: dict[str, Any] = {}
    rows = {name: plan(monkeypatch, folder, name) for name in NAMES}
    for name in NAMES:
        place = tmp_path / "out" / f"lm__{name}"
        theirs += store(place, rows[name], real_texts(name, rows[name], outputs))
        ours[name] = grade(place, f"lm:{name}").sections["lm_eval"]["by_seed"][str(SEED)]
    PROCESS.close()
    reference = run_reference(folder, theirs, NAMES)
    for name in NAMES:
        assert figures(ours[name]) == figures(reference[name]["results"], like=ours[name])
        asked = [request["args"] for request in reference[name]["asked"]]
        assert [[row["problem"], row["gen_kwargs"]] for row in rows[name]] == asked
        hashes = {f"{row.get('task') or row['task_name']}-{row['doc_id']}": row["doc_hash"] for row in rows[name]}
        assert hashes == reference[name]["doc_hashes"]
        graded = read_rows(tmp_path / "out" / f"lm__{name}" / "verdicts.jsonl")
        ours_by_sample = {
            f"{grade['details']['lm_eval_task']}-{grade['details']['lm_eval_doc'][0]}-{key}": value
            for grade in graded if "lm_eval_text" not in grade["details"]
            for key, value in {**grade["metrics"], **grade["details"].get("lm_eval_values", {})}.items()
        }  # fmt: skip
        assert ours_by_sample == {key: reference[name]["values"][key] for key in ours_by_sample}
        print(len(ours_by_sample), "values of samples equal", name, len(rows[name]), ours[name])
