"""Settings: command line, then environment, then the model's preset; what cannot be meant is refused."""

from __future__ import annotations

import pytest

from tests.support.real_runs import SCRIPTED
from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.problems import load_benchmark
from tools.commandline import option_fields
from tools.engines import ENGINES, find_engine
from tools.errors import UsageError
from tools.models.presets import find_preset
from tools.records import Sampling
from tools.sampling.checks import check_model
from tools.sampling.settings import RunSettings, parse_settings

BASE = ["--model", "org/model", "--out", "out"]


def settings_of(*words: str, door: str = "aime", **environ: str) -> RunSettings:
    return parse_settings([*BASE, *words], door, environ)


# The seeds of the original toolkit's scripts.
@pytest.mark.parametrize(
    ("model", "dataset", "seeds", "model_type"),
    [
        ("nvidia/AceReason-Nemotron-7B", "aime24", "121 131 141 151 161 171 181 191", "r1"),
        ("nvidia/AceReason-Nemotron-7B", "aime25", "111 222 333 444 555 666 777 888", "r1"),
        ("nvidia/AceReason-Nemotron-14B", "aime24", "111 222 333 444 555 666 777 888", "r1"),
        ("nvidia/AceReason-Nemotron-14B", "livecodebench", "999 1000 1001 1002 1003 1004 1005 1006", "r1"),
        ("/models/AceReason-Nemotron-1.1-7B", "aime25", "100 200 300 400 500 600 700 800", "qwen"),
        ("nvidia/AceReason-Nemotron-1.1-7B", "livecodebench", "111 222 333 444 555 666 777 888", "qwen"),
        ("any/other", "livecodebench_partial", "100 200 300 400 500 600 700 800", "chat"),
    ],
)
def test_presets_hold_the_seeds_of_each_model(model, dataset, seeds, model_type):
    preset = find_preset(model)
    assert " ".join(map(str, preset.base_seeds(dataset))) == seeds
    assert preset.model_type == model_type


def test_defaults_are_those_of_the_original():
    settings = settings_of()
    assert settings.benchmarks == ("aime24", "aime25")
    assert settings.sampling.given() == {"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 32768}
    of_engine = settings_of("--engine", "vllm").engine_options.identity()
    assert of_engine == {
        "dtype": "bfloat16",
        "deterministic": False,
        "adapter": "",
        "quantization": "",
        "engine_args": "",
    }
    assert len(settings.all_seeds("aime24")) == 64
    assert len(settings_of(door="livecodebench").all_seeds("livecodebench")) == 8


def test_samples_per_seed_1_gives_avg_at_8():
    assert settings_of(SAMPLES_PER_SEED="1").all_seeds("aime24") == (100, 200, 300, 400, 500, 600, 700, 800)


def test_options_win_over_the_environment():
    settings = settings_of("--out-seq-len", "64", OUT_SEQ_LEN="128", TOP_P="0.5")
    assert (settings.sampling.max_new_tokens, settings.sampling.top_p) == (64, 0.5)


def test_settings_survive_the_way_to_the_worker():
    settings = settings_of("--seeds", "1,2", "--limit", "3", "--stop", '["a", "b"]', TENSOR_PARALLEL="2", ENGINE="vllm")
    assert RunSettings.from_json(settings.to_json()) == settings
    assert settings.engine_options.gpus_per_engine == 2
    assert settings.sampling.stop == ("a", "b")


def test_sampling_that_is_not_chosen_does_not_enter_the_identity():
    """So a run that was begun by version 0.1 goes on."""
    loaded = load_benchmark("aime_sample")
    options = ["--engine", SCRIPTED, "--datasets", "aime_sample"]
    plain = settings_of(*options).identity(loaded).to_json()
    assert not {"top_k", "min_p", "repetition_penalty", "presence_penalty", "stop", "reasoning_format"} & plain.keys()
    chosen = settings_of(*options, "--top-k", "20", STOP="Question:").identity(loaded).to_json()
    assert {name: value for name, value in chosen.items() if name not in plain} == {"top_k": 20, "stop": ["Question:"]}


def test_every_option_stands_in_help_with_its_default(run_script):
    shown = " ".join(run_script("python", "inference.py", "--help").stdout.split())
    for kind in (RunSettings, Sampling, *(find_engine(name).Options for name in ENGINES)):
        for name in option_fields(kind):
            assert f"--{name.lower().replace('_', '-')}" in shown
    assert "output tokens at most [32768]" in shown
    assert "--request-timeout-s X for one answer of a server [3600]" in shown


def test_an_engine_of_ones_own_needs_no_line_of_ours(run_script):
    settings = settings_of("--engine", SCRIPTED, "--script-words", "3", SCRIPT_DELAY_S="0.5")
    assert settings.engine_options.script_words == 3
    assert settings.engine_options.script_delay_s == 0.5
    shown = run_script("python", "inference.py", "--engine", SCRIPTED, "--help").stdout
    assert "--script-delay-s X" in shown


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tests.support.scripted_engine:Nobody", "cannot be imported"),
        ("no.such.module:Engine", "cannot be imported"),
        ("tools.records:Sample", "is no engine"),
        ("magic", "is unknown; choose vllm, transformers, openai"),
    ],
)
def test_what_is_no_engine_is_refused_in_one_line(name, words):
    with pytest.raises(UsageError, match=words):
        settings_of("--engine", name)


@pytest.mark.parametrize(
    "words",
    [
        ["--seeds", "one"],
        ["--seeds", "100 101"],
        ["--samples-per-seed", "0"],
        ["--limit", "0"],
        ["--temperature", "-1"],
        ["--top-p", "0"],
        ["--top-p", "1.5"],
        ["--out-seq-len", "0"],
        ["--top-k", "0"],
        ["--min-p", "2"],
        ["--repetition-penalty", "0"],
        ["--presence-penalty", "3"],
        ["--stop", "[1]"],
        ["--reasoning-format", "morse"],
        ["--engine", "vllm", "--tensor-parallel", "0"],
        ["--engine", "openai"],
        ["--model-type", "gpt"],
        ["--engine", "vllm", "--dtype", "float13"],
        ["--datasets", "aime24,aime24"],
    ],
)
def test_values_that_cannot_be_meant_are_refused_in_one_line(words):
    with pytest.raises(UsageError) as caught:
        settings_of(*words).all_seeds("aime24")
    assert "\n" not in str(caught.value)


def test_a_number_in_the_environment_that_is_none_is_refused():
    with pytest.raises(UsageError, match="OUT_SEQ_LEN='many'"):
        settings_of(OUT_SEQ_LEN="many")


def test_model_folders_are_checked_before_anything_starts(tmp_path):
    def check(model: str) -> None:
        check_model(parse_settings(["--model", model, "--out", "out"], environ={}))

    with pytest.raises(UsageError, match="no such model folder"):
        check(str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"no config.json"):
        check(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="no tokenizer"):
        check(str(tmp_path))
    check("org/model")  # a hub name is the engine's to find


def test_a_benchmark_may_cap_its_answers():
    entry = Benchmark("short", max_new_tokens=100)
    assert settings_of().sampling_of(entry).max_new_tokens == 100
    assert settings_of(OUT_SEQ_LEN="64").sampling_of(entry).max_new_tokens == 64
    assert settings_of().sampling_of(Benchmark("any")).max_new_tokens == 32768
