"""What vLLM says of a fault, and what comes of it: messages of its own, as its sources and its logs have them."""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import subprocess
import sys
import threading
import time

import pytest

from tests.conftest import ROOT
from tools.engines import make_options
from tools.engines.vllm_adapter import adapter_arguments, adapter_identity, find_adapter
from tools.engines.vllm_arguments import count_engine_gpus, parse_engine_arguments
from tools.engines.vllm_errors import explain, find_messages
from tools.engines.vllm_processes import EngineDied, EngineWatch, ProcessOutput, exit_code_of
from tools.errors import ModelError, UsageError

ROWS = [json.loads(line) for line in (ROOT / "tests/golden/vllm_faults.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}: {row['source']}" for number, row in enumerate(ROWS)])
def test_a_fault_is_told_in_vllms_words_with_the_option_to_change(row):
    raised = type(row["raised"][0], (Exception,), {})(row["raised"][1])
    told = explain(raised, model="org/model", capacity=8, log=row["log"], is_starting=row["is_starting"])
    assert type(told).__name__ == row["gives"]
    assert "\n" not in str(told)
    for words in row["says"]:
        assert words in str(told)
    for words in row["never"]:
        assert words not in str(told)


def test_the_cause_of_an_exception_is_read_too():
    error = RuntimeError("Worker failed with error, please check the stack trace above")
    error.__cause__ = RuntimeError("CUDA out of memory. Tried to allocate 1.00 GiB.")
    assert type(explain(error, model="m", is_starting=False)).__name__ == "EngineOutOfMemory"


def test_what_nobody_knows_names_the_options_that_went_to_vllm_as_they_are():
    error = type("ValidationError", (Exception,), {})(
        "1 validation error for CacheConfig\ncache_dtype\n  Input should be 'auto'"
    )
    told = str(explain(error, model="m", suspects=["ENGINE_ARGS"]))
    assert (
        told == "m: vLLM cannot start: cache_dtype Input should be 'auto'; check ENGINE_ARGS, and see the worker's log"
    )


def test_an_exceptions_text_ends_where_another_entry_of_the_log_begins():
    log = "(EngineCore pid=7) ERROR 11-26 02:46:11 [core.py:1] ValueError: first,\n"
    log += "(EngineCore pid=7) ERROR 11-26 02:46:11 [core.py:1]   second\n(Worker pid=8) INFO 11-26 02:46:12 [x.py:1] other"
    assert [message.text for message in find_messages(log)] == ["first, second"]


def test_a_long_log_is_read_in_linear_time():
    log = "(" * 200_000 + "\n" + "Error" * 100_000 + "\n" + "(EngineCore pid=7) " * 20_000
    started = time.process_time()
    find_messages(log)
    assert time.process_time() - started < 5


# --- processes ------------------------------------------------------------------------------------------------------


def test_a_process_that_is_killed_wakes_the_one_that_waits():
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,), daemon=True)
    process.start()
    outputs: queue.Queue[object] = queue.Queue()
    watch = EngineWatch([process], outputs)
    process.kill()
    said = outputs.get(timeout=10)
    watch.close()
    assert isinstance(said, EngineDied)
    assert "by SIGKILL" in str(said)


@pytest.mark.parametrize(("noted_after_s", "code"), [(0.3, -9), (None, None)])
def test_the_code_of_a_process_that_somebody_else_waited_for(noted_after_s, code):
    """vLLM's own watch may take the exit status from the kernel first; it stands in the process a moment later."""
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
    process.start()
    process.kill()
    os.waitpid(process.pid, 0)
    if noted_after_s is not None:
        threading.Timer(noted_after_s, setattr, (process._popen, "returncode", -9)).start()
    assert exit_code_of(process, 1.0) == code


def test_a_waiting_worker_that_does_not_wake_is_ended():
    program = (
        "import multiprocessing, time\n"
        "from tools.engines import vllm_processes\n"
        "vllm_processes.GRACE_S = 0.2\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))\n"
        "    process.start()\n"
        "    watch = vllm_processes.EngineWatch([process], None)\n"
        "    process.kill()\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=40)
    assert done.returncode == 3
    assert done.stdout.startswith("error: vLLM's process")


def test_processes_may_end_once_the_engine_is_closed():
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
    process.start()
    outputs: queue.Queue[object] = queue.Queue()
    EngineWatch([process], outputs).close()
    process.join()
    with pytest.raises(queue.Empty):
        outputs.get(timeout=1.5)


def test_only_what_is_printed_from_now_on_is_read(tmp_path):
    program = "from tools.engines.vllm_processes import ProcessOutput; import os, sys\nprint('before')\nsaid = ProcessOutput()\n"
    program += "os.system('echo child')\nprint('own', flush=True)\nsys.exit(said.read() != 'child\\nown\\n')"
    with (tmp_path / "log").open("wb") as log:
        assert (
            subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=log, stderr=log, timeout=40).returncode
            == 0
        )


def test_a_terminal_or_a_pipe_is_not_read():
    assert isinstance(ProcessOutput().read(), str)


# --- arguments and adapters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON object"),
        ("[1]", "no JSON object"),
        ('{"dtype": "half"}', "set DTYPE"),
        ('{"--max-model-len": 5}', "set OUT_SEQ_LEN"),
        ('{"enable_prefix_caching": true}', "must not depend"),
    ],
)
def test_engine_arguments_that_cannot_be_are_refused_at_once(text, says):
    with pytest.raises(UsageError, match=says):
        parse_engine_arguments(text)


def test_a_pipeline_needs_more_gpus():
    assert count_engine_gpus('{"pipeline-parallel-size": 2, "data_parallel_size": 2}') == 4
    with pytest.raises(UsageError, match="is no number of GPUs"):
        count_engine_gpus('{"pipeline_parallel_size": "two"}')


def test_an_adapter_is_told_with_its_rank_and_known_by_its_weights(tmp_path):
    folder = tmp_path / "adapter"
    folder.mkdir()
    with pytest.raises(ModelError, match=r"no adapter_config\.json"):
        find_adapter(str(folder))
    (folder / "adapter_config.json").write_text('{"r": 8, "rank_pattern": {"q_proj": 48}}')
    with pytest.raises(ModelError, match="weights are missing"):
        find_adapter(str(folder))
    (folder / "adapter_model.safetensors").write_bytes(b"one")
    assert adapter_arguments(str(folder)) == {"enable_lora": True, "max_loras": 1, "max_lora_rank": 64}
    before = adapter_identity(str(folder))
    assert before == adapter_identity(str(folder) + os.sep)
    (folder / "adapter_model.safetensors").write_bytes(b"two")
    assert adapter_identity(str(folder)) != before
    with pytest.raises(ModelError, match="no such folder"):
        make_options("vllm", {"adapter": str(tmp_path / "none")})  # before anything is started
