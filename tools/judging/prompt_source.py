"""The authors' own files, judge prompts above all: fetched once from their repository at a fixed commit, checked, and kept.

They lie in data/fetched/judges/<template>.<ending> (a baseline's outputs as <template>_baseline, df_gamed.csv as
<template>_gamed.csv), or in the folder that JUDGE_PROMPTS_DIR names; a file that was put there by hand serves as well when
its checksum is right. Nothing of a Python file is run: its constants are read.

>>> read_parts(b'PROMPT = "Is {response} right?"', "python", "PROMPT")
(None, 'Is {response} right?')
>>> read_parts(b'ask = lambda x: [{"role": "user", "content": f"Is {x} right?"}]', "python", "ask")
(None, 'Is {x} right?')
>>> read_parts(b"<|im_start|>system\\nBe fair.\\n<|im_end|>\\n<|im_start|>user\\n{x}\\n<|im_end|>", "chatml", "")
('Be fair.', '{x}')
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import os
import pathlib
import re

from tools.errors import DataError, FetchError
from tools.judging.templates import AuthorsFile, JudgeTemplate, PromptPart
from tools.store.files import ROOT, write_atomically
from tools.store.reading import parse_json, read_small

KEPT = ROOT / "data" / "fetched" / "judges"
MOST_BYTES = 16 << 20
HOST, HUB = "https://raw.githubusercontent.com", "https://huggingface.co"
TIMEOUT_S = 30.0
CHATML = re.compile(r"<\|im_start\|>(system|user)\n(.*?)\n?<\|im_end\|>", re.DOTALL)


def complete(template: JudgeTemplate) -> JudgeTemplate:
    """The template with the texts of its prompts. Raises DataError, FetchError."""
    if template.source is None:
        return template
    data = read_file(template.name, template.source)
    return dataclasses.replace(template, parts=tuple(_filled(template, part, data) for part in template.parts))


def _filled(template: JudgeTemplate, part: PromptPart, data: bytes) -> PromptPart:
    if part.user is not None or template.source is None:
        return part
    try:
        system, user = read_parts(data, template.source.form, part.name)
    except (ValueError, KeyError, SyntaxError, TypeError, RecursionError, StopIteration) as error:
        raise DataError(
            f"{template.name}: its prompt {part.name!r} does not stand in {template.source.path} ({error})"
        ) from error
    return dataclasses.replace(part, system=part.system if system is None else system, user=user)


def keep_file(name: str, source: AuthorsFile) -> pathlib.Path:
    """Where the file lies, fetched where it is not at hand. Raises FetchError, DataError."""
    read_file(name, source)
    return _place(name, source)


def _place(name: str, source: AuthorsFile) -> pathlib.Path:
    folder = pathlib.Path(os.environ.get("JUDGE_PROMPTS_DIR") or KEPT)
    return folder / f"{name}{pathlib.PurePosixPath(source.path).suffix}"


def read_file(name: str, source: AuthorsFile) -> bytes:
    """The file's bytes, fetched where it is not at hand. Raises FetchError, DataError."""
    path = _place(name, source)
    if path.exists():
        try:
            data = read_small(path, MOST_BYTES)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
        _check(data, source, str(path))
        return data
    data = _fetch(source, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path.parent}: cannot be made ({error.strerror}); set JUDGE_PROMPTS_DIR") from error
    write_atomically(path, data.decode("utf-8"))
    return data


def _check(data: bytes, source: AuthorsFile, where: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if source.sha256 and found != source.sha256:
        raise DataError(
            f"{where}: its sha256 is {found[:12]}..., not {source.sha256[:12]}...; put {source.path} of "
            f"{source.repository} at commit {source.commit[:12]} there"
        )


def _url_of(source: AuthorsFile) -> str:
    if source.is_on_hub:
        hub = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
        return f"{hub}/datasets/{source.repository}/resolve/{source.commit}/{source.path}"
    return f"{HOST}/{source.repository}/{source.commit}/{source.path}"


def _fetch(source: AuthorsFile, path: pathlib.Path) -> bytes:
    import urllib.request  # here, because it is needed once

    url = _url_of(source)
    try:
        if source.is_on_hub and os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "on", "yes", "true"):
            raise OSError("HF_HUB_OFFLINE is set")
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            data: bytes = answer.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise FetchError(
            f"{source.path} of {source.repository} could not be fetched ({error}); put it, at commit {source.commit}, into {path}"
        ) from error
    if len(data) > MOST_BYTES:
        raise FetchError(f"{url}: it is larger than {MOST_BYTES >> 20} MiB and was not kept")
    _check(data, source, url)
    return data


def read_parts(data: bytes, form: str, name: str) -> tuple[str | None, str]:
    """System prompt (None where there is none) and the user's text. Raises ValueError, KeyError, SyntaxError."""
    text = data.decode("utf-8")
    if form == "text":
        return None, text
    if form == "chatml":
        texts = dict(CHATML.findall(text))
        return texts.get("system"), texts["user"]
    if form == "jsonl":
        row = next(row for row in map(parse_json, filter(str.strip, text.splitlines())) if row["name"] == name)
        return row["system_prompt"], row["prompt_template"]
    if form == "yaml":
        return _yaml_prompts(text)
    if form == "python":
        return _constant(text, name)
    raise ValueError(f"the form {form!r} is unknown; choose jsonl, yaml, python, text or chatml")


def _yaml_prompts(text: str) -> tuple[str | None, str]:
    """Arena-Hard's settings: system_prompt and prompt_template, which may be a list of one."""
    import yaml  # type: ignore[import-untyped]  # comes with datasets

    try:
        row = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from error
    found = row["prompt_template"]
    return row.get("system_prompt"), found[0] if isinstance(found, list) else found


def _constant(text: str, name: str) -> tuple[str | None, str]:
    """What a module assigns to a name at its top: a text, stripped as the authors strip it, or a function of messages."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == name for each in node.targets
        ):
            if isinstance(node.value, ast.Lambda):
                return _messages(node.value)
            return None, _text_of(node.value)
    raise KeyError(name)


def _messages(function: ast.Lambda) -> tuple[str | None, str]:
    """MixEval's form: `lambda prompt, response: [{"role": "user", "content": f"... {prompt}"}]`."""
    if not isinstance(function.body, ast.List):
        raise ValueError("the function gives no list of messages")
    texts: dict[str, str] = {}
    for message in function.body.elts:
        if not isinstance(message, ast.Dict):
            raise ValueError("a message is no object")
        row = {_text_of(key): value for key, value in zip(message.keys, message.values, strict=True) if key is not None}
        texts[_text_of(row["role"])] = _text_of(row["content"])
    return texts.get("system"), texts["user"]


def _text_of(node: ast.expr) -> str:
    """A literal text; the values of an f-string become placeholders. Nothing is evaluated."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "strip"
        and not node.args
    ):
        return _text_of(node.func.value).strip()
    if isinstance(node, ast.JoinedStr):
        return "".join(
            "{" + part.value.id + "}"
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name)
            else _text_of(part)
            for part in node.values
        )
    raise ValueError(f"line {node.lineno} is no text")
