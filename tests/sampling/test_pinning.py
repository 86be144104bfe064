"""What a run has begun with stays: its rule of seeds, its date; and a request's seed follows the rule."""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from tests.conftest import ROOT
from tests.support.real_runs import SCRIPTED
from tools.errors import SettingsMismatch
from tools.sampling.pinning import apply_generation_config, pin
from tools.sampling.ray_workers import choose_environment
from tools.sampling.run import sample
from tools.sampling.seeds import request_seed
from tools.sampling.settings import RunSettings, parse_settings
from tools.store.generations import read_folder
from tools.store.manifest import read_manifest

OPTIONS = {"engine": SCRIPTED, "limit": 2, "samples_per_seed": 1, "gpus": 1, "seeds": "100"}


def settings_of(*words: str, model: str = "any/name") -> RunSettings:
    words = ("--model", model, "--out", "out", "--engine", SCRIPTED, "--datasets", "aime_sample", *words)
    return parse_settings(list(words), environ={})


def manifest_of(out: pathlib.Path, **settings: object) -> None:
    (out / "aime_sample").mkdir(parents=True)
    row = {
        "settings": {"model": "name", **settings},
        "start_time": "2025-03-04T05:06:07Z",
        "plan": {"seeds": [], "task_ids": []},
    }
    (out / "aime_sample" / "manifest.json").write_text(json.dumps(row))


def test_a_new_run_derives_its_seeds_and_an_old_one_keeps_plain_ones(tmp_path):
    assert pin(settings_of(), tmp_path).seed_rule == "derived"
    manifest_of(tmp_path)  # as version 0.1 wrote them
    assert pin(settings_of(), tmp_path).seed_rule == "plain"
    assert pin(settings_of("--overwrite"), tmp_path).seed_rule == "derived"
    assert pin(settings_of("--seed-rule", "derived"), tmp_path).seed_rule == "derived"  # and is refused by the manifest


def test_the_rule_is_part_of_a_runs_identity(tmp_path):
    out = sample("any/name", tmp_path, ["aime_sample"], **OPTIONS)
    manifest = read_manifest(out / "aime_sample")
    assert manifest is not None
    assert manifest.settings["seed_rule"] == "derived"
    with pytest.raises(SettingsMismatch, match="seed_rule was 'derived' and is now 'plain'"):
        sample("any/name", tmp_path, ["aime_sample"], seed_rule="plain", **OPTIONS)
    manifest_of(tmp_path / "old")
    with pytest.raises(SettingsMismatch, match="seed_rule was 'plain' and is now 'derived'"):
        sample("any/name", tmp_path / "old", ["aime_sample"], seed_rule="derived", **OPTIONS)


def test_the_rule_changes_what_the_engine_draws_and_files_keep_the_samples_seed(tmp_path):
    outputs = {}
    for rule in ("derived", "plain"):
        out = sample("any/name", tmp_path / rule, ["aime_sample"], seed_rule=rule, **OPTIONS)
        generations = list(read_folder(out / "aime_sample"))
        assert {generation.seed for generation in generations} == {100}
        outputs[rule] = [generation.output for generation in generations]
    assert outputs["derived"] != outputs["plain"]


def test_derived_seeds_differ_between_problems_and_fit_every_servers_integer():
    seeds = {request_seed("derived", seed, str(task_id)) for seed in range(64) for task_id in range(30)}
    assert len(seeds) == 64 * 30
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert request_seed("plain", 2**40, "60") == 2**40


def test_the_date_of_the_first_session_is_kept(tmp_path):
    assert len(pin(settings_of(), tmp_path).prompt_date or "") == len("2026-11-26")
    assert pin(settings_of("--prompt-date", "2024-07-26"), tmp_path).prompt_date == "2024-07-26"
    manifest_of(tmp_path)
    assert pin(settings_of(), tmp_path).prompt_date == "2025-03-04"
    shutil.rmtree(tmp_path / "aime_sample")
    manifest_of(tmp_path, prompt_date="2024-01-02")
    assert pin(settings_of(), tmp_path).prompt_date == "2024-01-02"


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ({"system_prompt": "Be brief."}, {}, "system_prompt was 'Be brief.' and is now None"),
        ({}, {"system_prompt": "Be brief."}, "system_prompt was None and is now 'Be brief.'"),
        ({}, {"chat_template_kwargs": '{"enable_thinking": false}'}, "chat_template_kwargs was None"),
        ({}, {"top_k": 20}, "top_k was None and is now 20"),
    ],
)
def test_a_run_is_not_continued_with_an_option_more_or_less(tmp_path, first, then, said):
    sample("any/name", tmp_path, ["aime_sample"], **OPTIONS, **first)
    with pytest.raises(SettingsMismatch, match=said):
        sample("any/name", tmp_path, ["aime_sample"], **OPTIONS, **then)


def test_a_commit_that_was_not_known_does_not_stop_a_run(tmp_path):
    """A first use of a hub model by version 0.1 left such folders."""
    manifest_of(tmp_path, model_revision=None)
    sample("any/name", tmp_path, ["aime_sample"], **OPTIONS)


def test_the_models_own_sampling_is_taken_when_asked_for_and_never_over_what_was_said(tmp_path):
    model = tmp_path / "model"
    shutil.copytree(ROOT / "data" / "demo_model", model)
    proposed = {"repetition_penalty": 1.05, "top_k": 20, "top_p": 0.8, "temperature": 0.7, "max_new_tokens": 9}
    (model / "generation_config.json").write_text(json.dumps(proposed))

    def sampling(*words: str) -> dict[str, object]:
        options = ["--model", str(model), "--out", "out", "--engine", "transformers", *words]
        return apply_generation_config(parse_settings(options, environ={})).sampling.given()

    assert sampling() == {"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 32768}
    assert sampling("--generation-config", "model", "--top-p", "0.9") == {
        "temperature": 0.7, "top_p": 0.9, "max_new_tokens": 32768, "top_k": 20, "repetition_penalty": 1.05,
    }  # fmt: skip


def test_engines_on_other_nodes_know_how_to_reach_the_hub_and_each_other(monkeypatch):
    passed = {
        "HF_ENDPOINT": "http://mirror",
        "HF_HUB_CACHE": "/c",
        "https_proxy": "p",
        "NO_PROXY": "n",
        "NCCL_SOCKET_IFNAME": "eth0",
    }
    for name, value in {**passed, "VLLM_HOST_IP": "10.0.0.1", "SECRET": "x"}.items():
        monkeypatch.setenv(name, value)
    environment = choose_environment()
    assert passed.items() <= environment.items()
    assert not {"VLLM_HOST_IP", "SECRET"} & environment.keys()  # an address is of one node
