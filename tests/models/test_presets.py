"""Presets: found by any name of the model; limits of models as their configs say them."""

from __future__ import annotations

import pytest

from tools.models.hub import hub_name, is_hub_name
from tools.models.limits import model_limit
from tools.models.presets import find_preset

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
