"""tools/sampling/workqueue.py: several workers on one queue, their deaths, torn lines, full disks."""

from __future__ import annotations

import json
import multiprocessing
import os
import pathlib
import resource
import signal
import time

import pytest

from tools.errors import RunLocked, StorageError
from tools.records import Sample
from tools.sampling.plan import make_plan
from tools.sampling.workqueue import WorkQueue, is_alive, living_workers

PLAN = make_plan({"set": (["1", "2", "3"], range(4))})


def nothing_on_disk(samples) -> set[Sample]:
    return set()


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    WorkQueue.create(tmp_path, PLAN)
    return tmp_path


def drain(folder: pathlib.Path, name: str, pipe) -> None:
    queue, taken = WorkQueue.join(folder, name), []
    while not queue.is_finished:
        for sample in queue.take(2):
            taken.append(sample)
            queue.done(sample, 10)
        queue.refresh()
    pipe.send(taken)


def test_workers_share_all_samples_and_none_twice(tmp_path):
    plan = make_plan({"set": ([str(n) for n in range(40)], range(5))})
    WorkQueue.create(tmp_path, plan)
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(3)]
    workers = [context.Process(target=drain, args=(tmp_path, f"w.{n}", pipe[1])) for n, pipe in enumerate(pipes)]
    for worker in workers:
        worker.start()
    taken = [sample for pipe in pipes for sample in pipe[0].recv()]
    for worker in workers:
        worker.join()
    assert sorted(taken) == sorted(plan)


def test_a_dead_workers_samples_come_back(folder):
    dead, alive = WorkQueue.join(folder, "dead.1"), WorkQueue.join(folder, "alive.1")
    lost = dead.take(3)
    assert alive.recover(nothing_on_disk) == 0
    dead.close()  # as the kernel does when a process ends
    assert not is_alive(folder, "dead.1")
    assert alive.recover(nothing_on_disk) == len(lost)
    assert set(lost) <= set(alive.take(len(PLAN)))


def test_what_a_dead_worker_wrote_is_not_sampled_again(folder):
    dead, alive = WorkQueue.join(folder, "dead.1"), WorkQueue.join(folder, "alive.1")
    written, *lost = dead.take(3)
    dead.close()
    assert alive.recover(lambda samples: {written}) == len(lost)
    taken = alive.take(len(PLAN))
    assert written not in taken
    for sample in taken:
        alive.done(sample, 1)
    alive.refresh()
    assert alive.is_finished


def test_a_killed_process_is_known_to_be_dead_at_once(folder):
    pid = os.fork()
    if pid == 0:
        WorkQueue.join(folder, "child.1").take(2)
        time.sleep(60)
        os._exit(0)
    queue = WorkQueue.join(folder, "parent.1")
    while not is_alive(folder, "child.1") or not queue._scheduler.holders():
        queue.refresh()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert living_workers(folder) == ["parent.1"]
    assert queue.recover(nothing_on_disk) == 2


def test_a_torn_line_costs_nothing_but_itself(folder):
    first = WorkQueue.join(folder, "a.1")
    taken = first.take(2)
    with (folder / "events.jsonl").open("ab") as log:
        log.write(b'{"done": [3, 1')
    first.done(taken[0], 5)
    second = WorkQueue.join(folder, "b.1")
    second.refresh()
    assert second._closed == {taken[0]}
    assert second.recover(nothing_on_disk) == 0


def test_a_sample_reported_twice_counts_once(folder):
    queue = WorkQueue.join(folder, "a.1")
    (sample,) = queue.take(1)
    queue.done(sample, 5)
    queue.done(sample, 5)
    queue.refresh()
    assert queue._scheduler.open == len(PLAN) - 1


def test_failures_are_kept_with_their_reason(folder):
    queue = WorkQueue.join(folder, "a.1")
    for sample in queue.take(len(PLAN)):
        queue.failed(sample, "the server said no")
    assert set(queue.read_failures().values()) == {"the server said no"}
    assert queue.is_finished


def test_a_name_is_given_once(folder):
    WorkQueue.join(folder, "a.1")
    with pytest.raises(RunLocked, match=r"a\.1"):
        WorkQueue.join(folder, "a.1")


def test_a_damaged_plan_is_one_line(folder):
    (folder / "plan.json").write_text("{")
    with pytest.raises(StorageError, match="run the same command again"):
        WorkQueue.join(folder, "a.1")


def test_a_full_disk_is_an_error_and_leaves_no_half_line(folder):
    queue = WorkQueue.join(folder, "a.1")
    queue.take(1)
    size = (folder / "events.jsonl").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, before[1]))
    try:
        with pytest.raises(StorageError, match="disk is full"):
            queue.take(1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert all(json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines())


def test_the_log_of_a_hundred_thousand_samples_is_read_in_one_go(tmp_path):
    plan = make_plan({"set": ([str(number) for number in range(1000)], range(100))})
    WorkQueue.create(tmp_path, plan)
    with (tmp_path / "events.jsonl").open("w") as log:
        for index in range(len(plan)):
            log.write(json.dumps({"take": [index], "by": "x.1"}) + "\n" + json.dumps({"done": [index, 9]}) + "\n")
    queue = WorkQueue.join(tmp_path, "y.1")
    queue.refresh()
    assert queue.is_finished
