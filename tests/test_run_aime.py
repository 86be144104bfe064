"""Whole runs of the real scripts: vLLM on the CPU with the demo model, the scripted engine where the engine does not
matter."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.support.openai_server import serve_openai
from tests.support.real_runs import SCRIPTED
from tools.records import Verdict
from tools.results.build import read_results
from tools.store.generations import read_folder

MODEL = "data/demo_model"
QUICK = {"DATASETS": "aime_sample", "OUT_SEQ_LEN": "48", "LIMIT": "4", "SEEDS": "100 200", "SAMPLES_PER_SEED": "1"}


@pytest.fixture
def vllm_server(tmp_path) -> Iterator[str]:
    """vLLM's own OpenAI-compatible server with the demo model, under the name "served"."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        sys.executable,
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--model",
        MODEL,
        "--served-model-name",
        "served",
    ]
    words += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--dtype",
        "bfloat16",
        "--max-model-len",
        "1024",
        "--max-num-batched-tokens",
        "2048",
    ]
    words += ["--enforce-eager", "--no-enable-chunked-prefill", "--no-enable-prefix-caching"]
    env = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_HOST_IP": "127.0.0.1",
        "DO_NOT_TRACK": "1",
    }
    env["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(words, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def seed_bytes(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("seed*.jsonl")}


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory) -> pathlib.Path:
    """The sample set with 64 seeds on one vLLM worker, its engine in a process of its own as on CUDA: shared by the
    tests below, which compare it with engines in the worker's process."""
    out = tmp_path_factory.mktemp("one")
    env = {
        **os.environ,
        "PYTHON": sys.executable,
        "GPUS": "1",
        "DATASETS": "aime_sample",
        "OUT_SEQ_LEN": "160",
        "SAMPLES_PER_SEED": "8",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "1",
    }
    done = subprocess.run(
        ["bash", "run_aime.sh", MODEL, str(out)], cwd=ROOT, env=env, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    (out / "stdout.txt").write_text(done.stdout)
    return out


@pytest.mark.slow
@pytest.mark.vllm
def test_eight_base_seeds_give_64_files_each_with_all_problems(one_worker):
    files = sorted((one_worker / "aime_sample").glob("seed*.jsonl"))
    assert len(files) == 64
    assert all(len(path.read_bytes().split(b"\n")) == 21 for path in files)
    keys = [(generation.task_id, generation.seed) for generation in read_folder(one_worker / "aime_sample")]
    assert len(keys) == len(set(keys)) == 64 * 20


@pytest.mark.parametrize("door", ["aime", "livecodebench"])
def test_any_door_samples_and_grades_any_benchmark(tmp_path, run_script, door):
    own = tmp_path / "own.jsonl"
    own.write_text((ROOT / "data/livecodebench_sample.jsonl").read_text().partition("\n")[0] + "\n")
    env = {**QUICK, "ENGINE": SCRIPTED, "DATASETS": f"aime_sample,livecodebench_sample,{own}", "LIMIT": "1"}
    done = run_script("bash", f"run_{door}.sh", "any/name", tmp_path / "out", env=env)
    assert done.returncode == 0, done.stderr
    for name in ("aime_sample", "livecodebench_sample", "own"):
        assert (tmp_path / "out" / name / "accuracy_results.json").exists()
        assert f"{name} " in done.stdout


@pytest.mark.slow
@pytest.mark.vllm
def test_the_demo_model_is_right_wrong_and_cut_off(one_worker):
    results = read_results(one_worker / "aime_sample")
    assert 0 < results.score.mean < 1
    assert results.counts[Verdict.CORRECT]
    assert results.counts[Verdict.WRONG]
    assert results.counts[Verdict.TRUNCATED]
    assert "avg@64" in results.headline
    assert "aime_sample" in (one_worker / "stdout.txt").read_text()


@pytest.mark.slow
@pytest.mark.vllm
def test_the_manifest_says_with_what_it_was_made(one_worker):
    manifest = json.loads((one_worker / "aime_sample" / "manifest.json").read_text())
    assert manifest["settings"]["engine"] == "vllm"
    assert manifest["settings"]["model_revision"].startswith("sha256:")
    assert manifest["first_prompt_token_ids"]
    assert manifest["first_prompt"].endswith("<think>\n")
    assert manifest["model_num_parameters"] > 100_000
    assert len(manifest["plan"]["seeds"]) == 64
    assert manifest["total_evaluation_time_seconds"] > 0


@pytest.mark.slow
@pytest.mark.vllm
def test_two_workers_and_a_resumed_run_give_the_same_bytes(one_worker, tmp_path, run_script):
    env = {"DATASETS": "aime_sample", "OUT_SEQ_LEN": "160", "SAMPLES_PER_SEED": "8", "SEEDS": "100"}
    done = run_script("bash", "run_aime.sh", MODEL, tmp_path, env={**env, "GPUS": "2", "LIMIT": "7"})
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "aime_sample").glob("seed*.jsonl"))
    files[0].unlink()  # lost
    files[1].write_bytes(files[1].read_bytes()[:-40])  # torn
    done = run_script("bash", "run_aime.sh", MODEL, tmp_path, env={**env, "GPUS": "1"})
    assert done.returncode == 0, done.stderr
    undisturbed = seed_bytes(one_worker / "aime_sample")
    resumed = seed_bytes(tmp_path / "aime_sample")
    assert len(resumed) == 8
    assert resumed == {name: undisturbed[name] for name in resumed}


def test_a_second_call_samples_nothing_and_other_settings_are_refused(tmp_path, run_script):
    env = {**QUICK, "ENGINE": SCRIPTED}
    assert run_script("bash", "run_aime.sh", MODEL, tmp_path, env=env).returncode == 0
    before = seed_bytes(tmp_path / "aime_sample")
    again = run_script("bash", "run_aime.sh", MODEL, tmp_path, env=env)
    assert again.returncode == 0
    assert "(0 new)" in again.stderr
    other = run_script("bash", "run_aime.sh", MODEL, tmp_path, env={**env, "TEMPERATURE": "1.0"})
    assert other.returncode == 1
    assert "temperature was 0.6 and is now 1.0" in other.stderr
    assert other.stderr.count("\n") == 1
    assert seed_bytes(tmp_path / "aime_sample") == before
    anew = run_script("bash", "run_aime.sh", MODEL, tmp_path, "--overwrite", env={**env, "TEMPERATURE": "1.0"})
    assert anew.returncode == 0, anew.stderr
    (backup,) = tmp_path.glob("aime_sample.backup-*")
    assert seed_bytes(backup) == before
    assert seed_bytes(tmp_path / "aime_sample") != before


def test_generate_and_evaluate_apart_give_what_run_gives(tmp_path, run_script):
    env = {"ENGINE": SCRIPTED, "OUT_SEQ_LEN": "48", "LIMIT": "3", "SAMPLES_PER_SEED": "2"}
    done = run_script("bash", "generate_aime.sh", MODEL, "100", "aime_sample", tmp_path, "qwen", env=env)
    assert done.returncode == 0, done.stderr
    assert sorted(seed_bytes(tmp_path / "aime_sample")) == ["seed100.jsonl", "seed101.jsonl"]
    assert not (tmp_path / "aime_sample" / "accuracy_results.json").exists()
    done = run_script(
        "python", "evaluate_aime.py", "--modelfolder", tmp_path / "aime_sample", "--dataset", "data/aime_sample.jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert read_results(tmp_path / "aime_sample").subset.count == 3


def test_a_server_that_answers_500_leaves_samples_missing_and_says_so(tmp_path, run_script):
    env = {**QUICK, "ENGINE": "openai", "MODEL_TYPE": "chat", "MAX_RETRIES": "0"}
    with serve_openai(faults=[500]) as (url, _):
        env["OPENAI_BASE_URL"] = url
        done = run_script("bash", "run_aime.sh", "served", tmp_path, env=env)
        assert done.returncode == 1
        assert "1 of 8 samples are missing" in done.stderr
        assert "a bad day" in done.stderr
        done = run_script("bash", "run_aime.sh", "served", tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert "(1 new)" in done.stderr


@pytest.mark.slow
@pytest.mark.vllm
def test_a_real_server_gives_the_bytes_of_the_engine_in_process(one_worker, tmp_path, run_script, vllm_server):
    env = {
        "ENGINE": "openai",
        "OPENAI_BASE_URL": vllm_server,
        "TOKENIZER": MODEL,
        "MODEL_TYPE": "qwen",
        "DATASETS": "aime_sample",
    }
    env |= {"OUT_SEQ_LEN": "160", "LIMIT": "5", "SEEDS": "100", "SAMPLES_PER_SEED": "2"}
    done = run_script("bash", "run_aime.sh", "served", tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    for name, data in seed_bytes(tmp_path / "aime_sample").items():
        first_lines = (one_worker / "aime_sample" / name).read_bytes().split(b"\n")[:5]
        assert data.split(b"\n")[:5] == first_lines


def test_a_run_whose_first_answers_are_cut_off_warns_or_stops(tmp_path, run_script):
    env = {
        **QUICK,
        "ENGINE": SCRIPTED,
        "SCRIPT_DELAY_S": "0.03",
        "LIMIT": "20",
        "OUT_SEQ_LEN": "4",
        "SAMPLES_PER_SEED": "4",
    }
    warned = run_script("bash", "run_aime.sh", MODEL, tmp_path / "warn", env=env)
    assert warned.returncode == 0, warned.stderr
    assert "answers are cut off at OUT_SEQ_LEN=4" in warned.stderr
    stopped = run_script("bash", "run_aime.sh", MODEL, tmp_path / "stop", env={**env, "ON_TRUNCATION": "stop"})
    assert stopped.returncode == 1
    assert stopped.stderr.startswith("error: ")
    assert "ON_TRUNCATION=stop" in stopped.stderr


# --- wrong commands: one line, the right code, nothing written -----------------------------------------------------


@pytest.mark.parametrize(
    ("words", "env", "code", "message"),
    [
        (["bash", "run_aime.sh"], {}, 2, "usage: bash run_aime.sh MODEL OUT"),
        (["bash", "run_aime.sh", MODEL], {}, 2, "usage"),
        (["bash", "generate_aime.sh", MODEL, "100"], {}, 2, "usage"),
        (["bash", "run_aime.sh", "no/such/model", "{out}"], QUICK, 2, "no such model folder"),
        (["bash", "run_aime.sh", "docs", "{out}"], QUICK, 2, "no config.json"),
        (["bash", "run_aime.sh", "{tmp}/bare", "{out}"], QUICK, 2, "no tokenizer"),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "DATASETS": "{tmp}/none.jsonl"}, 1, "no such problem file"),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "DATASETS": "{tmp}/empty.jsonl"}, 1, "empty"),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "DATASETS": "{tmp}/line7.jsonl"}, 1, "line 7: not JSON"),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "DATASETS": "{tmp}/noanswer.jsonl"}, 1, "no `answer`"),
        (
            ["bash", "run_aime.sh", MODEL, "{out}"],
            {**QUICK, "DATASETS": "{tmp}/twice.jsonl"},
            1,
            "ids must be distinct",
        ),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "DATASETS": "aime24"}, 1, "aime24.jsonl"),
        (["bash", "run_aime.sh", MODEL, "{out}", "--wrong"], QUICK, 2, "unrecognized arguments: --wrong"),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "GPUS": "0"}, 2, "GPUS="),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "GPUS": "0,1"}, 2, "this machine shows none"),
        (["bash", "run_aime.sh", MODEL, "{out}"], {**QUICK, "SEEDS": "1.5"}, 2, "SEEDS="),
        (["bash", "run_aime.sh", MODEL, "/proc/no/out"], QUICK, 1, "/proc/no/out"),
        (["bash", "run_aime.sh", "served", "{out}"], {**QUICK, "ENGINE": "openai"}, 2, "OPENAI_BASE_URL"),
    ],
)
def test_wrong_commands_end_in_one_line_and_write_nothing(tmp_path, run_script, words, env, code, message):
    row = '{"id": "a", "problem": "?", "answer": "1"}\n'
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "line7.jsonl").write_text("".join(row.replace('"a"', f'"{n}"') for n in range(6)) + "{broken\n")
    (tmp_path / "noanswer.jsonl").write_text('{"id": "a", "problem": "?"}\n')
    (tmp_path / "twice.jsonl").write_text(row * 2)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_text("{}")
    out = tmp_path / "out"
    places = {"tmp": str(tmp_path), "out": str(out)}
    model_is_checked = any(words[2:3] == [model] for model in ("no/such/model", "docs", "{tmp}/bare"))
    engine = "transformers" if model_is_checked else SCRIPTED
    env = {"ENGINE": engine} | {name: value.format(**places) for name, value in env.items()}
    done = run_script(*(word.format(**places) for word in words), env=env)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    if "usage" not in message:
        assert done.stderr.strip().split("\n")[-1].startswith("error: ")
    assert not out.exists()


def test_a_server_that_is_down_ends_in_one_line(tmp_path, run_script):
    env = {
        **QUICK,
        "ENGINE": "openai",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "MAX_RETRIES": "0",
        "MODEL_TYPE": "chat",
    }
    done = run_script("bash", "run_aime.sh", "served", tmp_path / "out", env=env)
    assert done.returncode == 1
    assert "start it or set OPENAI_BASE_URL" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*/seed*.jsonl"))


def test_two_runs_in_one_folder_are_refused(tmp_path, run_script):
    from tools.sampling.run import lock_folder

    lock = lock_folder(tmp_path)
    done = run_script("bash", "run_aime.sh", MODEL, tmp_path, env={**QUICK, "ENGINE": SCRIPTED})
    os.close(lock)
    assert done.returncode == 1
    assert "another run writes here" in done.stderr
    assert not list(tmp_path.glob("aime_sample"))
