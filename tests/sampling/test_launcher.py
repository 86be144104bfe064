"""What the launcher reads in a worker's log, and how it ends all that a worker started."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from tests.support.real_runs import finish, start
from tools.sampling import launcher
from tools.sampling.launcher import Slot, last_error, last_words, lives_in_group, note_slow_start


def test_the_workers_own_line_is_taken_whatever_is_printed_after_it(tmp_path):
    log = tmp_path / "log"
    log.write_text("error: of an earlier life\n")
    size = log.stat().st_size
    assert last_error(log, size) == "nothing in its log"
    with log.open("a") as file:
        file.write("ValueError: first\nerror: GPU is busy\nSomeError: while it was ending\nbye\n")
    assert last_error(log, size) == "GPU is busy"
    log.write_text("all is well\nRuntimeError: broken\nending\n")
    assert last_error(log) == "RuntimeError: broken"
    assert last_error(tmp_path / "none") == "no log"


def test_a_terminal_obeys_nothing_of_a_log(tmp_path):
    log = tmp_path / "log"
    for text in ("ValueError: bad \x1b]0;owned\x07\x1b[2J name\u202e\x9b\n", "error: bad \x1b]0;owned\x07 name\n"):
        log.write_text(text)
        assert all(sign.isprintable() for sign in last_error(log) + last_words(log))
        assert "bad" in last_error(log)
    log.write_text("RuntimeError: " + "x" * 100_000)
    assert len(last_error(log)) == 1000


def test_last_words_are_without_vllms_marks_and_a_bar_is_one_line(tmp_path):
    log = tmp_path / "log"
    log.write_text("(EngineCore pid=7) INFO 11-26 02:46:05 [loader.py:5] Loading weights\n\n")
    assert last_words(log) == "[loader.py:5] Loading weights"
    log.write_bytes(b"Fetching:  0%\rFetching: 40%\rFetching: 41%")
    assert last_words(log) == "Fetching: 41%"


def test_a_slow_start_says_what_it_waits_for(tmp_path, monkeypatch, capsys):
    slot = Slot("gpu0", "0", starts=1, seen_at=time.monotonic() - 400)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "gpu0.log").write_text("waiting for rank 1 of 2\n")
    note_slow_start(slot, tmp_path)
    note_slow_start(slot, tmp_path)
    assert capsys.readouterr().err == "gpu0.1: still starting after 400 s; its log ends with: waiting for rank 1 of 2\n"


def test_a_start_that_never_ends_is_ended_and_named_with_what_it_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "START_TIMEOUT_S", 0.0)
    slot = Slot("cpu0", None, starts=1, seen=(1, 0.0), seen_at=time.monotonic() - 5)
    slot.process = subprocess.Popen(["sleep", "60"])
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "cpu0.log").write_text("waiting for the weights\n")
    try:
        reason = launcher.find_hang(slot, tmp_path, 1.0)
    finally:
        slot.process.kill()
        slot.process.wait()
    assert reason == "still starting after 1 s, its log ends with: waiting for the weights"


def test_a_group_lives_until_its_last_process_is_gone():
    parent = subprocess.Popen(["sh", "-c", "sleep 60 & echo; wait"], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout is not None
    parent.stdout.readline()
    assert lives_in_group(parent.pid)
    parent.kill()
    parent.wait()
    assert lives_in_group(parent.pid)  # the child holds what it held
    os.killpg(parent.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while lives_in_group(parent.pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not lives_in_group(parent.pid)
    parent.stdout.close()


def test_an_engine_that_is_still_starting_is_not_restarted_for_its_silence(tmp_path):
    code, errors = finish(start(tmp_path, GPUS="1", SCRIPT_START_S="3", STALL_TIMEOUT_S="1"))
    assert code == 0, errors
    assert "starting again" not in errors
