"""vLLM with its engine in a process of its own, as it always is on CUDA: what happens to it is known to the launcher."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import signal
import time

import pytest

from perf.faults import children_of
from tests.conftest import ROOT
from tests.support.real_runs import count_lines, finish, seed_files, start, wait_for, worker_pids

pytestmark = [
    pytest.mark.slow,
    pytest.mark.vllm,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="needs vLLM (make install-cpu)"),
]
RUN = {"ENGINE": "vllm", "GPUS": "1", "OUT_SEQ_LEN": "160", "MAX_NUM_SEQS": "4"}
APART = {"VLLM_ENABLE_V1_MULTIPROCESSING": "1", "PYTHONPATH": str(ROOT / "tests/support/gpu_faults")}


def engine_process(out: pathlib.Path) -> int | None:
    for worker in worker_pids(out):
        for child in children_of(worker):
            if b"EngineCore" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None


def test_memory_that_runs_out_and_a_killed_engine_cost_nothing(tmp_path):
    """The batch is halved, the death is seen at once, and the files are those of an engine in the worker's process."""
    code, errors = finish(start(tmp_path / "reference", **RUN), timeout=400)
    assert code == 0, errors
    out = tmp_path / "out"
    run = start(out, **RUN, **APART, GPU_FAULT="step_memory=2")
    wait_for(lambda: count_lines(out) >= 1 or run.poll() is not None, timeout=900)
    victim = engine_process(out)
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    killed_at = time.monotonic()
    worker = worker_pids(out)[0]
    wait_for(lambda: not pathlib.Path(f"/proc/{worker}").exists() or worker not in worker_pids(out), timeout=30)
    noticed_s = time.monotonic() - killed_at
    code, errors = finish(run, timeout=900)
    assert code == 0, errors
    assert "going on with at most 2 sequences" in errors
    assert "ended by SIGKILL" in errors
    assert errors.count("starting again") == 1
    assert noticed_s < 10
    assert seed_files(out) == seed_files(tmp_path / "reference")
    log = (out / "logs/cpu0.log").read_text()
    assert "KV cache size" in log
    assert "Maximum concurrency" in log
    assert "Traceback (most recent call last)" in log


@pytest.mark.parametrize(
    ("options", "sentence", "remedy"),
    [
        (
            {"GPU_FAULT": "busy"},
            "Free memory on device cuda:0 (10.0/80.0 GiB) on startup is less than desired",
            "GPU_MEMORY_UTILIZATION",
        ),
        (
            {"GPU_FAULT": "small_cache", "OUT_SEQ_LEN": "8000"},
            "KV cache is needed, which is larger than",
            "OUT_SEQ_LEN",
        ),
        ({"GPU_FAULT": "head_size"}, "head_size 100 is not supported", "ENGINE_ARGS"),
        ({"TENSOR_PARALLEL": "3"}, "attention heads (4) must be divisible", "TENSOR_PARALLEL"),
        ({"ENGINE_ARGS": '{"kv_cache_dtype": "nonsense"}'}, "cache_dtype Input should be", "ENGINE_ARGS"),
    ],
)
def test_a_start_that_cannot_be_is_one_line_with_vllms_sentence_and_the_option(tmp_path, options, sentence, remedy):
    code, errors = finish(start(tmp_path, **{**RUN, **APART, **options}), timeout=600)
    last = errors.strip().splitlines()[-1]
    assert code == 1
    assert sentence in last
    assert remedy in last.partition(sentence)[2]
    assert "starting again" not in errors
