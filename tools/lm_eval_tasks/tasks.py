"""Building a task of lm-eval as its own run builds it: the same random seeds, the same number of examples.

lm-eval reads ten thousand files to know its tasks, which takes ten seconds. Here a name is looked for in the files' text,
and only the files that define it, and the members of a group, are read; where that does not do (tags), all of them are.
This module imports lm_eval: it is for the process of child.py alone.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import logging
import pathlib
import random
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import lm_eval
import numpy as np
from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.defaults import DEFAULT_RANDOM_SEED
from lm_eval.tasks import TaskManager
from lm_eval.tasks._index import Entry, TaskIndex
from lm_eval.tasks._yaml_loader import load_yaml
from lm_eval.utils import handle_non_serializable, hash_string

from tools.errors import DataError, EvaluationError, UsageError

OWN_TASKS = pathlib.Path(lm_eval.__file__).parent / "tasks"
DEFINES = re.compile(rb"^(?:task|group)[ \t]*:[ \t]*[\"']?([^\s\"'#\[]+)", re.MULTILINE)
# What runs a model's code is not run as lm-eval runs it, in our own process: this toolkit has a sandbox for it.
OURS_INSTEAD = {"humaneval": "humaneval", "mbpp": "mbpp", "cruxeval": "cruxeval"}
Index = dict[str, Entry]  # lm-eval's, by name
GENERATED, SCORED, WHOLE = "generate_until", "loglikelihood", "loglikelihood_rolling"
OUTPUT_TYPES = {GENERATED: GENERATED, SCORED: SCORED, "multiple_choice": SCORED, WHOLE: SCORED}


@dataclasses.dataclass(frozen=True)
class BuiltTasks:
    """What a name stands for: leaf tasks by name, in their order, and groups by name."""

    name: str
    tasks: dict[str, Any]
    groups: dict[str, Any]
    known: frozenset[str]  # every name that is defined in a file
    state: RandomState  # when the model is asked

    @property
    def version(self) -> str:
        return importlib.metadata.version("lm_eval")


def build(name: str, folders: Sequence[str], *, chat: bool = False) -> BuiltTasks:
    """The task, group or tag of a name, of `folders` before lm-eval's own. Raises UsageError, DataError."""
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    files, is_mentioned = find_definitions([OWN_TASKS, *map(pathlib.Path, folders)], name)
    index = read_index(name, files)
    if index is None and not is_mentioned:
        index = {}
    elif index is None:
        index = TaskManager(include_path=list(folders)).task_index
    refuse_unknown(name, index, files)
    refuse_unsafe(name, index)
    manager = KeepingManager(index)
    loaded, model = load_as_lm_eval(manager, name, chat=chat)
    state = model.state if model.state is not None else RandomState.now()
    return BuiltTasks(name, dict(loaded["tasks"]), dict(loaded.get("groups") or {}), frozenset(files), state)


class KeepingManager(TaskManager):  # type: ignore[misc]
    """A TaskManager of an index that is known, which keeps what it loaded and refuses what cannot be asked here."""

    def __init__(self, index: Index) -> None:
        super().__init__(include_defaults=False)
        self.task_index.update(index)
        self.loaded: Any = None

    def load(self, task_list: Any) -> Any:
        self.loaded = super().load(task_list)
        for name, task in self.loaded["tasks"].items():
            check_kind(name, task)
        return self.loaded


class AskedEnough(Exception):
    """lm-eval's run has come to the model: its requests are built, and its random numbers are where they are then."""


class ProbeModel(LM):  # type: ignore[misc]
    """Stands in for a model in lm-eval's own run, and ends it when it is asked."""

    tokenizer_name = ""

    def __init__(self) -> None:
        super().__init__()
        self.state: RandomState | None = None

    def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
        self.state = RandomState.now()
        raise AskedEnough

    loglikelihood = loglikelihood_rolling = generate_until

    def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
        return json.dumps(chat_history)


def load_as_lm_eval(manager: KeepingManager, name: str, *, chat: bool) -> tuple[Any, ProbeModel]:
    """What lm-eval's own run loads and asks, with its seeds; it ends where the model is asked. Raises DataError."""
    model = ProbeModel()
    try:
        simple_evaluate(
            model,
            tasks=[name],
            task_manager=manager,
            bootstrap_iters=0,
            torch_random_seed=None,
            apply_chat_template=chat,
        )
    except AskedEnough:
        pass
    except EvaluationError:
        raise
    except Exception as error:  # of its files, of its code, of the network
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise DataError(
            f"lm:{name}: lm-eval cannot build it ({said}); check the network, or what the task needs"
        ) from error
    if "langdetect" in sys.modules:  # IFEval's: without a seed a verdict differs from run to run
        sys.modules["langdetect"].DetectorFactory.seed = DEFAULT_RANDOM_SEED
    return manager.loaded, model


@dataclasses.dataclass(frozen=True)
class RandomState:
    """Where Python's and numpy's random numbers are. Some tasks draw while they grade."""

    python: Any
    numpy: Any

    @classmethod
    def now(cls) -> RandomState:
        return cls(random.getstate(), np.random.get_state(legacy=False))

    def restore(self) -> None:
        random.setstate(self.python)
        np.random.set_state(self.numpy)

    @property
    def is_now(self) -> bool:
        return random.getstate() == self.python and repr(np.random.get_state(legacy=False)) == repr(self.numpy)


def find_definitions(folders: Sequence[pathlib.Path], word: str) -> tuple[dict[str, pathlib.Path], bool]:
    """Name -> the file that defines it (a later folder's takes the place of an earlier one's), and whether any file
    has the word at all, as it has a tag's name."""
    mention, is_mentioned = re.compile(rb"(?<![\w-])" + re.escape(word.encode()) + rb"(?![\w-])"), False
    found: dict[str, pathlib.Path] = {}
    for folder in folders:
        here: dict[str, pathlib.Path] = {}
        for path in sorted(folder.glob("**/*.yaml"), key=lambda each: each.as_posix()):
            text = path.read_bytes()
            is_mentioned = is_mentioned or mention.search(text) is not None
            if match := DEFINES.search(text):
                here.setdefault(match[1].decode("utf-8", "replace"), path)
        found |= here
    return found, is_mentioned


def read_index(name: str, files: dict[str, pathlib.Path]) -> Index | None:
    """lm-eval's index of the name and all that it is made of; None where a name is not found (a tag, say)."""
    index: dict[str, Entry] = {}
    waiting = [name]
    while waiting:
        wanted = waiting.pop()
        if wanted in index:
            continue
        if wanted not in files:
            return None
        config = load_yaml(files[wanted], resolve_func=False, recursive=True)
        TaskIndex.process_cfg(config, files[wanted], index)
        if wanted not in index:
            return None
        for member, may_be_new in members_of(config):
            if member in files:
                waiting.append(member)
            elif not may_be_new:
                return None
    return index


def members_of(config: Any) -> Iterator[tuple[str, bool]]:
    """The names in a group's configuration, and whether each may be defined in place, by the group itself."""
    members = config.get("task")
    for member in members if isinstance(members, list) else ():
        if isinstance(member, str):
            yield member, False
            continue
        yield from members_of(member)
        for kind in ("group", "task"):
            if isinstance(member.get(kind), str):
                yield member[kind], True


def refuse_unknown(name: str, index: Index, files: dict[str, pathlib.Path]) -> None:
    if name in index:
        return
    import difflib

    near = difflib.get_close_matches(name, [*files], n=3, cutoff=0.6)
    meant = f"did you mean {' or '.join(f'lm:{each}' for each in near)}? Else" if near else "to find one,"
    raise UsageError(
        f"lm:{name}: lm-eval has no such task; {meant} see `lm_eval ls tasks`, or set LM_EVAL_TASKS=FOLDER"
    )


def refuse_unsafe(name: str, index: Index) -> None:
    """Raises UsageError for tasks that run a model's code; by their files, before any of their code is run."""
    waiting, seen = [name], set()
    while waiting:
        wanted = waiting.pop()
        entry = index.get(wanted)
        if entry is None or wanted in seen:
            continue
        seen.add(wanted)
        config = entry.cfg or {}
        if config.get("unsafe_code"):
            _raise_unsafe(wanted)
        waiting += entry.tags if entry.kind.name == "TAG" else [member for member, _ in members_of(config)]


def _raise_unsafe(name: str) -> None:
    ours = next((our for start, our in OURS_INSTEAD.items() if name.startswith(start)), None)
    remedy = f"use this toolkit's {ours}, which has a sandbox" if ours else "this toolkit has no such benchmark"
    raise UsageError(f"lm:{name} runs a model's code without a sandbox, so it is not run; {remedy}")


def check_kind(name: str, task: Any) -> None:
    """Raises UsageError for what cannot be sampled here."""
    if getattr(task, "UNSAFE_CODE", False):
        _raise_unsafe(name)
    if getattr(task, "MULTIMODAL", False):
        raise UsageError(f"lm:{name} shows images or sounds, which this toolkit does not; choose another task")
    if task.OUTPUT_TYPE not in OUTPUT_TYPES:
        raise UsageError(
            f"lm:{name} is of the kind {task.OUTPUT_TYPE}, which this toolkit does not ask; choose one of the kinds "
            f"{', '.join(OUTPUT_TYPES)}"
        )


def doc_hash(doc: Any) -> str:
    """As lm-eval writes it into its samples."""
    return str(hash_string(json.dumps(doc, indent=2, default=handle_non_serializable, ensure_ascii=False)))
