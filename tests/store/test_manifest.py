"""The manifest: says with what everything was made, and refuses other settings with the difference."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tools.errors import SettingsMismatch, StorageError
from tools.records import Sampling
from tools.store import manifest, provenance

SETTINGS = manifest.Identity(
    model="m", model_revision=None, model_type="qwen", engine="vllm", engine_version="1", engine_options={"dtype": "bfloat16"},
    sampling=Sampling(), data_sha256="x",
)  # fmt: skip
WARMER = dataclasses.replace(SETTINGS, sampling=Sampling(temperature=1.0))
PLAN = manifest.Plan([1, 2], ["a"])
TOOLS = manifest.Tools("m", "qwen", "0.2.0", {"transformers": "5"}, "x", provenance.Hardware("x86", "Linux", 2, 8.0))


def test_keys_of_evalchemys_users_are_there(tmp_path):
    manifest.settle(tmp_path, SETTINGS, PLAN)
    manifest.record_origin(tmp_path, "aime24", manifest.DataFile("aime24.jsonl", "x", 30), TOOLS)
    manifest.start_session(tmp_path, TOOLS, "8", 1)
    manifest.end_session(tmp_path, 12.5)
    made = manifest.read_raw(tmp_path)
    for key in (
        "git_hash",
        "hardware_info",
        "transformers_version",
        "start_time",
        "end_time",
        "total_evaluation_time_seconds",
    ):
        assert key in made
    assert made["total_evaluation_time_seconds"] == 12.5
    assert made["sessions"][0]["gpus"] == "8"
    assert (made["dataset"], made["data"]["problems"], made["toolkit_version"]) == ("aime24", 30, "0.2.0")


def test_other_settings_are_refused_with_the_difference(tmp_path):
    manifest.settle(tmp_path, SETTINGS, PLAN)
    with pytest.raises(SettingsMismatch, match=r"temperature was 0.6 and is now 1.0") as caught:
        manifest.settle(tmp_path, WARMER, PLAN)
    assert "--overwrite" in str(caught.value)


def test_more_seeds_and_problems_extend_the_plan(tmp_path):
    manifest.settle(tmp_path, SETTINGS, PLAN)
    manifest.settle(tmp_path, SETTINGS, manifest.Plan([2, 3], ["a", "b"]))
    assert manifest.read_raw(tmp_path)["plan"] == {"seeds": [1, 2, 3], "task_ids": ["a", "b"]}


def test_generations_without_manifest_are_not_continued(tmp_path):
    (tmp_path / "seed1.jsonl").write_text('{"task_id": "a", "output": "x"}\n')
    with pytest.raises(SettingsMismatch, match="nobody knows their settings"):
        manifest.check_settings(tmp_path, SETTINGS)


def test_a_damaged_manifest_is_an_error_of_one_line(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(StorageError, match="damaged"):
        manifest.read_manifest(tmp_path)


def test_overwriting_keeps_a_backup(tmp_path):
    folder = tmp_path / "aime24"
    manifest.settle(folder, SETTINGS, PLAN)
    backup = manifest.move_to_backup(folder)
    assert not folder.exists()
    assert manifest.read_manifest(backup).settings == SETTINGS.to_json()


def test_another_training_of_the_same_architecture_is_another_revision(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"\0" * 4096 + b"one")
    first = provenance.model_revision(str(tmp_path))
    weights.write_bytes(b"\0" * 4096 + b"two")
    assert provenance.model_revision(str(tmp_path)) != first


def test_a_run_of_version_0_1_goes_on(tmp_path):
    """Its settings lack the reasoning format, and hold for every engine what now only some have."""
    old = {"model": "m", "engine": "openai", "dtype": "bfloat16", "deterministic": False, "temperature": 0.6}
    row = {"schema_version": 1, "settings": old, "plan": {"seeds": [1], "task_ids": ["a"]}, "sessions": []}
    (tmp_path / "manifest.json").write_text(json.dumps(row))
    now = dataclasses.replace(SETTINGS, engine="openai", engine_options={}, reasoning_format="think")
    manifest.settle(tmp_path, now, PLAN)
    assert manifest.read_raw(tmp_path)["settings"]["reasoning_format"] == "think"
    with pytest.raises(SettingsMismatch, match="reasoning_format was 'think' and is now 'harmony'"):
        manifest.settle(tmp_path, dataclasses.replace(now, reasoning_format="harmony"), PLAN)


def test_a_prompt_is_recorded_once(tmp_path):
    manifest.settle(tmp_path, SETTINGS, PLAN)
    for text in ("first", "second"):
        manifest.record_prompt(tmp_path, manifest.PromptFacts(text, (1, 2), True, "think", 100, None))
    made = manifest.read_raw(tmp_path)
    assert (made["first_prompt"], made["first_prompt_token_ids"]) == ("first", [1, 2])


def test_a_manifest_is_read_as_far_as_it_makes_sense(tmp_path):
    manifest.settle(tmp_path, SETTINGS, PLAN)
    manifest.record_origin(tmp_path, "aime24", manifest.DataFile("x", "y", 30), TOOLS)
    read = manifest.read_manifest(tmp_path)
    assert (read.model, read.benchmark, read.seeds, read.task_ids) == ("m", "aime24", (1, 2), ("a",))
    assert (read.data_path, read.data_sha256, read.is_reasoning_opened) == ("x", "y", None)
    assert read.setting("engine") == "vllm"
    odd = manifest.Manifest.from_json({"plan": {"seeds": ["x", 3, 3], "task_ids": 5}, "data": [], "model": 7})
    assert (odd.model, odd.seeds, odd.task_ids, odd.data_path) == (None, (3,), (), None)
    assert manifest.read_manifest(tmp_path / "absent") is None


def test_what_is_not_ours_is_read_but_never_written_to(tmp_path):
    (tmp_path / "manifest.json").write_text('{"model": "of another toolkit"}')
    assert manifest.read_manifest(tmp_path).model == "of another toolkit"
    with pytest.raises(StorageError, match="not a manifest of this toolkit"):
        manifest.settle(tmp_path, SETTINGS, PLAN)
