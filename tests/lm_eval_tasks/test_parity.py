"""Tasks of lm-eval on made-up data: our plan and our figures are lm-eval's own, to the letter and to the last digit."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lm_eval_runs import (
    REASONING,
    SEED,
    TaskFolder,
    figures,
    make_folder,
    plan,
    run_reference,
    scores_for,
    store,
    texts_for,
    write_made_up,
)

pytest.importorskip("lm_eval", reason="needs requirements-lm-eval.txt")
pytestmark = pytest.mark.slow

NAMES = (
    "made_sums", "made_more_sums", "made_votes", "made_translation", "made_facts", "made_last_words", "made_pages",
    "made_group", "made_even_group",
)  # fmt: skip
REASONINGS = {"made_translation": "", "made_votes": ""}
SCORED = ("made_facts", "made_last_words", "made_pages")


class Runs:
    """Everything is planned, answered and graded once; the tests look at it."""

    def __init__(self, folder: TaskFolder, out: pathlib.Path) -> None:
        from tools.grading.session import grade

        self.folder, self.out = folder, out
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.results: dict[str, Any] = {}
        theirs: dict[str, list[Any]] = {}
        with pytest.MonkeyPatch.context() as monkeypatch:
            for name in NAMES:
                rows = self.rows[name] = plan(monkeypatch, folder, name)
                place = out / f"lm__{name}"
                said = (
                    scores_for(rows) if name in SCORED else texts_for(rows, reasoning=REASONINGS.get(name, REASONING))
                )
                theirs[name] = store(place, rows, said)
                if name == "made_votes":
                    theirs[name] += store(place, rows, list(reversed(said)), SEED + 1)
                self.results[name] = grade(place, f"lm:{name}")
        # A group's tasks are given the same texts as alone.
        self.theirs = run_reference(folder, [row for name in NAMES[:7] for row in theirs[name]], NAMES)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    from tools.lm_eval_tasks.process import PROCESS

    place = tmp_path_factory.mktemp("lm_eval")
    folder = make_folder(place)
    write_made_up(folder)
    yield Runs(folder, place / "out")
    PROCESS.close()


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_of_lm_eval_to_the_last_digit(runs: Runs, name: str) -> None:
    theirs = runs.theirs[name]["results"]
    ours = runs.results[name].sections["lm_eval"]["by_seed"][str(SEED)]
    assert figures(ours) == figures(theirs, like=ours)
    values = [value for found in figures(ours).values() for value in found.values()]
    assert any(0 < value < 1 or 1 < value < 100 for value in values)


@pytest.mark.parametrize("name", NAMES)
def test_prompts_and_document_hashes_are_those_of_lm_eval(runs: Runs, name: str) -> None:
    theirs, rows = runs.theirs[name], runs.rows[name]
    hashes = {f"{row.get('task') or row['task_name']}-{row['doc_id']}": row["doc_hash"] for row in rows}
    assert hashes == theirs["doc_hashes"]
    asked = [request["args"] for request in theirs["asked"]]
    if name == "made_pages":
        assert [[row["problem"]] for row in rows] == asked
    elif name in SCORED:
        pairs = [[row["problem"], choice] for row in rows for choice in row["choices"]]
        assert pairs == asked
    else:
        repeats = 2 if name == "made_votes" else 1
        assert [[row["problem"], row["gen_kwargs"]] for row in rows for _ in range(repeats)] == asked


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SCORED])
def test_conversations_are_those_that_lm_eval_gives_to_a_chat_template(runs: Runs, name: str) -> None:
    repeats = 2 if name == "made_votes" else 1
    chats = [json.loads(request["args"][0]) for request in runs.theirs[name]["chat"]]
    plain = [[{"role": "user", "content": row["problem"]}] for row in runs.rows[name]]
    ours = [row.get("messages", alone) for row, alone in zip(runs.rows[name], plain, strict=True)]
    assert [messages for messages in ours for _ in range(repeats)] == chats
    assert name != "made_sums" or [each["role"] for each in ours[0]] == ["system", *["user", "assistant"] * 2, "user"]


def test_a_sample_has_the_values_of_each_filter_and_its_group_chooses_the_score(runs: Runs) -> None:
    results = runs.results["made_group"]
    assert set(results.metrics) == {"exact_match,strict", "exact_match,last"}
    pooled = runs.theirs["made_group"]["results"]["made_group"]["exact_match,last"]
    assert results.score.mean == pytest.approx(pooled, abs=1e-12)
    assert set(results.breakdowns) == {"task"}
