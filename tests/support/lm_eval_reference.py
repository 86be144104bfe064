"""lm-eval's own run on stored responses: what the adapter is measured against. Run as a process of its own.

    python -m tests.support.lm_eval_reference TASKS_FOLDER RESPONSES OUT [NAME ...]

RESPONSES: one JSON object a line, {"task", "doc_id", "output"} or {"task", "doc_id", "loglikelihoods"}, one line for each
repeat; OUT gets what simple_evaluate returns, and each request as the model would have got it, without and with a chat
template. Reasoning is taken off as lm-eval's engines take it off (think_end_token), then `until` is applied.
"""

from __future__ import annotations

import importlib.util
import json
import pathlib
import sys
from collections import defaultdict
from typing import Any

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager
from lm_eval.utils import handle_non_serializable


class StoredModel(LM):
    """Gives what is stored, in the order of asking."""

    tokenizer_name = "stored"

    def __init__(self, stored: dict[tuple[str, int], list[Any]]) -> None:
        super().__init__()
        self.stored = {key: list(values) for key, values in stored.items()}
        self.asked: list[dict[str, Any]] = []

    def _next(self, request: Any) -> Any:
        self.asked.append({"task": request.task_name, "doc_id": request.doc_id, "args": list(request.args)})
        return self.stored[request.task_name, request.doc_id].pop(0)

    def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
        return [cut(self._next(request), request.args[1]["until"]) for request in requests]

    def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        return [tuple(self._next(request)) for request in requests]

    def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> list[float]:
        found = [self._next(request) for request in requests]  # the first window; the others follow
        return [value + sum(self._rest(request)) for request, (value, _) in zip(requests, found, strict=True)]

    def _rest(self, request: Any) -> list[float]:
        return [value for value, _ in self.stored.pop((request.task_name, request.doc_id))]

    def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
        return json.dumps(chat_history)


def cut(text: str, until: list[str]) -> str:
    """lm_eval.models.utils.postprocess_generated_text with think_end_token="</think>", without its import of torch."""
    if "</think>" in text:
        text = text.split("</think>")[-1].lstrip()
    for stop in until:
        if stop:
            text = text.split(stop)[0]
    return text


def main() -> None:
    folder, responses, out, *names = sys.argv[1:]
    stored: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for line in pathlib.Path(responses).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        stored[row["task"], row["doc_id"]] += row["loglikelihoods"] if "loglikelihoods" in row else [row["output"]]
    found: dict[str, Any] = {}
    for name in names:
        manager = TaskManager(include_path=folder, include_defaults=False)
        if importlib.util.find_spec("langdetect"):  # unseeded, it flips a verdict of IFEval from run to run
            __import__("langdetect").DetectorFactory.seed = 0
        plain, chat = StoredModel(stored), StoredModel(stored)
        results = simple_evaluate(plain, tasks=[name], task_manager=manager, bootstrap_iters=2)
        simple_evaluate(chat, tasks=[name], task_manager=manager, bootstrap_iters=0, apply_chat_template=True)
        samples = {
            f"{task}-{row['doc_id']}": row["doc_hash"] for task, rows in results["samples"].items() for row in rows
        }
        values = {
            f"{task}-{row['doc_id']}-{metric},{row['filter']}": row[metric]
            for task, rows in results["samples"].items() for row in rows for metric in row["metrics"]
        }  # fmt: skip
        found[name] = {
            "results": results["results"], "versions": results["versions"], "asked": plain.asked, "chat": chat.asked,
            "doc_hashes": samples, "values": values,
        }  # fmt: skip
    pathlib.Path(out).write_text(json.dumps(found, default=handle_non_serializable), encoding="utf-8")


if __name__ == "__main__":
    main()
