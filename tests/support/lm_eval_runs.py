"""Tasks of lm-eval on local files, stored responses to them, and both gradings of these: lm-eval's own and ours.

The made-up tasks and texts are this project's; real data are read where they lie and never written into the repository.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from tests.conftest import ROOT

SEED = 100
Rows = Iterable[Mapping[str, Any]]
REASONING = "Q: what? Question: is it {wrong}?\n\nthe answer is</think>\n\n"  # with texts that stop an answer
HABITS = (
    "The answer is {gold}.",
    "The answer is {gold}. And so on. Q: more? The answer is 5.",
    "So I say: the answer is {wrong}.",
    "I get {gold}",
    "  the answer is {gold}\n",
    " ",
    "So the answer is ({gold}).\n\nthe answer is ({wrong}).",
    "Question: \\boxed{{{gold}}} the answer is {gold} .",
)


@dataclasses.dataclass(frozen=True)
class TaskFolder:
    """A folder of tasks, and the environment in which both sides find it."""

    path: pathlib.Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LM_EVAL_TASKS": str(self.path), "LM_EVAL_PLANS": str(self.path.parent / "plans"),
            "HF_DATASETS_CACHE": str(self.path.parent / "cache"), "HF_HUB_OFFLINE": "1",
            "NLTK_DATA": str(self.path.parent / "nltk"),
        }  # fmt: skip

    def write_rows(self, name: str, rows: Rows) -> pathlib.Path:
        path = self.path.parent / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    def write_task(self, name: str, test: pathlib.Path, *, train: pathlib.Path | None = None, **fields: Any) -> None:
        """A task on a local file; `include` names a file of lm-eval's own tasks."""
        if "include" in fields:
            fields["include"] = str(own_tasks() / fields["include"])
        files = {"test": str(test)} | ({"train": str(train), "validation": str(train)} if train else {})
        config = {"task": name, "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files}}
        self.write_config(name, {**config, **fields})

    def write_config(self, name: str, config: Mapping[str, Any]) -> None:
        import yaml

        (self.path / f"{name}.yaml").write_text(yaml.safe_dump(dict(config)), encoding="utf-8")


def own_tasks() -> pathlib.Path:
    import importlib.util

    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None
    assert spec.origin is not None
    return pathlib.Path(spec.origin).parent / "tasks"


def make_folder(place: pathlib.Path) -> TaskFolder:
    (place / "tasks").mkdir()
    (place / "plans").mkdir()
    return TaskFolder(place / "tasks")


def write_made_up(folder: TaskFolder) -> None:
    """Seven tasks and two groups: generation with filters and examples, a corpus metric, scored choices, whole texts, votes."""
    sums = [{"question": f"{a} + {b} = ?", "answer": str(a + b)} for a in range(1, 6) for b in range(3, 6)]
    words = [{"de": f"der {noun} ist rot", "en": f"the {noun} is red"} for noun in "ball hut pen car roof tree".split()]
    facts = [
        {"fact": f"{n} is", "options": ["even", "odd", "a rather small number"], "right": n % 2} for n in range(2, 10)
    ]
    files = {name: folder.write_rows(name, rows) for name, rows in (("sums", sums), ("words", words), ("facts", facts))}
    until = {"until": ["Q:", "\n\n"], "max_gen_toks": 16}
    exact = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
    filters = [
        {"name": "strict", "filter": [{"function": "regex", "regex_pattern": r"answer is (\d+)"}, {"function": "take_first"}]},
        {"name": "last", "filter": [
            {"function": "regex", "regex_pattern": r"(\d+)", "group_select": -1}, {"function": "take_first"}]},
    ]  # fmt: skip
    generated = {"output_type": "generate_until", "test_split": "test", "doc_to_target": "{{answer}}"}
    sums_task = {**generated, "doc_to_text": "Q: {{question}}\nA:", "metric_list": [exact], "filter_list": filters}
    folder.write_task(
        "made_sums", files["sums"], train=files["sums"], **sums_task, generation_kwargs=until, num_fewshot=2,
        fewshot_split="train", description="Add the numbers.\n\n", metadata={"version": 1.5},
    )  # fmt: skip
    folder.write_task("made_more_sums", files["sums"], **sums_task, generation_kwargs={"until": ["Q:"]})
    folder.write_task(
        "made_votes", files["sums"], **{**sums_task, "filter_list": [
            {"name": "first", "filter": [*filters[1]["filter"][:1], {"function": "take_first"}]},
            {"name": "maj@2", "filter": [*filters[1]["filter"][:1], {"function": "majority_vote"}, {"function": "take_first"}]},
        ]}, generation_kwargs=until, repeats=2,
    )  # fmt: skip
    folder.write_task(
        "made_translation", files["words"], **{**generated, "doc_to_target": "{{en}}"}, doc_to_text="{{de}} ->",
        generation_kwargs={"until": ["\n"]},
        metric_list=[
            {"metric": "bleu", "aggregation": "bleu", "higher_is_better": True},
            {"metric": "chrf", "aggregation": "chrf", "higher_is_better": True},
        ],
    )  # fmt: skip
    folder.write_task(
        "made_facts", files["facts"], output_type="multiple_choice", test_split="test", doc_to_text="{{fact}}",
        doc_to_choice="options", doc_to_target="right",
        metric_list=[{**exact, "metric": name} for name in ("acc", "acc_norm")]
        + [{"metric": "brier_score", "aggregation": "brier_score", "higher_is_better": False}],
    )  # fmt: skip
    folder.write_task(
        "made_last_words", files["words"], output_type="loglikelihood", test_split="test",
        doc_to_text="{{en.rsplit(' ', 1)[0]}}", doc_to_target=" {{en.rsplit(' ', 1)[1]}}",
        metric_list=[{"metric": "acc", "aggregation": "mean", "higher_is_better": True},
                     {"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False}],
    )  # fmt: skip
    folder.write_task(
        "made_pages", files["words"], output_type="loglikelihood_rolling", test_split="test",
        doc_to_text="", doc_to_target="{{de}}, {{en}}",
        metric_list=[{"metric": name, "aggregation": aggregation, "higher_is_better": False} for name, aggregation in (
            ("word_perplexity", "weighted_perplexity"), ("byte_perplexity", "weighted_perplexity"),
            ("bits_per_byte", "bits_per_byte"))],
    )  # fmt: skip
    for name, is_weighted in (("made_group", True), ("made_even_group", False)):
        folder.write_config(name, {
            "group": name, "task": ["made_sums", "made_more_sums"], "metadata": {"version": 2.0},
            "aggregate_metric_list": [
                {"metric": "exact_match", "aggregation": "mean", "weight_by_size": is_weighted, "filter_list": "last"}],
        })  # fmt: skip


def texts_for(
    rows: Sequence[Mapping[str, Any]], gold: Callable[[str], str] = str, reasoning: str = REASONING
) -> list[str]:
    """One response a row, right and wrong, with reasoning or without; what stops an answer stands in both parts."""
    return [
        (reasoning + HABITS[row["doc_id"] % len(HABITS)]).format(
            gold=gold(row["answer"]), wrong=gold(rows[0]["answer"])
        )
        for row in rows
    ]


def scores_for(rows: Sequence[Mapping[str, Any]]) -> list[list[tuple[float, bool]]]:
    return [
        [(-0.1 * ((number * 7 + index * 5) % 11) - 1 / 3, (number + index) % 3 == 0)
         for index in range(len(row.get("choices") or [1, 2]))]  # a whole text: two windows
        for number, row in enumerate(rows)
    ]  # fmt: skip


def read_rows(path: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plan(monkeypatch: pytest.MonkeyPatch, folder: TaskFolder, name: str) -> list[dict[str, Any]]:
    """The rows of lm:NAME as this toolkit plans them."""
    from tools.benchmarks.problems import load_benchmark

    for variable, value in folder.environment.items():
        monkeypatch.setenv(variable, value)
    return read_rows(load_benchmark(f"lm:{name}").path)


def store(
    out: pathlib.Path, rows: Sequence[Mapping[str, Any]], responses: Sequence[Any], seed: int = SEED
) -> list[Any]:
    """Writes responses as a folder of ours; returns the same lines for the reference."""
    out.mkdir(parents=True, exist_ok=True)
    lines, theirs = [], []
    for row, response in zip(rows, responses, strict=True):
        said = {"output": response} if isinstance(response, str) else {"output": "", "loglikelihoods": response}
        lines.append({"task_id": row["id"], **said})
        theirs.append({"task": row.get("task") or row["task_name"], "doc_id": row["doc_id"], **said})
    (out / f"seed{seed}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return theirs


def run_reference(folder: TaskFolder, responses: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """lm-eval's own run of each name on the same responses."""
    place = folder.path.parent
    stored, out = place / "responses.jsonl", place / "reference.json"
    stored.write_text("".join(json.dumps(row) + "\n" for row in responses), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.lm_eval_reference", str(folder.path), str(stored), str(out), *names],
        cwd=ROOT, env={**os.environ, **folder.environment, "TQDM_DISABLE": "1"}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def figures(results: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """What is compared: everything that is named metric,filter; standard errors that need no resampling (`like` has them)."""
    like = results if like is None else like
    return {
        name: {key: value for key, value in found.items() if "," in key and like[name].get(key) != "N/A"}
        for name, found in results.items()
    }
