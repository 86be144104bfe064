"""tools/sampling/run.py from Python: what `sample` is told is what is sampled."""

from __future__ import annotations

import pytest

from tests.support.real_runs import SCRIPTED
from tools.errors import UsageError
from tools.sampling.run import sample
from tools.store.generations import read_folder
from tools.store.manifest import read_manifest

OPTIONS = {"engine": SCRIPTED, "limit": 2, "samples_per_seed": 1, "gpus": 1}


def test_a_model_is_sampled_from_python_and_every_value_counts(tmp_path):
    out = sample("any/name", tmp_path, ["aime_sample"], seeds=[100, 200], temperature=0.0, top_k=None, **OPTIONS)
    assert sorted(generation.seed for generation in read_folder(out / "aime_sample")) == [100, 100, 200, 200]
    manifest = read_manifest(out / "aime_sample")
    assert manifest is not None
    assert manifest.settings["temperature"] == 0.0  # zero is a value, None is not
    assert "top_k" not in manifest.settings


def test_an_option_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--colour"):
        sample("any/name", tmp_path, ["aime_sample"], colour="blue", **OPTIONS)


def test_a_format_is_in_the_identity_of_a_run_and_its_alarm_counts_open_reasoning(tmp_path):
    """Of a chat model, whose prompt opens nothing."""
    answers = {"script_answer": "[THINK]we never end"}
    out = sample("any/name", tmp_path, ["aime_sample"], seeds="100", reasoning_format="mistral", **answers, **OPTIONS)
    manifest = read_manifest(out / "aime_sample")
    assert manifest is not None
    assert manifest.settings["reasoning_format"] == manifest.reasoning_format == "mistral"
    assert '"unclosed": 2' in (out / "status.json").read_text()
