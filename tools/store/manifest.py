"""`manifest.json` beside the generations: with what everything was made. Continuing with other settings is refused.

The part "settings" decides what a sample is; two sessions of one run must agree on all of it. What may differ (GPUs,
batch size, hardware) is recorded per session. Keys that Evalchemy's users know keep their names: start_time, end_time,
total_evaluation_time_seconds, git_hash, hardware_info, model_num_parameters, transformers_version.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import pathlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tools.errors import SettingsMismatch, StorageError
from tools.records import JsonObject, JsonRow, Sampling
from tools.store.files import storage_error, write_atomically
from tools.store.generations import list_files
from tools.store.json_object import read_object
from tools.store.provenance import Hardware, now

SCHEMA_VERSION = 1
FILE_NAME = "manifest.json"


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a manifest says; None, or empty, where it says nothing that can be read. `raw` is all of it, as it stands.

    `seeds` and `task_ids` are the plan. `is_reasoning_opened`: the prompts ended in the mark that opens reasoning.
    """

    model: str | None
    benchmark: str | None
    settings: JsonRow
    seeds: tuple[int, ...]
    task_ids: tuple[str, ...]
    data_path: str | None
    data_sha256: str | None
    is_reasoning_opened: bool | None
    reasoning_format: str | None
    versions: JsonRow
    start_time: str | None
    end_time: str | None
    raw: JsonRow

    @classmethod
    def from_json(cls, row: JsonRow) -> Manifest:
        """Never raises: what has another shape is taken as not said."""
        plan, data = _mapping(row.get("plan")), _mapping(row.get("data"))
        told = row.get("is_reasoning_opened_by_prompt")
        return cls(
            model=_text(row.get("model")),
            benchmark=_text(row.get("dataset")),
            settings=_with_findings(row),
            seeds=tuple(dict.fromkeys(seed for seed in _list(plan.get("seeds")) if isinstance(seed, int))),
            task_ids=tuple(dict.fromkeys(map(str, _list(plan.get("task_ids"))))),
            data_path=_text(data.get("path")),
            data_sha256=_text(data.get("sha256")),
            is_reasoning_opened=told if isinstance(told, bool) else None,
            reasoning_format=_text(row.get("reasoning_format")),
            versions=_mapping(row.get("versions")),
            start_time=_text(row.get("start_time")),
            end_time=_text(row.get("end_time")),
            raw=row,
        )

    def setting(self, name: str) -> Any:
        """A value wherever a version keeps it: at the top, among the settings, in the identity; None where nowhere."""
        for place in (self.raw, self.settings, _mapping(self.raw.get("identity"))):
            if place.get(name) is not None:
                return place[name]
        return None


def _mapping(value: Any) -> JsonRow:
    return value if isinstance(value, dict) else {}


def _with_findings(row: JsonRow) -> JsonRow:
    """The settings, with what a run found of them: `answer_cap` where the model ends before the cap, and `dropped`, the
    names of those that a server refused, so that it sampled without."""
    found: dict[str, Any] = dict(_mapping(row.get("settings")))
    if isinstance(row.get("answer_cap"), int):
        found["answer_cap"] = row["answer_cap"]
    if dropped := sorted({name for name in _list(row.get("dropped")) if isinstance(name, str)}):
        found["dropped"] = ", ".join(dropped)
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def read_manifest(folder: pathlib.Path) -> Manifest | None:
    """The manifest of a benchmark's folder, None where there is none. Raises StorageError when it is damaged."""
    row = _read_object(folder)
    return None if row is None else Manifest.from_json(row)


def read_raw(folder: pathlib.Path) -> JsonObject | None:
    """As it stands in the file, for those who write it. Raises StorageError, also for one that is not of this toolkit."""
    row = _read_object(folder)
    if row is not None and not isinstance(row.get("settings"), dict):
        raise StorageError(
            f"{folder / FILE_NAME}: not a manifest of this toolkit; restore it, or start anew with --overwrite"
        )
    return row


def _read_object(folder: pathlib.Path) -> JsonObject | None:
    try:
        return read_object(folder / FILE_NAME)
    except StorageError as error:
        raise StorageError(
            f"{folder / FILE_NAME}: damaged or unreadable; restore it, or start anew with --overwrite"
        ) from error


# Settings that came after version 0.1, or that are recorded only where they were given.
UNLESS_GIVEN = (
    "top_k", "min_p", "repetition_penalty", "presence_penalty", "stop", "system_prompt", "chat_template_kwargs",
    "trust_remote_code",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Identity:
    """What decides a sample. Two sessions of a run agree on all of it that both know; None: not known yet, or unset."""

    model: str
    model_revision: str | None
    model_type: str
    engine: str
    engine_version: str | None
    engine_options: Mapping[str, bool | int | float | str]
    sampling: Sampling
    data_sha256: str
    template_sha256: str | None = None
    reasoning_format: str | None = None
    choices: Mapping[str, bool | int | float | str] = dataclasses.field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """Flat, under the names that version 0.1 wrote."""
        row = dict(self.__dict__)
        row |= {**row.pop("engine_options"), **row.pop("sampling").given(), **row.pop("choices")}
        row = {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}
        late = ("template_sha256", "reasoning_format", "engine_version")
        return {name: value for name, value in row.items() if value is not None or name not in late}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What was asked for: every problem with every seed."""

    seeds: Sequence[int]
    task_ids: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Tools:
    """With which programs and machine a session works. `versions` are of packages, `toolkit_version` is ours."""

    model: str
    model_type: str
    toolkit_version: str
    versions: Mapping[str, str]
    git_hash: str | None
    hardware_info: Hardware

    def to_json(self) -> JsonObject:
        return {**dataclasses.asdict(self), "transformers_version": self.versions.get("transformers")}


@dataclasses.dataclass(frozen=True)
class DataFile:
    """The problem file: where it was, its hash, and how many problems it holds."""

    path: str
    sha256: str
    problems: int


@dataclasses.dataclass(frozen=True)
class PromptFacts:
    """What only the tokenizer knows: the first prompt, to the token, and the longest sequence."""

    first_prompt: str
    first_prompt_token_ids: Sequence[int] | None
    is_reasoning_opened_by_prompt: bool | None
    reasoning_format: str | None
    max_model_len: int
    model_num_parameters: int | None
    answer_cap: int | None = (
        None  # tokens that the longest prompt leaves of the model's limit, where OUT_SEQ_LEN is more
    )


def check_settings(folder: pathlib.Path, identity: Identity) -> None:
    """Raises SettingsMismatch when the folder was made with other settings, naming each difference.

    Only keys that both sides have are compared, so the launcher can ask early with the part that it knows; but where
    UNLESS_GIVEN are absent they were not given, and where the rule of seeds is, it was plain.
    """
    manifest = read_raw(folder)
    if manifest is None:
        if list_files(folder):
            raise SettingsMismatch(
                f"{folder} holds generations without {FILE_NAME}, so nobody knows their settings; choose another folder or --overwrite"
            )
        return
    now_with = identity.to_json()
    made_with = {"seed_rule": "plain", **manifest["settings"]}
    not_given: dict[str, object] = dict.fromkeys(UNLESS_GIVEN)
    known = {key: value for key, value in made_with.items() if value is not None}
    asked = {key: value for key, value in now_with.items() if value is not None}
    differences = [
        f"{key} was {was!r} and is now {value!r}"
        for key, value in {**not_given, **asked}.items()
        if (was := known.get(key)) != value and (key in known or key in UNLESS_GIVEN)
    ]
    if differences:
        raise SettingsMismatch(
            f"{folder} was made with other settings: {'; '.join(differences)}; use the same, another folder, or --overwrite (keeps a backup)"
        )


def settle(folder: pathlib.Path, identity: Identity, plan: Plan) -> None:
    """Creates the folder's manifest or checks and extends the one that is there, under a lock.

    What is planned is united with what was planned before. Raises SettingsMismatch.
    """
    with _locked(folder):
        check_settings(folder, identity)
        for leftover in folder.glob(f".{FILE_NAME}.*.tmp"):  # all writers hold this lock, so its writer was killed
            leftover.unlink(missing_ok=True)
        manifest = read_raw(folder) or {
            "schema_version": SCHEMA_VERSION,
            "start_time": now(),
            "end_time": None,
            "total_evaluation_time_seconds": 0.0,
            "sessions": [],
            "plan": {"seeds": [], "task_ids": []},
        }
        settled = dict(manifest.get("settings", {}))
        settled |= {key: value for key, value in identity.to_json().items() if value is not None or key not in settled}
        manifest = {**manifest, "settings": settled}
        for key, planned in dataclasses.asdict(plan).items():
            manifest["plan"][key] = list(dict.fromkeys([*manifest["plan"][key], *planned]))
        _write(folder, manifest)


def record_origin(folder: pathlib.Path, benchmark: str, data: DataFile, tools: Tools) -> None:
    """Records once with what the folder's first samples were made."""
    with _changing(folder) as row:
        for key, value in {**tools.to_json(), "dataset": benchmark, "data": dataclasses.asdict(data)}.items():
            row.setdefault(key, value)


def record_planned(folder: pathlib.Path, plan: JsonRow) -> None:
    """Records once with what another toolkit planned the problems: its version, the tasks' versions and configurations."""
    with _changing(folder) as row:
        row.setdefault("planned", dict(plan))


def record_prompt(folder: pathlib.Path, facts: PromptFacts) -> None:
    """Records once what the first worker found; a cap that a longer prompt lowers is lowered."""
    with _changing(folder) as row:
        found = {key: value for key, value in dataclasses.asdict(facts).items() if key != "answer_cap"}
        for key, value in found.items():
            row.setdefault(key, value)
        if facts.answer_cap is not None:
            row["answer_cap"] = min(facts.answer_cap, row.get("answer_cap", facts.answer_cap))


def record_dropped(folder: pathlib.Path, names: Sequence[str]) -> None:
    """Records what of the settings a server refused in any session, so that it was sampled without."""
    with _changing(folder) as row:
        row["dropped"] = list(dict.fromkeys([*_list(row.get("dropped")), *names]))


def start_session(folder: pathlib.Path, tools: Tools, gpus: str | None, gpus_per_engine: int) -> None:
    """Records that a command begins to work on this folder."""
    session = {"start_time": now(), "gpus": gpus, "tensor_parallel": gpus_per_engine, **tools.to_json()}
    with _changing(folder) as row:
        row.setdefault("sessions", []).append(session)


def end_session(folder: pathlib.Path, seconds: float) -> None:
    """Records that all samples of the plan are there."""
    with _changing(folder) as row:
        row["end_time"] = now()
        row["total_evaluation_time_seconds"] = round(row.get("total_evaluation_time_seconds", 0.0) + seconds, 1)


def move_to_backup(folder: pathlib.Path) -> pathlib.Path | None:
    """--overwrite: renames the folder out of the way; returns where it lies now, None when there was none."""
    if not folder.exists():
        return None
    backup = folder.with_name(f"{folder.name}.backup-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        folder.rename(backup)
    except OSError as error:
        raise storage_error(folder, error) from error
    return backup


@contextmanager
def _changing(folder: pathlib.Path) -> Iterator[Any]:
    """The manifest as it stands in the file, written back afterwards; where there is none, nothing is written."""
    with _locked(folder):
        row = read_raw(folder)
        yield {} if row is None else row
        if row is not None:
            _write(folder, row)


def _write(folder: pathlib.Path, manifest: JsonRow) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    # Lists of numbers (token ids, seeds) on one line each: people read this file.
    text = re.sub(r"\[\s+(-?\d+(?:,\s+-?\d+)*)\s+\]", lambda match: f"[{' '.join(match[1].split())}]", text)
    write_atomically(folder / FILE_NAME, text + "\n")


@contextmanager
def _locked(folder: pathlib.Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
