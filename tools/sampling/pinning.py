"""Fixes what may not change while a run lasts, before anything is recorded: commits, the rule of seeds, the date.

A run that has begun keeps what its manifest says where the command does not say otherwise: a branch that has moved on the
hub, a new day or a new default change nothing. For a new run the commit is asked for once, at the hub.

    settings = pin(settings, out)        # the launcher, once
    fetch_models(settings)               # the launcher, and every actor of Ray, before a model is loaded
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from tools.engines.vllm_adapter import find_adapter, pin_adapter
from tools.errors import ModelError
from tools.models.folder import check_folder, check_tokenizer
from tools.models.hub import COMMIT, fetch_model, find_commit, find_snapshot, is_hub_name
from tools.records import Sampling
from tools.sampling.seeds import SeedRule
from tools.sampling.settings import RunSettings
from tools.store.manifest import FILE_NAME, Manifest, read_manifest
from tools.store.provenance import now

# What generation_config.json may say of sampling. A cap on answers is OUT_SEQ_LEN's affair.
OF_GENERATION_CONFIG = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty")


def pin(settings: RunSettings, out: pathlib.Path) -> RunSettings:
    """The settings with commits, rule of seeds and date filled in. Raises ModelError, StorageError."""
    made = [] if settings.overwrite else list(_read_manifests(out, settings))
    same_model = [one for one in made if one.settings.get("model") == pathlib.PurePath(settings.model).name]
    rule = settings.seed_rule or (
        _recorded(made, "seed_rule") or SeedRule.PLAIN.value if made else SeedRule.DERIVED.value
    )
    date = (
        settings.prompt_date
        or _recorded(made, "prompt_date")
        or next((manifest.start_time for manifest in made if manifest.start_time), now())
    )
    settings = dataclasses.replace(settings, seed_rule=rule, prompt_date=str(date)[:10])
    if same_model:
        settings = _keep_sampling(settings, same_model[0])
    if settings.needs.loads_model and is_hub_name(settings.model):
        commit = _recorded_commit(same_model, "model_revision") if settings.revision is None else None
        settings = dataclasses.replace(settings, revision=commit or find_commit(settings.model, settings.revision))
    if settings.tokenizer and settings.uses_tokenizer and is_hub_name(settings.tokenizer):
        asked = settings.tokenizer_revision
        commit = _recorded_commit(same_model, "tokenizer_revision") if asked is None else None
        settings = dataclasses.replace(settings, tokenizer_revision=commit or find_commit(settings.tokenizer, asked))
    options: Any = settings.engine_options
    if adapter := getattr(options, "adapter", ""):  # of vLLM
        pinned = pin_adapter(adapter, _recorded(same_model, "adapter"))
        settings = dataclasses.replace(settings, engine_options=dataclasses.replace(options, adapter=pinned))
    return settings


def _keep_sampling(settings: RunSettings, made: Manifest) -> RunSettings:
    """What only a preset says, as it was when the run began: a preset may be newer than the run."""
    plain = Sampling()
    kept: dict[str, Any] = {
        name: made.settings.get(name)
        for name in OF_GENERATION_CONFIG
        if name not in settings.sampling_given and getattr(settings.sampling, name) != getattr(plain, name)
    }
    kept = {name: value for name, value in kept.items() if value is not None or getattr(plain, name) is None}
    return dataclasses.replace(settings, sampling=dataclasses.replace(settings.sampling, **kept))


def fetch_models(settings: RunSettings, *, weights: bool = True) -> None:
    """Lets the files of model and tokenizer be on this machine, and looks at them. Raises ModelError."""
    if settings.uses_tokenizer and settings.tokenizer and is_hub_name(settings.tokenizer):
        assert settings.tokenizer_revision is not None
        check_tokenizer(fetch_model(settings.tokenizer, settings.tokenizer_revision, weights=False), settings.tokenizer)
    if not settings.needs.loads_model:
        return
    if adapter := getattr(settings.engine_options, "adapter", ""):
        find_adapter(adapter)
    if not is_hub_name(settings.model):
        folder = pathlib.Path(settings.model)
        check_folder(folder, has_tokenizer=settings.tokenizer is None)
        return
    assert settings.revision is not None
    folder = fetch_model(settings.model, settings.revision, weights=weights)
    if settings.tokenizer is None:
        check_tokenizer(folder, settings.model)


def apply_generation_config(settings: RunSettings) -> RunSettings:
    """GENERATION_CONFIG=model: the sampling that the model's own file proposes, where the command does not say otherwise.

    The files have to be there. Recorded and handed to every engine as if it had been given. Raises ModelError.
    """
    if settings.generation_config != "model":
        return settings
    if not settings.needs.loads_model:
        raise ModelError(
            "GENERATION_CONFIG=model needs an engine that loads the model; give TEMPERATURE, TOP_P, ... yourself"
        )
    path = pathlib.Path(find_snapshot(settings.model, settings.revision)) / "generation_config.json"
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        proposed = {
            name: kind(row[name])
            for name, kind in (("top_k", int), *((name, float) for name in OF_GENERATION_CONFIG if name != "top_k"))
            if row.get(name) is not None
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"GENERATION_CONFIG=model: {path} cannot be read ({error}); leave it out") from error
    if row.get("do_sample") is False:
        proposed = {**proposed, "temperature": 0.0}
    if not proposed.get("top_k", 1):  # 0 stands for all
        del proposed["top_k"]
    chosen = {name: value for name, value in proposed.items() if name not in settings.sampling_given}
    sampling: Sampling = dataclasses.replace(settings.sampling, **chosen)
    return dataclasses.replace(settings, sampling=sampling)


def _read_manifests(out: pathlib.Path, settings: RunSettings) -> Iterator[Manifest]:
    """Those of the run, its own benchmarks' first: another one that lies in the same folder gives its date too."""
    names = [pathlib.PurePath(name).stem for name in settings.benchmarks]
    paths = sorted(out.glob(f"*/{FILE_NAME}"), key=lambda path: (path.parent.name not in names, path.parent.name))
    for path in paths:
        if ".backup-" not in path.parent.name:
            made = read_manifest(path.parent)
            if made is not None and made.settings:
                yield made


def _recorded(made: Iterable[Manifest], name: str) -> str | None:
    return next((str(value) for manifest in made if (value := manifest.settings.get(name)) is not None), None)


def _recorded_commit(made: Iterable[Manifest], name: str) -> str | None:
    commit = _recorded(made, name)
    return commit if commit and COMMIT.fullmatch(commit) else None
