"""The settings of a run: command line, then environment variable of the same name, then the model's preset.

An option is a field here, of records.Sampling, or of an engine's Options, and is written nowhere else.

>>> settings = parse_settings(["--model", "nvidia/AceReason-Nemotron-7B", "--out", "out"], environ={})
>>> settings.model_type, settings.seeds["aime25"][:2], len(settings.all_seeds("aime25"))
('r1', (111, 222), 64)
>>> parse_settings(["--model", "any/other", "--out", "out"], environ={"TOP_K": "20"}).sampling.given()
{'temperature': 0.6, 'top_p': 0.95, 'max_new_tokens': 32768, 'top_k': 20}
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tools.benchmarks.benchmark import Benchmark, find_benchmark, split_names
from tools.commandline import CommandLine, add_options, option, option_fields, read_options
from tools.engines import (
    ENGINES,
    EngineOptions,
    EngineSetup,
    Needs,
    default_engine,
    find_engine,
    make_options,
    refuse_options_of_others,
)
from tools.errors import UsageError, run_command
from tools.models.chat import ChatOptions, read_template_kwargs
from tools.models.formats import FORMATS
from tools.models.hub import find_snapshot
from tools.models.presets import Preset, find_preset
from tools.models.prompts import MODEL_TYPES
from tools.records import Sampling
from tools.sampling.checks import check_settings
from tools.sampling.plan import expand_seeds
from tools.sampling.seeds import SeedRule

if TYPE_CHECKING:  # what only a run needs is imported where it is used: --help has to be quick
    from tools.benchmarks.problems import LoadedBenchmark
    from tools.store.manifest import Identity

LAUNCHERS = ("local", "ray")
DEFAULT_DOOR = "aime"


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Everything that `inference.py` was told. `seeds` are base seeds by benchmark, as `benchmarks` names it."""

    model: str
    out: str
    sampling: Sampling
    engine_options: EngineOptions
    benchmarks: tuple[str, ...] = option(
        (),
        "benchmarks or files of problems, between commas",
        name="DATASETS",
        flags=("--benchmarks", "--tasks"),
        shown="preset's",
    )
    seeds: Mapping[str, tuple[int, ...]] = option(
        None, "base seeds, separated by spaces or commas", shown="preset's"
    )  # fmt: skip
    samples_per_seed: int | None = option(
        None, "samples per problem and base seed s: s, s+1, ...", shown="benchmark's: 8; code 1"
    )
    limit: int | None = option(None, "only the first N problems of every benchmark", shown="all")
    model_type: str = option(
        "chat", "prompt: r1, qwen or chat (the tokenizer's template)", shown="preset's", choices=MODEL_TYPES
    )
    reasoning_format: str | None = option(
        None,
        f"how the model marks its reasoning: {', '.join(FORMATS)}",
        shown="prompt's, template's",
        choices=[*FORMATS],
    )
    engine: str = option("", f"{', '.join(ENGINES)}, or module:Class of your own", shown="best there")
    gpus: str | None = option(
        None, "how many (8), which (0,2,3 or 0-3), or all; without GPU: CPU workers", shown="all visible"
    )  # fmt: skip
    revision: str | None = option(None, "the model's revision on the hub", shown="main")
    tokenizer: str | None = option(None, "another tokenizer, for a server's model name", shown="the model's")
    tokenizer_revision: str | None = option(None, "the revision of TOKENIZER on the hub", shown="main")
    trust_remote_code: int = option(0, "1: run the code that the model's repository brings along")
    generation_config: str = option(
        "none", "model: sampling as its generation_config.json says", choices=("none", "model")
    )
    system_prompt: str | None = option(None, "the system turn of type chat")
    chat_template_kwargs: str | None = option(None, "JSON object for the model's template: enable_thinking, ...")
    prompt_date: str | None = option(None, "the day that a dated template writes", shown="the run's first")
    seed_rule: str | None = option(
        None,
        "a request's seed: derived from seed and problem, or plain",
        shown="derived; old runs: plain",
        choices=[rule.value for rule in SeedRule],
    )
    stall_timeout_s: float = option(1800.0, "a worker without progress for so long is restarted")
    on_truncation: str = option(
        "warn", "warn or stop when over 20 % of the first 32 are cut off", choices=("warn", "stop")
    )
    launcher: str = option(
        "local", "local, or ray: workers on all nodes of a Ray cluster (RAY_ADDRESS)", choices=LAUNCHERS
    )
    join: int = option(0, "1: help the run that another node leads in the same folder")
    overwrite: bool = False
    sampling_given: tuple[str, ...] = ()  # what of `sampling` the command said itself

    @property
    def needs(self) -> Needs:
        return find_engine(self.engine).needs

    @property
    def sends_questions(self) -> bool:
        """True when the engine applies a chat template of its own, so that the question is sent alone."""
        return self.needs.has_own_template and self.model_type == "chat"

    @property
    def uses_tokenizer(self) -> bool:
        return self.needs.tokenizer and not self.sends_questions

    @property
    def model_place(self) -> str:
        """Where this machine has the model: a folder, the hub's cache for a fetched one, else its name."""
        return find_snapshot(self.model, self.revision) if self.needs.loads_model else self.model

    @property
    def tokenizer_place(self) -> str | None:
        return find_snapshot(self.tokenizer, self.tokenizer_revision) if self.tokenizer else None

    @property
    def chat(self) -> ChatOptions:
        return ChatOptions(self.system_prompt, read_template_kwargs(self.chat_template_kwargs), self.prompt_date)

    def all_seeds(self, benchmark: str) -> tuple[int, ...]:
        """Every seed of a benchmark: base seeds and those that follow them."""
        entry, name = next(
            (entry, name) for name in self.benchmarks if (entry := find_benchmark(name)).name == benchmark
        )
        samples = entry.samples_per_seed if self.samples_per_seed is None else self.samples_per_seed
        return expand_seeds(self.seeds[name], samples)

    def sampling_of(self, benchmark: Benchmark) -> Sampling:
        """The sampling with the benchmark's own cap on answers, where it has a lower one."""
        cap = min(self.sampling.max_new_tokens, benchmark.max_new_tokens or self.sampling.max_new_tokens)
        return dataclasses.replace(self.sampling, max_new_tokens=cap)

    def with_batch(self, max_num_seqs: int | None) -> RunSettings:
        """The same with another number of requests at once; None changes nothing."""
        if max_num_seqs is None:
            return self
        options = dataclasses.replace(self.engine_options, max_num_seqs=max_num_seqs)
        return dataclasses.replace(self, engine_options=options)

    def engine_setup(self, max_model_len: int) -> EngineSetup:
        return EngineSetup(
            self.model_place,
            self.sampling,
            max_model_len,
            self.revision if self.model_place == self.model else None,
            self.tokenizer_place,
            self.tokenizer_revision if self.tokenizer_place == self.tokenizer else None,
            bool(self.trust_remote_code),
            self.chat.template_kwargs,
        )

    def identity(self, loaded: LoadedBenchmark) -> Identity:
        """What decides a sample, as far as it is known before a model is loaded."""
        from tools.store.manifest import Identity
        from tools.store.provenance import model_revision, package_versions

        packages = self.needs.packages[:1]
        versions = package_versions(packages)
        return Identity(
            model=pathlib.PurePath(self.model).name,
            model_revision=model_revision(self.model, self.revision) if self.needs.loads_model else None,
            model_type=self.model_type,
            engine=self.engine,
            engine_version=next((versions.get(name) or versions.get(f"{name}-cpu") for name in packages), None),
            engine_options=self.engine_options.identity(),
            sampling=self.sampling_of(loaded.benchmark),
            data_sha256=loaded.sha256,
            reasoning_format=self.reasoning_format,
            choices=self._choices() | ({"examples_sha256": loaded.examples.sha256} if loaded.examples else {}),
        )

    def _choices(self) -> dict[str, bool | int | float | str]:
        """What else decides a sample, where it was chosen. The date is left to who knows whether the template has one."""
        chosen = {
            "seed_rule": self.seed_rule,
            "tokenizer": self.tokenizer,
            "tokenizer_revision": self.tokenizer_revision,
            "system_prompt": self.system_prompt,
            "chat_template_kwargs": self.chat_template_kwargs and json.dumps(self.chat.template_kwargs, sort_keys=True),
            "generation_config": None if self.generation_config == "none" else self.generation_config,
            "trust_remote_code": bool(self.trust_remote_code) or None,
        }
        return {name: value for name, value in chosen.items() if value is not None}

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunSettings:
        row = json.loads(text)
        row["benchmarks"] = tuple(row["benchmarks"])
        row["seeds"] = {name: tuple(seeds) for name, seeds in row["seeds"].items()}
        row["sampling_given"] = tuple(row["sampling_given"])
        row["sampling"] = Sampling(**{**row["sampling"], "stop": tuple(row["sampling"]["stop"])})
        row["engine_options"] = make_options(row["engine"], row["engine_options"])
        return cls(**row)


def parse_settings(
    arguments: Sequence[str],
    door: str = DEFAULT_DOOR,
    environ: Mapping[str, str] = os.environ,
    parser: CommandLine | None = None,
) -> RunSettings:
    """Reads a command line into settings. Raises UsageError. `door` ("aime", "livecodebench") chooses the benchmarks
    where none are named."""
    parser = parser or CommandLine(None)
    parser.add_argument("--model", required=True, help="name on the hub, folder, or a server's model name")
    parser.add_argument("--out", required=True, help="folder for everything that is written")
    parser.add_argument("--config", metavar="FILE", help="suite: a YAML file of benchmarks and options, or its name")
    parser.add_argument("--overwrite", action="store_true", help="start anew; what is there is renamed to a backup")
    add_all_options(parser, _named_engine(arguments, environ))
    given = parser.parse_args(arguments)
    if given.config:
        from tools.sampling.suites import read_suite

        environ = {**read_suite(given.config, RunSettings), **environ}
    return _build(given, environ, find_preset(given.model), door)


def add_all_options(parser: CommandLine, named_engine: str | None = None) -> None:
    """The options of a run, of sampling and of every engine; what several engines have stands with those of a run."""
    names = [*ENGINES] if named_engine is None or named_engine in ENGINES else [*ENGINES, named_engine]
    engines = {name: find_engine(name).Options for name in names}
    count = Counter(option_name for kind in engines.values() for option_name in option_fields(kind))
    group = parser.add_argument_group("options, each also an environment variable (OUT_SEQ_LEN for --out-seq-len)")
    shown: set[str] = set()
    add_options(group, RunSettings)
    add_options(group, Sampling)
    for kind in engines.values():
        add_options(group, kind, but=shown | {name for name in option_fields(kind) if count[name] == 1})
        shown |= {name for name in option_fields(kind) if count[name] > 1}
    for name, kind in engines.items():
        if own := option_fields(kind).keys() - shown:
            group = parser.add_argument_group(f"options of ENGINE={name}, also environment variables")
            add_options(group, kind, but=shown)
            shown |= own


def _named_engine(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """The engine that the command names: one of your own has options that the parser has to know."""
    for position, word in enumerate(arguments):
        if word == "--engine" and position + 1 < len(arguments):
            return arguments[position + 1]
        if word.startswith("--engine="):
            return word.partition("=")[2]
    return environ.get("ENGINE", "").strip() or None


def _build(given: argparse.Namespace, environ: Mapping[str, str], preset: Preset, door: str) -> RunSettings:
    told = read_options(RunSettings, given, environ)
    told["benchmarks"] = _benchmarks(told.get("benchmarks"), preset, door)
    told["seeds"] = {name: _seeds(told.get("seeds"), preset, name) for name in told["benchmarks"]}
    told.setdefault("model_type", preset.model_type)
    told.setdefault("reasoning_format", preset.reasoning_format)
    told = {**preset.chat_options(told["model_type"]), **told}
    told.setdefault("engine", default_engine())
    of_engine = read_options(find_engine(told["engine"]).Options, given, environ)
    refuse_options_of_others(told["engine"], given, environ)
    if preset.dtype:
        of_engine.setdefault("dtype", preset.dtype)
    of_sampling = read_options(Sampling, given, environ)
    if "stop" in of_sampling:
        of_sampling["stop"] = _stop(of_sampling["stop"])
    settings = RunSettings(
        model=given.model,
        out=given.out,
        overwrite=given.overwrite,
        sampling=dataclasses.replace(preset.sampling, **of_sampling),
        sampling_given=tuple(of_sampling),
        engine_options=make_options(told["engine"], of_engine),
        **told,
    )
    check_settings(settings)
    return settings


def _stop(text: str) -> tuple[str, ...]:
    """One text, or a JSON list of texts."""
    if not text.startswith("["):
        return (text,)
    try:
        stops = json.loads(text)
    except ValueError:
        stops = None
    if not stops or not all(isinstance(stop, str) and stop for stop in stops):
        raise UsageError(f"STOP={text!r} is no JSON list of texts; give for example STOP='[\"Question:\"]'")
    return tuple(stops)


def _benchmarks(text: str | None, preset: Preset, door: str) -> tuple[str, ...]:
    if text:
        names = split_names(text)
        if len({find_benchmark(name).name for name in names}) < len(names):
            raise UsageError(f"DATASETS={text!r} names a benchmark twice; name each once")
        return names
    if door not in preset.benchmarks:
        raise UsageError("no benchmarks; name some with --benchmarks aime24,ifeval or --config SUITE")
    from tools.benchmarks.problems import find_local_file

    at_hand = [name for name in preset.benchmarks_if_at_hand[door] if find_local_file(name)]
    return (*preset.benchmarks[door], *at_hand)


def _seeds(text: str | None, preset: Preset, benchmark: str) -> tuple[int, ...]:
    if text is None:
        entry = find_benchmark(benchmark)
        return preset.base_seeds(entry.name)[: entry.most_seeds]
    words = [word for word in re.split(r"[,\s]+", text) if word]
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"SEEDS={text!r} is not a list of whole numbers; give for example SEEDS='100 200'")
    return tuple(int(word) for word in words)


def main() -> int:
    """Prints the folder and the name or file of each benchmark of a run, a tab between them: for the shell doors."""
    for name in parse_settings(sys.argv[1:], os.environ.get("DOOR", DEFAULT_DOOR)).benchmarks:
        print(find_benchmark(name).name, name, sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
