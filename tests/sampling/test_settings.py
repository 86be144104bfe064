"""Settings: command line, then environment, then the model's preset; what cannot be meant is refused."""

from __future__ import annotations

import pytest

from tools.errors import UsageError
from tools.models.presets import find_profile
from tools.sampling.settings import RunSettings, check_model, parse_settings

BASE = ["--model", "org/model", "--out", "out"]


def settings_of(*words: str, family: str = "aime", **environ: str) -> RunSettings:
    return parse_settings([*BASE, *words], family, environ)


# SPEC "Samples".
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
    profile = find_profile(model)
    assert " ".join(map(str, profile.base_seeds(dataset))) == seeds
    assert profile.model_type == model_type


def test_defaults_are_those_of_the_original():
    settings = settings_of()
    assert settings.datasets == ("aime24", "aime25")
    assert (settings.max_new_tokens, settings.temperature, settings.top_p, settings.dtype) == (
        32768,
        0.6,
        0.95,
        "bfloat16",
    )
    assert len(settings.all_seeds("aime24")) == 64
    assert len(settings_of(family="livecodebench").all_seeds("livecodebench")) == 8


def test_samples_per_seed_1_gives_avg_at_8():
    assert settings_of(SAMPLES_PER_SEED="1").all_seeds("aime24") == (100, 200, 300, 400, 500, 600, 700, 800)


def test_options_win_over_the_environment():
    settings = settings_of("--out-seq-len", "64", OUT_SEQ_LEN="128", TOP_P="0.5")
    assert (settings.max_new_tokens, settings.top_p) == (64, 0.5)


def test_settings_survive_the_way_to_the_worker():
    settings = settings_of("--seeds", "1,2", "--limit", "3")
    assert RunSettings.from_json(settings.to_json()) == settings


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
        ["--engine", "magic"],
        ["--engine", "openai"],
        ["--model-type", "gpt"],
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
