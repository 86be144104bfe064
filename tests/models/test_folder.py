"""Model folders that no engine could load are told in one line, by what is wrong with them."""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from tests.conftest import ROOT
from tools.errors import ModelError
from tools.models.folder import check_folder

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 15231233024\n"


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(ROOT / "data" / "demo_model", tmp_path / "model")
    return tmp_path / "model"


def refused(folder: pathlib.Path) -> str:
    with pytest.raises(ModelError) as caught:
        check_folder(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_model_passes(folder):
    check_folder(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_git_lfs_pointer_is_called_so(folder, name):
    (folder / name).write_text(POINTER)
    assert f"{name} is a Git LFS pointer" in refused(folder)


@pytest.mark.parametrize("size", [0, 5, 200, 100_000])
def test_half_a_file_of_weights_is_cut_off(folder, size):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    assert "model.safetensors is cut off or damaged" in refused(folder)


def test_half_a_pickle_of_weights_is_cut_off(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04" + bytes(1000))
    assert "pytorch_model.bin is cut off" in refused(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "special_tokens_map.json", "config.json"])
def test_a_link_to_what_is_gone_is_named(folder, name):
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to("../../blobs/gone")
    assert f"{name} is a link" in refused(folder)


def test_a_missing_shard_is_named(folder):
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "model.safetensors").rename(folder / shards["a"])
    (folder / ".cache/huggingface/download").mkdir(parents=True)
    (folder / ".cache/huggingface/download/x.incomplete").touch()
    assert (
        "1 of 2 weight files are missing, the first model-00002-of-00002.safetensors, and a fetch was broken off"
        in (refused(folder))
    )


def test_an_index_of_another_form_of_the_weights_does_not_count(folder):
    index = {"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    check_folder(folder)


def test_what_else_is_missing_is_named(folder):
    (folder / "tokenizer.json").unlink()
    assert "no tokenizer" in refused(folder)
    check_folder(folder, has_tokenizer=False)
    (folder / "config.json").write_text("<html>")
    assert "config.json is not JSON" in refused(folder)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").unlink()
    assert "no weights" in refused(folder)


def test_an_adapter_is_no_model(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    assert "LoRA adapter" in refused(tmp_path)
