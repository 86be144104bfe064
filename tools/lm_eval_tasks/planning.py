"""From a task to the rows of a problem file and the record beside it. For the process of child.py alone.

A row of a task that generates: `problem` is the prompt as lm-eval's own run sends it without a chat template, examples
included; `messages` the conversation that it puts into one. A row of a task that scores: `problem` is the context,
`choices` are the continuations. `doc_hash` is lm-eval's; grading refuses documents with another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lm_eval.utils import handle_non_serializable

from tools.errors import UsageError
from tools.lm_eval_tasks.tasks import OUTPUT_TYPES, SCORED, WHOLE, BuiltTasks, doc_hash
from tools.records import JsonObject

FORMS = ("generative", "gen", "chat", "cot_zeroshot", "llama")  # how lm-eval names a task that asks for text instead


def plan_rows(built: BuiltTasks, chat: BuiltTasks | None) -> Iterator[JsonObject]:
    """The rows of all tasks, one after another; `chat`: the same built for a chat template. Raises UsageError for a
    mixture that cannot be asked."""
    kinds = {OUTPUT_TYPES[task.OUTPUT_TYPE] for task in built.tasks.values()}
    if len(kinds) > 1:
        raise UsageError(f"lm:{built.name} holds tasks that generate and tasks that score; name them one by one")
    for name, task in built.tasks.items():
        conversations = conversations_of(chat.tasks[name]) if chat else {}
        for doc_id, instances in requests_of(task).items():
            row: JsonObject = {"id": f"{name}-{doc_id}" if built.groups or len(built.tasks) > 1 else str(doc_id)}
            if len(built.tasks) > 1:
                row["task"] = name
            else:
                row["task_name"] = name
            row |= {"doc_id": doc_id, "doc_hash": doc_hash(instances[0].doc)}
            row |= _scored(instances) if SCORED in kinds else _generated(name, instances, conversations.get(doc_id))
            row["answer"] = _as_text(task.doc_to_target(instances[0].doc))
            yield row


def requests_of(task: Any) -> dict[int, list[Any]]:
    """lm-eval's requests by document, in the order of the document's own."""
    found: dict[int, list[Any]] = {}
    for instance in task.instances:
        found.setdefault(instance.doc_id, []).append(instance)
    for instances in found.values():
        instances.sort(key=lambda instance: instance.idx)
    return found


def conversations_of(task: Any) -> dict[int, Any]:
    """The messages that lm-eval gives to a chat template, which is one that writes JSON (ProbeModel)."""
    found = {}
    for doc_id, instances in requests_of(task).items():
        try:
            found[doc_id] = json.loads(instances[0].args[0])
        except (TypeError, ValueError):  # a task that builds its prompts itself
            return {}
    return found


def _generated(name: str, instances: list[Any], messages: list[dict[str, str]] | None) -> JsonObject:
    if len(instances) > 1:
        raise UsageError(f"lm:{name} asks for several texts for one document, which this toolkit does not")
    prompt, gen_kwargs = instances[0].args
    row: JsonObject = {"problem": prompt}
    if messages and messages != [{"role": "user", "content": prompt}]:
        row["messages"] = messages
    return {**row, "gen_kwargs": gen_kwargs}


def _scored(instances: list[Any]) -> JsonObject:
    if instances[0].request_type == WHOLE:
        return {"problem": instances[0].args[0], "is_whole_text": True}
    contexts = [instance.args[0] for instance in instances]
    row: JsonObject = {"problem": contexts[0], "choices": [instance.args[1] for instance in instances]}
    return row | ({"contexts": contexts} if len(set(contexts)) > 1 else {})


def _as_text(target: Any) -> str:
    return target if isinstance(target, str) else json.dumps(target, default=str, ensure_ascii=False)


def is_scored(built: BuiltTasks) -> bool:
    return any(OUTPUT_TYPES[task.OUTPUT_TYPE] == SCORED for task in built.tasks.values())


def make_record(built: BuiltTasks, rows: int) -> JsonObject:
    """What stands beside the file: with what it was planned. All of it is JSON."""
    record = {
        "toolkit": "lm_eval",
        "version": built.version,
        "name": built.name,
        "problems": rows,
        "is_scored": is_scored(built),
        "repeats": max(int(task.get_config("repeats") or 1) for task in built.tasks.values()),
        "main_metric": main_metric(built),
        "tasks": {name: describe_task(task) for name, task in built.tasks.items()},
        "groups": {name: describe_group(group) for name, group in built.groups.items()},
        "generative_form": generative_form(built) if is_scored(built) else None,
    }
    plain: JsonObject = json.loads(json.dumps(record, default=_plain))
    return plain


def _plain(value: Any) -> Any:
    try:
        return handle_non_serializable(value)
    except Exception:  # noqa: BLE001 - whatever a task's configuration holds
        return str(value)


def describe_task(task: Any) -> JsonObject:
    return {
        "version": task.VERSION,
        "output_type": task.OUTPUT_TYPE,
        "num_fewshot": task.get_config("num_fewshot"),
        "higher_is_better": dict(task.higher_is_better()),
        "config": task.dump_config(),
    }


def describe_group(group: Any) -> JsonObject:
    metrics = [vars(each) for each in group.aggregate_metric_list or ()]
    return {"version": group.version, "members": group.child_names, "aggregate_metric_list": metrics}


def main_metric(built: BuiltTasks) -> str | None:
    """The metric (and filter) that the group aggregates first; None leaves it to the task's first one."""
    group = built.groups.get(built.name)
    if group is None or not group.aggregate_metric_list:
        return None
    first = group.aggregate_metric_list[0]
    filters = [first.filter_list] if isinstance(first.filter_list, str) else first.filter_list
    return f"{first.metric},{filters[0] if filters else ''}"


def generative_form(built: BuiltTasks) -> str | None:
    """A task of nearly the same name that asks for text."""
    stem = built.name
    while stem:
        for form in FORMS:
            near = [name for name in built.known if name == f"{stem}_{form}" or re_form(name, stem, form)]
            if near:
                return min(near, key=lambda name: (len(name), name))
        stem = stem.rpartition("_")[0]
    return None


def re_form(name: str, stem: str, form: str) -> bool:
    """Whether a name is the stem, other words and a form: gpqa_main_generative_n_shot of gpqa_main.

    Only forms that say it plainly count with other words between.
    """
    return form == "generative" and name.startswith(f"{stem}_") and f"_{form}" in name
