"""The process in which lm_eval lives. Commands come as one JSON object a line on stdin; answers go to stdout alike.

What tasks print goes to stderr, so that it cannot be taken for an answer. An error that was raised on purpose comes back
as its class's name and text; any other ends one command, not the process.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from tools.errors import EvaluationError
from tools.records import JsonObject


class Service:
    """The commands, and the tasks that were built for them."""

    def __init__(self) -> None:
        self._judges: dict[str, Any] = {}

    def plan(self, task: str, folders: list[str], target: str) -> JsonObject:
        """Writes the rows to `target` and returns the record."""
        from tools.lm_eval_tasks.planning import is_scored, make_record, plan_rows
        from tools.lm_eval_tasks.tasks import build

        built = build(task, folders)
        chat = None if is_scored(built) else build_chat(task, folders)
        count = 0
        with pathlib.Path(target).open("w", encoding="utf-8") as file:
            for row in plan_rows(built, chat):
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
                count += 1
        return make_record(built, count)

    def open(self, task: str, folders: list[str]) -> JsonObject:
        from tools.lm_eval_tasks.judging import TaskJudge
        from tools.lm_eval_tasks.tasks import build

        built = build(task, folders)
        self._judges[task] = TaskJudge(built)
        return {"version": built.version, "versions": {name: str(each.VERSION) for name, each in built.tasks.items()}}

    def judge(self, task: str, name: str, doc_id: int, doc_hash: str, responses: list[Any]) -> JsonObject:
        found: JsonObject = self._judges[task].judge(name, doc_id, doc_hash, responses)
        return found

    def replay(self, task: str, docs: list[Any]) -> JsonObject:
        return {"values": self._judges[task].replay(docs)}

    def aggregate(self, task: str, values: Any) -> JsonObject:
        found: JsonObject = self._judges[task].aggregate(values)
        return found


def build_chat(task: str, folders: list[str]) -> Any:
    """The task as it is asked with a chat template; None where its own code has none."""
    from tools.lm_eval_tasks.tasks import build

    try:
        return build(task, folders, chat=True)
    except EvaluationError:
        return None


def answer(commands: dict[str, Callable[..., JsonObject]], line: str) -> JsonObject:
    """The answer to one command."""
    try:
        command = json.loads(line)
        return {"answer": commands[command.pop("do")](**command)}
    except EvaluationError as error:
        return {"raised": type(error).__name__, "text": str(error)}
    except Exception as error:  # noqa: BLE001 - third-party code raises whatever it likes
        return {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:500]}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    service = Service()
    commands = {
        each.__name__: each for each in (service.plan, service.open, service.judge, service.replay, service.aggregate)
    }
    for line in sys.stdin:
        answers.write(json.dumps(answer(commands, line)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
