"""The settings of a run: command line, then environment variable of the same name, then the model's preset.

>>> settings = parse_settings(["--model", "nvidia/AceReason-Nemotron-7B", "--out", "out"], family="aime", environ={})
>>> settings.model_type, settings.seeds["aime25"][:2], settings.samples_per_seed["aime25"]
('r1', (111, 222), 8)
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tools.benchmarks.benchmark import find_benchmark
from tools.benchmarks.problems import LoadedBenchmark, find_local_file
from tools.commandline import CommandLine
from tools.engines import ENGINES
from tools.errors import UsageError, run_command
from tools.models.presets import Profile, find_profile
from tools.models.prompts import MODEL_TYPES
from tools.sampling.plan import expand_seeds
from tools.store.manifest import model_revision, package_versions


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Everything that `inference.py` was told. `seeds` are base seeds per data set; None means "as the engine does"."""

    model: str
    out: str
    datasets: tuple[str, ...]
    seeds: Mapping[str, tuple[int, ...]]
    samples_per_seed: Mapping[str, int]
    model_type: str
    engine: str | None
    temperature: float
    top_p: float
    max_new_tokens: int
    dtype: str
    limit: int | None = None
    gpus: str | None = None
    tensor_parallel: int = 1
    max_num_seqs: int | None = None
    gpu_memory_utilization: float = 0.92
    revision: str | None = None
    tokenizer: str | None = None
    base_url: str | None = None
    request_timeout_s: float = 3600.0
    max_retries: int = 6
    is_deterministic: bool = False
    overwrite: bool = False
    stall_timeout_s: float = 1800.0
    on_truncation: str = "warn"
    launcher: str = "local"
    join: bool = False

    @property
    def sends_chat(self) -> bool:
        """True when a server applies its own chat template, so that no token ids are sent."""
        return self.engine == "openai" and self.model_type == "chat"

    def all_seeds(self, dataset: str) -> tuple[int, ...]:
        """Every seed of a set: base seeds and those that follow them."""
        by_name = {find_benchmark(name).name: name for name in self.datasets}
        return expand_seeds(self.seeds[by_name[dataset]], self.samples_per_seed[by_name[dataset]])

    def identity(self, loaded: LoadedBenchmark) -> dict[str, Any]:
        """What decides a sample, as far as it is known before a model is loaded. Two sessions of a run agree on it."""
        versions = package_versions()
        engine = self.engine or ""
        return {
            "model": pathlib.PurePath(self.model).name,
            "model_revision": None if engine == "openai" else model_revision(self.model, self.revision),
            "model_type": self.model_type,
            "engine": engine,
            "engine_version": versions.get(engine) or versions.get(f"{engine}-cpu"),
            "dtype": self.dtype,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_new_tokens": self.max_new_tokens,
            "deterministic": self.is_deterministic,
            "data_sha256": loaded.sha256,
        }

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunSettings:
        row = json.loads(text)
        row["datasets"] = tuple(row["datasets"])
        row["seeds"] = {name: tuple(seeds) for name, seeds in row["seeds"].items()}
        return cls(**row)


# name, type, default shown, help. Each is an option (--out-seq-len) and an environment variable (OUT_SEQ_LEN).
OPTIONS: tuple[tuple[str, Any, str, str], ...] = (
    ("DATASETS", str, "preset's", "sets or JSONL files, separated by commas"),
    ("SEEDS", str, "preset's", "base seeds, separated by spaces or commas"),
    ("SAMPLES_PER_SEED", int, "8; code 1", "samples per problem and base seed s: s, s+1, ..."),
    ("LIMIT", int, "all", "only the first N problems of every set"),
    ("MODEL_TYPE", str, "preset's", "prompt: r1, qwen or chat (the tokenizer's template)"),
    ("ENGINE", str, "best there", "vllm, transformers or openai"),
    ("GPUS", str, "all visible", "how many (8) or which (0,2,3); without GPU: CPU workers"),
    ("TENSOR_PARALLEL", int, "1", "GPUs per engine"),
    ("OUT_SEQ_LEN", int, "32768", "output tokens at most"),
    ("TEMPERATURE", float, "0.6", "0 is greedy"),
    ("TOP_P", float, "0.95", "nucleus sampling"),
    ("DTYPE", str, "bfloat16", "of weights and activations"),
    ("MAX_NUM_SEQS", int, "256; CPU 64", "sequences at once per engine; halved when memory runs out"),
    ("GPU_MEMORY_UTILIZATION", float, "0.92", "share of a GPU's memory that vLLM takes"),
    ("REVISION", str, "main", "the model's revision on the hub"),
    ("TOKENIZER", str, "the model's", "another tokenizer, for a server's model name"),
    ("OPENAI_BASE_URL", str, "none", "the server of ENGINE=openai, http://host:port/v1"),
    ("REQUEST_TIMEOUT_S", float, "3600", "for one answer of a server"),
    ("MAX_RETRIES", int, "6", "of a failed request to a server, with back-off"),
    ("STALL_TIMEOUT_S", float, "1800", "a worker without progress for so long is restarted"),
    ("ON_TRUNCATION", str, "warn", "warn or stop when over 20 %% of the first 32 are cut off"),
    ("LAUNCHER", str, "local", "local, or ray: workers on all nodes of a Ray cluster (RAY_ADDRESS)"),
    ("JOIN", int, "0", "1: help the run that another node leads in the same folder"),
    ("DETERMINISTIC", int, "0", "1: vLLM's batch-invariant mode, slower"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds every option of a run; the environment fills what the command line leaves open."""
    group = parser.add_argument_group("options, each also an environment variable (OUT_SEQ_LEN for --out-seq-len)")
    for name, kind, default, text in OPTIONS:
        flag = "--" + name.lower().replace("_", "-")
        group.add_argument(
            flag,
            dest=name,
            type=kind,
            default=None,
            metavar={int: "N", float: "X", str: "S"}[kind],
            help=f"{text} [{default}]",
        )
    parser.add_argument("--overwrite", action="store_true", help="start anew; what is there is renamed to a backup")


def parse_settings(
    arguments: Sequence[str],
    family: str = "aime",
    environ: Mapping[str, str] = os.environ,
    parser: CommandLine | None = None,
) -> RunSettings:
    """Reads a command line into settings. Raises UsageError. `family` ("aime", "livecodebench") chooses default sets."""
    parser = parser or CommandLine(None)
    parser.add_argument("--model", required=True, help="name on the hub, folder, or a server's model name")
    parser.add_argument("--out", required=True, help="folder for everything that is written")
    add_options(parser)
    given = parser.parse_args(arguments)
    values = {name: _value(name, kind, getattr(given, name), environ) for name, kind, _, _ in OPTIONS}
    return _build(given, values, find_profile(given.model), family)


def _value(name: str, kind: Any, given: Any, environ: Mapping[str, str]) -> Any:
    if given is not None:
        return given
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{name}={text!r} is not a number; unset it or give one") from None


def _build(given: argparse.Namespace, values: Mapping[str, Any], profile: Profile, family: str) -> RunSettings:
    datasets = _datasets(values["DATASETS"], profile, family)
    seeds = {name: _seeds(values["SEEDS"], profile, find_benchmark(name).name) for name in datasets}
    samples = {name: _or(values["SAMPLES_PER_SEED"], find_benchmark(name).samples_per_seed) for name in datasets}
    settings = RunSettings(
        model=given.model,
        out=given.out,
        datasets=datasets,
        seeds=seeds,
        samples_per_seed=samples,
        model_type=values["MODEL_TYPE"] or profile.model_type,
        engine=values["ENGINE"],
        temperature=_or(values["TEMPERATURE"], profile.temperature),
        top_p=_or(values["TOP_P"], profile.top_p),
        max_new_tokens=_or(values["OUT_SEQ_LEN"], profile.max_new_tokens),
        dtype=values["DTYPE"] or profile.dtype,
        limit=values["LIMIT"],
        gpus=values["GPUS"],
        tensor_parallel=_or(values["TENSOR_PARALLEL"], 1),
        max_num_seqs=values["MAX_NUM_SEQS"],
        gpu_memory_utilization=_or(values["GPU_MEMORY_UTILIZATION"], 0.92),
        revision=values["REVISION"],
        tokenizer=values["TOKENIZER"],
        base_url=values["OPENAI_BASE_URL"],
        request_timeout_s=_or(values["REQUEST_TIMEOUT_S"], 3600.0),
        max_retries=_or(values["MAX_RETRIES"], 6),
        is_deterministic=bool(values["DETERMINISTIC"]),
        overwrite=given.overwrite,
        stall_timeout_s=_or(values["STALL_TIMEOUT_S"], 1800.0),
        on_truncation=values["ON_TRUNCATION"] or "warn",
        launcher=values["LAUNCHER"] or "local",
        join=bool(values["JOIN"]),
    )
    check_settings(settings)
    return settings


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _datasets(text: str | None, profile: Profile, family: str) -> tuple[str, ...]:
    if text:
        names = tuple(name for name in re.split(r"[,\s]+", text) if name)
        if len({find_benchmark(name).name for name in names}) < len(names):
            raise UsageError(f"DATASETS={text!r} names a set twice; name each once")
        return names
    at_hand = [name for name in profile.sets_if_at_hand[family] if find_local_file(name)]
    return (*profile.sets[family], *at_hand)


def _seeds(text: str | None, profile: Profile, dataset: str) -> tuple[int, ...]:
    if text is None:
        return profile.base_seeds(dataset)
    words = [word for word in re.split(r"[,\s]+", text) if word]
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"SEEDS={text!r} is not a list of whole numbers; give for example SEEDS='100 200'")
    return tuple(int(word) for word in words)


def check_settings(settings: RunSettings) -> None:
    """Raises UsageError for values that cannot be meant."""
    rules = (
        (
            settings.model_type in MODEL_TYPES,
            f"MODEL_TYPE={settings.model_type} is unknown; choose {', '.join(MODEL_TYPES)}",
        ),
        (
            settings.engine in (None, *ENGINES),
            f"ENGINE={settings.engine} is unknown; choose {', '.join(ENGINES)}",
        ),
        (
            settings.max_new_tokens >= 1,
            f"OUT_SEQ_LEN={settings.max_new_tokens} leaves no room for an answer; give 1 or more",
        ),
        (settings.temperature >= 0, f"TEMPERATURE={settings.temperature} is negative; give 0 (greedy) or more"),
        (0 < settings.top_p <= 1, f"TOP_P={settings.top_p} is outside (0, 1]"),
        (settings.limit is None or settings.limit >= 1, f"LIMIT={settings.limit} leaves no problem; give 1 or more"),
        (settings.tensor_parallel >= 1, f"TENSOR_PARALLEL={settings.tensor_parallel}: give 1 or more GPUs per engine"),
        (settings.max_num_seqs is None or settings.max_num_seqs >= 1, "MAX_NUM_SEQS must be 1 or more"),
        (settings.launcher in ("local", "ray"), f"LAUNCHER={settings.launcher}: choose local or ray"),
        (not (settings.join and settings.overwrite), "JOIN=1 and --overwrite exclude each other; give one"),
        (
            not (settings.join and settings.launcher == "ray"),
            "JOIN=1 is for launchers without Ray, which reaches all nodes by itself; give one of them",
        ),
        (settings.on_truncation in ("warn", "stop"), f"ON_TRUNCATION={settings.on_truncation}: choose warn or stop"),
        (settings.engine != "openai" or settings.base_url, "ENGINE=openai needs OPENAI_BASE_URL=http://host:port/v1"),
    )
    for is_fine, message in rules:
        if not is_fine:
            raise UsageError(message)


def check_model(settings: RunSettings) -> None:
    """Raises UsageError for a model folder that is not there or holds no model, before anything is started or written."""
    model = pathlib.Path(settings.model)
    looks_like_folder = model.is_dir() or settings.model.startswith((".", "/", "~")) or settings.model.count("/") != 1
    looks_like_folder = looks_like_folder or model.parent.is_dir()
    if settings.engine == "openai" or not looks_like_folder:
        return
    if not model.is_dir():
        raise UsageError(
            f"{settings.model}: no such model folder; give a folder with config.json and weights, or a hub name like org/model"
        )
    if not (model / "config.json").is_file():
        raise UsageError(f"{settings.model}: no config.json; this is not the folder of a model")
    tokenizer = pathlib.Path(settings.tokenizer or settings.model)
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")
    if tokenizer.is_dir() and not any((tokenizer / name).is_file() for name in names[:3]):
        raise UsageError(
            f"{tokenizer}: no tokenizer (tokenizer.json, tokenizer.model or vocab.json); copy it there or give --tokenizer"
        )


def main() -> int:
    """Prints the data sets of a run, one a line: for the shell front doors."""
    print("\n".join(parse_settings(sys.argv[1:], os.environ.get("FAMILY", "aime")).datasets))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
