"""Presets: found by any name of the model; limits of models as their configs say them."""

from __future__ import annotations

import pytest

from tools.models.hub import hub_name, is_hub_name
from tools.models.limits import model_limit
from tools.models.presets import find_preset, list_presets
from tools.sampling.settings import parse_settings

SEVEN = "nvidia/AceReason-Nemotron-7B"


@pytest.mark.parametrize(
    "name",
    [
        SEVEN,
        "NVIDIA/acereason-nemotron-7b",
        "/models/AceReason-Nemotron-7B/",
        "/hf/hub/models--nvidia--AceReason-Nemotron-7B/snapshots/0123456789abcdef0123456789abcdef01234567",
        "/hf/hub/models--nvidia--AceReason-Nemotron-7B/snapshots/0123456789abcdef0123456789abcdef01234567/",
        "models/nvidia--AceReason-Nemotron-7B",
    ],
)
def test_a_model_keeps_its_preset_by_any_of_its_names(name):
    assert find_preset(name).name == SEVEN


@pytest.mark.parametrize("name", ["*", "any/*", "AceReason", "nvidia/AceReason-Nemotron-7B-AWQ"])
def test_other_models_have_the_defaults(name):
    assert find_preset(name).name == "*"


def test_names_of_the_hub_are_told_from_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert is_hub_name("org/tiny")
    assert not any(map(is_hub_name, ("models/mine", "models/other", "./org/tiny", "/org/tiny", "gpt2", "a/b/c")))
    assert hub_name("org/tiny") == "org/tiny"


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({"max_position_embeddings": 160}, 160),
        ({"text_config": {"max_position_embeddings": 4096}, "max_position_embeddings": 1}, 4096),
        ({"max_position_embeddings": 256, "rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, 1024),
        ({"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "yarn", "factor": 32, "original_max_position_embeddings": 4096}}, 131072),
        ({"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8}}, 131072),
        ({"model_type": "brand_new", "seq_length": 2048}, 2048),
        ({"max_position_embeddings": None, "text_config": 3}, None),
    ],
)  # fmt: skip
def test_the_limit_of_a_model_is_read_without_a_library_that_knows_it(config, limit):
    assert model_limit(config) == limit


FAMILIES = (
    "acereason", "deepseek-r1-", "qwen3-", "qwq", "gpt-oss", "magistral", "nemotron-nano", "nemotron-super",
    "nemotron-ultra", "nemotron-cascade", "phi-4-reasoning", "glm-", "exaone-4", "exaone-deep", "seed-oss", "mimo",
    "skywork-or1", "smollm3", "olmo-3", "hunyuan", "granite",
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_the_open_reasoning_models_in_use_have_presets(family):
    assert [name for name in list_presets() if family in name.lower()]


def test_a_model_with_two_modes_is_told_to_reason_unless_the_command_says_otherwise():
    def settings(model, *words):
        return parse_settings(["--model", model, "--out", "o", "--engine", "vllm", *words], environ={})

    exaone = settings("LGAI-EXAONE/EXAONE-4.0-32B")
    assert exaone.chat.template_kwargs == {"enable_thinking": True}
    assert settings("/models/Llama-3_3-Nemotron-Super-49B-v1").chat.system_prompt == "detailed thinking on"
    told = settings("LGAI-EXAONE/EXAONE-4.0-32B", "--chat-template-kwargs", '{"enable_thinking": false}')
    assert told.chat.template_kwargs == {"enable_thinking": False}
    assert settings("LGAI-EXAONE/EXAONE-4.0-32B", "--model-type", "qwen").chat.template_kwargs == {}


def test_every_preset_names_its_source():
    assert all(preset.source for name, preset in list_presets().items() if name != "*")
    assert find_preset("Qwen/qwen3-8b").sampling.given()["top_k"] == 20
