"""Faults on runs of real processes: whatever dies, the same command ends with the files of an undisturbed run.

Twenty random moments a kind: `python perf/faults.py`. Here each kind once, at a moment that is known to matter.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import signal
import subprocess

import pytest

from perf.faults import children_of
from tests.support.real_runs import count_lines, finish, seed_files, start, wait_for, worker_pids


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    code, errors = finish(start(out))
    assert code == 0, errors
    files = seed_files(out)
    assert sum(data.count(b"\n") for data in files.values()) == 12
    return files


def test_a_killed_worker_is_started_again_and_nothing_is_lost(tmp_path, undisturbed):
    run = start(tmp_path)
    wait_for(lambda: count_lines(tmp_path) >= 1)
    os.kill(worker_pids(tmp_path)[0], signal.SIGKILL)
    code, errors = finish(run)
    assert code == 0, errors
    assert "ended by SIGKILL; starting again in 1 s" in errors
    assert seed_files(tmp_path) == undisturbed


def test_a_killed_launcher_leaves_no_process_and_the_same_command_continues(tmp_path, undisturbed):
    run = start(tmp_path)
    wait_for(lambda: count_lines(tmp_path) >= 1)
    run.kill()
    run.communicate()
    wait_for(lambda: not worker_pids(tmp_path), timeout=5)
    assert count_lines(tmp_path) > 0
    code, errors = finish(start(tmp_path))
    assert code == 0, errors
    assert seed_files(tmp_path) == undisturbed


def test_a_stopped_worker_is_ended_and_replaced(tmp_path, undisturbed):
    run = start(tmp_path, STALL_TIMEOUT_S="3")
    wait_for(lambda: count_lines(tmp_path) >= 1)
    os.kill(worker_pids(tmp_path)[-1], signal.SIGSTOP)
    code, errors = finish(run)
    assert code == 0, errors
    assert seed_files(tmp_path) == undisturbed


def test_interrupt_ends_everything_in_seconds(tmp_path):
    run = start(tmp_path)
    wait_for(lambda: len(worker_pids(tmp_path)) == 2)
    run.send_signal(signal.SIGINT)
    code, errors = finish(run, timeout=20)
    assert code == 130
    assert errors.strip().splitlines()[-1] == "interrupted; the same command continues where it was"
    assert worker_pids(tmp_path) == []


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="needs vLLM (make install-cpu)")
def test_a_killed_rank_of_a_tensor_parallel_group_costs_no_sample(tmp_path):
    """The ranks are processes of vLLM's own; here two of them on the CPU."""
    run = start(
        tmp_path, ENGINE="vllm", TENSOR_PARALLEL="2", GPUS="1", LIMIT="20", SAMPLES_PER_SEED="2", OUT_SEQ_LEN="200"
    )
    wait_for(lambda: count_lines(tmp_path) >= 1 or run.poll() is not None)
    ranks = [pid for worker in worker_pids(tmp_path) for pid in children_of(worker) if is_rank(pid)]
    assert len(ranks) == 2
    os.kill(ranks[1], signal.SIGKILL)
    code, errors = finish(run)
    assert code == 0, errors
    assert "starting again in 1 s" in errors
    lines = [json.loads(line) for data in seed_files(tmp_path).values() for line in data.splitlines()]
    assert len({(line["task_id"], line["seed"]) for line in lines}) == len(lines) == 80
    assert not [pid for pid in ranks if pathlib.Path(f"/proc/{pid}").exists()]


def is_rank(pid: int) -> bool:
    return b"Worker_TP" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()


def test_out_of_memory_halves_the_batch_and_goes_on(tmp_path, undisturbed):
    code, errors = finish(start(tmp_path, GPUS="1", MAX_NUM_SEQS="12", SCRIPT_MEMORY="3"))
    assert code == 0, errors
    assert "going on with at most 6 sequences" in errors
    assert "going on with at most 3 sequences" in errors
    assert seed_files(tmp_path) == undisturbed


def test_out_of_memory_with_one_sequence_ends_the_run(tmp_path):
    code, errors = finish(start(tmp_path, GPUS="1", MAX_NUM_SEQS="2", SCRIPT_MEMORY="0"))
    assert code == 1
    assert "even with one sequence at a time; raise TENSOR_PARALLEL" in errors.splitlines()[-1]


def test_an_engine_that_dies_once_is_started_again(tmp_path, undisturbed):
    out = tmp_path / "out"
    code, errors = finish(start(out, GPUS="1", SCRIPT_CRASH_AT="5", SCRIPT_CRASH_MARK=str(tmp_path / "crashed")))
    assert code == 0, errors
    assert errors.count("starting again") == 1
    assert seed_files(out) == undisturbed


@pytest.mark.slow
def test_an_engine_that_always_dies_is_given_up_and_named_with_its_log(tmp_path):
    code, errors = finish(start(tmp_path, GPUS="1", SCRIPT_CRASH_AT="1"))
    assert code == 1
    assert [f"starting again in {pause} s" in errors for pause in (1, 2, 4)] == [True] * 3
    assert "ended by SIGKILL after 3 restarts" in errors.splitlines()[-1]
    assert "logs/cpu0.log" in errors.splitlines()[-1]


def test_an_engine_that_cannot_work_ends_the_run_at_once(tmp_path):
    code, errors = finish(start(tmp_path, SCRIPT_REFUSE="the model is in pieces"))
    assert code == 1
    assert "error: the model is in pieces (log: " in errors
    assert "starting again" not in errors


def test_failed_requests_stay_missing_and_only_they_are_asked_again(tmp_path, undisturbed):
    code, errors = finish(start(tmp_path, GPUS="1", SCRIPT_FAIL_EVERY="5"))
    assert code == 1
    assert "2 of 12 samples are missing" in errors
    assert "has a bad day" in errors
    code, errors = finish(start(tmp_path, GPUS="1"))
    assert code == 0, errors
    assert "(2 new)" in errors
    assert seed_files(tmp_path) == undisturbed


def test_a_full_disk_is_one_line_and_the_run_continues_when_there_is_room(tmp_path, undisturbed):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)], check=False).returncode:  # fmt: skip
        pytest.skip("mounting a small file system needs root")
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 8192)
        run = start(disk / "out")
        wait_for(lambda: count_lines(disk / "out") >= 1 or run.poll() is not None)
        try:
            with ballast.open("ab", buffering=0) as file:
                while file.write(b"x" * 512):
                    pass
        except OSError:
            pass  # now it is full
        code, errors = finish(run)
        assert code == 1
        last = errors.strip().splitlines()[-1]
        assert last.startswith("error: ")
        assert "disk is full" in last
        assert "Traceback" not in errors
        ballast.unlink()
        code, errors = finish(start(disk / "out"))
        assert code == 0, errors
        assert seed_files(disk / "out") == undisturbed
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_read_only_folder_is_one_line(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() == 0:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)], check=False).returncode:
            pytest.skip("cannot mount here")
    else:
        disk.chmod(0o555)
    try:
        code, errors = finish(start(disk / "out"))
    finally:
        if os.getuid() == 0:
            subprocess.run(["umount", "-l", str(disk)], check=True)
    assert code == 1
    assert errors.strip().count("\n") == 0
    assert "choose a folder that you may write to" in errors


def test_a_folder_that_becomes_read_only_ends_the_run_and_loses_nothing(tmp_path, undisturbed):
    disk = tmp_path / "disk"
    disk.mkdir()
    run = start(disk / "out")
    wait_for(lambda: count_lines(disk / "out") >= 1)
    if os.getuid() or subprocess.run(["mount", "--bind", str(disk), str(disk)], check=False).returncode:
        run.send_signal(signal.SIGINT)
        finish(run)
        pytest.skip("mounting needs root")
    try:  # a second mount of the folder over the first: what is opened from now on is opened there
        subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)
        code, errors = finish(run)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert code == 1
    assert "choose a folder that you may write to" in errors.strip().splitlines()[-1]
    assert "Traceback" not in errors
    code, errors = finish(start(disk / "out"))
    assert code == 0, errors
    assert seed_files(disk / "out") == undisturbed


def test_two_launchers_share_one_folder(tmp_path, undisturbed):
    """The recipe without Ray: one task per node, a shared folder, JOIN=1."""
    runs = [start(tmp_path, JOIN="1", GPUS="1") for _ in range(2)]
    results = [finish(run) for run in runs]
    assert [code for code, _ in results] == [0, 0], results
    assert any("helping with 1 workers" in errors for _, errors in results)
    assert seed_files(tmp_path) == undisturbed


def test_the_run_outlives_the_launcher_that_led_it(tmp_path, undisturbed):
    leader = start(tmp_path, JOIN="1", GPUS="1")
    wait_for(lambda: (tmp_path / ".run/plan.json").exists())
    helper = start(tmp_path, JOIN="1", GPUS="1")
    wait_for(lambda: len(worker_pids(tmp_path)) == 2)
    leader.kill()
    leader.communicate()
    code, errors = finish(helper)
    assert code == 0, errors
    assert seed_files(tmp_path) == undisturbed


def test_a_second_launcher_without_join_is_refused(tmp_path):
    first = start(tmp_path, GPUS="1")
    wait_for(lambda: pathlib.Path(tmp_path / ".run/lock").exists())
    code, errors = finish(start(tmp_path, GPUS="1"))
    assert code == 1
    assert "another run writes here" in errors
    first.send_signal(signal.SIGINT)
    finish(first)
