"""From samples to requests: the prompts of a run, how long an answer may be, and what the manifest says of both.

Every worker prepares for itself; the first one completes the manifests, the others find that theirs agree.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.problems import LoadedBenchmark, load_benchmark
from tools.benchmarks.questions import PROBE, choices_of, is_whole_text, render_question, turns_of
from tools.benchmarks.rows import asked_turns
from tools.engines import GenerationRequest, Request, ScoreRequest, load_tokenizer
from tools.errors import ModelError
from tools.models.chat import is_dated, template_of
from tools.models.limits import read_model_limit
from tools.models.prompts import (
    Prompt,
    encode_prompt,
    encode_scored,
    encode_whole,
    render_without_tokenizer,
    template_sha256,
)
from tools.models.reasoning import find_opened_format, find_template_format
from tools.records import Problem, Sample
from tools.sampling.seeds import SeedRule, request_seed
from tools.sampling.settings import RunSettings
from tools.store import manifest, provenance

PromptKey = tuple[str, str]  # benchmark, task_id


@dataclasses.dataclass(frozen=True)
class RequestMaker:
    """The prompts of a run, and what makes a sample of them into a request. `max_model_len` and `caps` (of an answer,
    by benchmark) are in tokens; `later` has the further turns of problems with several."""

    prompts: Mapping[PromptKey, Prompt]
    max_model_len: int
    caps: Mapping[str, int]
    reasoning_format: str | None
    seed_rule: str = SeedRule.PLAIN.value
    later: Mapping[PromptKey, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def make(self, sample: Sample) -> Request:
        prompt = self.prompts[sample.dataset, sample.task_id]
        if prompt.pairs:
            return ScoreRequest(sample, prompt.pairs, prompt.scored)
        cap = self.caps[sample.dataset]
        if prompt.token_ids is not None:
            cap = min(cap, self.max_model_len - len(prompt.token_ids))
        seed, later = (
            request_seed(self.seed_rule, sample.seed, sample.task_id),
            self.later.get((sample.dataset, sample.task_id), ()),
        )
        return GenerationRequest(sample, prompt, cap, seed, later)

    def answer_cap(self, benchmark: str) -> int | None:
        """The fewest tokens that an answer of a benchmark may have, where the model ends before its cap."""
        lengths = [len(prompt.token_ids or ()) for (name, _), prompt in self.prompts.items() if name == benchmark]
        room = self.max_model_len - max(lengths)
        return room if room < self.caps[benchmark] else None

    def is_opened(self, sample: Sample) -> bool:
        return self.prompts[sample.dataset, sample.task_id].is_reasoning_opened


def prepare_requests(out: pathlib.Path, settings: RunSettings) -> RequestMaker:
    """Reads the problems, encodes their prompts, and completes the manifests. Raises DataError, ModelError."""
    benchmarks = [load_benchmark(name) for name in settings.benchmarks]
    tokenizer = load_own_tokenizer(settings) if settings.uses_tokenizer else None
    prompts = encode_prompts(benchmarks, settings, tokenizer)
    caps = {loaded.name: settings.sampling_of(loaded.benchmark).max_new_tokens for loaded in benchmarks}
    later = find_later_turns(benchmarks, settings)
    requests = RequestMaker(
        prompts,
        fit_length(prompts, caps, settings, later_tokens(later, caps, tokenizer)),
        caps,
        choose_format(next(iter(prompts.values())), settings, tokenizer),
        settings.seed_rule or SeedRule.DERIVED.value,
        later,
    )
    for loaded in benchmarks:
        settle_manifest(out / loaded.name, loaded, requests, settings, tokenizer)
    return requests


def load_own_tokenizer(settings: RunSettings) -> Any:
    """The tokenizer of a run. Raises ModelError."""
    setup = settings.engine_setup(0)
    name, revision = (setup.tokenizer, setup.tokenizer_revision) if setup.tokenizer else (setup.model, setup.revision)
    return load_tokenizer(name, revision=revision, trust_remote_code=setup.trust_remote_code)


def encode_prompts(benchmarks: list[LoadedBenchmark], settings: RunSettings, tokenizer: Any) -> dict[PromptKey, Prompt]:
    """The prompt of every problem. An engine that needs no tokenizer gets text."""
    prompts = {}
    model_limit = functools.cache(lambda: read_model_limit(settings.model_place, settings.revision))
    for loaded in benchmarks:
        for problem in loaded.problems[: settings.limit]:
            question = render_question(problem, loaded.benchmark, settings.model_type)
            turns = turns_of(problem, loaded.benchmark, settings.model_type, loaded.examples)
            if loaded.benchmark.is_scored:
                prompt = _encode_scored(problem, loaded.benchmark, tokenizer, model_limit)
            elif tokenizer is None:
                prompt = render_without_tokenizer(question, settings.model_type, settings.chat, turns)
            else:
                prompt = encode_prompt(question, settings.model_type, tokenizer, settings.chat, turns)
            prompts[loaded.name, problem.task_id] = prompt
    return prompts


def _encode_scored(
    problem: Problem, benchmark: Benchmark, tokenizer: Any, model_limit: Callable[[], int | None]
) -> Prompt:
    """Choices after their context, or a whole text; engines want room for one more token."""
    if not is_whole_text(problem):
        return encode_scored(choices_of(problem, benchmark), tokenizer)
    limit = model_limit()
    return encode_whole(problem.statement, tokenizer, limit and limit - 1)


def find_later_turns(benchmarks: list[LoadedBenchmark], settings: RunSettings) -> dict[PromptKey, tuple[str, ...]]:
    """What the user says after the first answer, of problems with several turns."""
    found = {}
    for loaded in benchmarks:
        for problem in loaded.problems[: settings.limit]:
            if later := asked_turns(problem.fields)[1:]:
                found[loaded.name, problem.task_id] = later
    return found


def later_tokens(
    later: Mapping[PromptKey, tuple[str, ...]], caps: Mapping[str, int], tokenizer: Any
) -> dict[PromptKey, int]:
    """Room that further turns need at most, in tokens: each with an answer of its own."""
    if tokenizer is None:
        return {}
    return {
        key: sum(len(tokenizer.encode(text, add_special_tokens=False)) + caps[key[0]] for text in texts)
        for key, texts in later.items()
    }


def fit_length(
    prompts: Mapping[PromptKey, Prompt],
    caps: Mapping[str, int],
    settings: RunSettings,
    later: Mapping[PromptKey, int] | None = None,
) -> int:
    """Prompt and answer in tokens at most: what was asked for, or the model's limit if that is less."""
    later = later or {}
    lengths = {key: len(prompt.token_ids or ()) for key, prompt in prompts.items()}
    longest = max(lengths.values())
    wanted = max(length + caps[key[0]] + later.get(key, 0) for key, length in lengths.items())
    limit = read_model_limit(settings.model_place, settings.revision) if settings.needs.loads_model else None
    if limit is None or wanted <= limit:
        return wanted
    if longest >= limit:
        raise ModelError(
            f"the longest prompt has {longest} tokens and the model ends at {limit}; choose another model or benchmark"
        )
    cap = settings.sampling.max_new_tokens
    print(f"note: the model ends at {limit} tokens, so answers end before OUT_SEQ_LEN={cap}", flush=True)
    return limit


def choose_format(prompt: Prompt, settings: RunSettings, tokenizer: Any) -> str | None:
    """The reasoning format: as told, else what the prompt opens, else the template's; None leaves it to each text."""
    if settings.reasoning_format:
        return settings.reasoning_format
    found = find_opened_format(prompt.text)
    if found is None and tokenizer is not None:
        found = find_template_format(template_of(tokenizer), tokenizer.get_added_vocab())
    return found.name if found else None


def settle_manifest(
    folder: pathlib.Path, loaded: LoadedBenchmark, requests: RequestMaker, settings: RunSettings, tokenizer: Any
) -> None:
    """Completes a benchmark's manifest with what only the tokenizer knows, or finds that it does not fit."""
    first = requests.prompts[loaded.name, loaded.problems[0].task_id]
    probe = render_question(PROBE, loaded.benchmark, settings.model_type)
    identity = dataclasses.replace(
        settings.identity(loaded),
        template_sha256=template_sha256(probe, settings.model_type, tokenizer, settings.chat),
        reasoning_format=requests.reasoning_format,
    )
    if settings.model_type == "chat" and settings.prompt_date and is_dated(template_of(tokenizer)):
        identity = dataclasses.replace(identity, choices={**identity.choices, "prompt_date": settings.prompt_date})
    manifest.settle(folder, identity, plan_of(loaded, settings))
    facts = manifest.PromptFacts(
        first_prompt=first.text,
        first_prompt_token_ids=first.token_ids,
        is_reasoning_opened_by_prompt=None if settings.sends_questions else first.is_reasoning_opened,
        reasoning_format=requests.reasoning_format,
        max_model_len=requests.max_model_len,
        answer_cap=requests.answer_cap(loaded.name),
        model_num_parameters=provenance.count_parameters(settings.model_place) if settings.needs.loads_model else None,
    )
    manifest.record_prompt(folder, facts)


def plan_of(loaded: LoadedBenchmark, settings: RunSettings) -> manifest.Plan:
    """What is asked of one benchmark."""
    task_ids = [problem.task_id for problem in loaded.problems[: settings.limit]]
    return manifest.Plan(settings.all_seeds(loaded.name), task_ids)
