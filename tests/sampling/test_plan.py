"""tools/sampling/plan.py: seeds, and who gets which sample when."""

from __future__ import annotations

import tracemalloc

import pytest

from tools.errors import UsageError
from tools.records import Sample
from tools.sampling.plan import Scheduler, expand_seeds, make_plan


def samples(*problems: str, seeds: int = 4) -> list[Sample]:
    return make_plan({"set": (problems, range(seeds))})


def task_ids(taken: list[Sample]) -> list[str]:
    return [sample.task_id for sample in taken]


def test_seeds_follow_each_base_seed():
    assert expand_seeds([100, 200], 3) == (100, 101, 102, 200, 201, 202)


@pytest.mark.parametrize(
    ("base", "count", "words"),
    [([100, 107], 8, "overlap"), ([], 1, "no seeds"), ([1], 0, "samples nothing"), ([2**63], 1, "cannot be used")],
)
def test_seeds_that_cannot_be_meant_are_refused(base, count, words):
    with pytest.raises(UsageError, match=words):
        expand_seeds(base, count)


def test_a_plan_names_every_sample_once():
    plan = make_plan({"a": (["1", "2"], [5, 6]), "b": (["1"], [5])})
    assert len(plan) == len(set(plan)) == 5


def test_problems_that_ran_long_before_go_first():
    scheduler = Scheduler(samples("short", "long", "middle"), {("set", "short"): [10], ("set", "long"): [900], ("set", "middle"): [300]})  # fmt: skip
    assert task_ids(scheduler.take("a", 12)) == ["long"] * 4 + ["middle"] * 4 + ["short"] * 4


def test_unknown_problems_go_before_known_ones_and_take_turns():
    scheduler = Scheduler(samples("known", "new1", "new2", seeds=2), {("set", "known"): [900]})
    assert task_ids(scheduler.take("a", 6)) == ["new1", "new2", "new1", "new2", "known", "known"]


def test_an_answer_of_this_run_changes_the_order():
    scheduler = Scheduler(samples("x", "y"))
    first, second = scheduler.take("a", 2)
    scheduler.finish(first, 10)
    scheduler.finish(second, 500)
    assert task_ids(scheduler.take("a", 3)) == [second.task_id] * 3


def test_every_sample_is_handed_out_once_and_only_once():
    plan = samples(*map(str, range(50)))
    scheduler, seen = Scheduler(plan), []
    while scheduler.open:
        for worker in ("a", "b", "c"):
            for sample in scheduler.take(worker, 5, workers=3):
                seen.append(sample)
                scheduler.finish(sample, 100)
    assert sorted(seen) == sorted(plan)


def test_no_worker_takes_more_than_its_share():
    scheduler = Scheduler(samples("a", "b", seeds=10))
    assert len(scheduler.take("first", 256, workers=2)) <= 10
    assert scheduler.take("first", 256, workers=2) == []
    assert len(scheduler.take("second", 256, workers=2)) >= 5


def test_the_longest_are_dealt_to_all_workers():
    lengths = {("set", name): [tokens] for name, tokens in (("long", 30000), ("short", 100))}
    scheduler = Scheduler(samples("long", "short", seeds=4), lengths)
    assert task_ids(scheduler.take("first", 4, workers=2)).count("long") == 2


def test_a_worker_with_nothing_gets_something():
    scheduler = Scheduler(samples("only", seeds=2), {("set", "only"): [100]})
    assert len(scheduler.take("a", 1, workers=64)) == 1


def test_what_a_dead_worker_held_comes_back_in_its_place():
    scheduler = Scheduler(samples("long", "short", seeds=2), {("set", "long"): [9], ("set", "short"): [1]})
    taken = scheduler.take("dead", 2)
    scheduler.put_back(taken)
    assert scheduler.holders() == {}
    assert task_ids(scheduler.take("alive", 4)) == ["long", "long", "short", "short"]


def test_what_others_took_is_not_handed_out():
    plan = samples("a", seeds=3)
    scheduler = Scheduler(plan)
    scheduler.assign("other", plan[:2])
    assert scheduler.take("me", 5) == plan[2:]
    scheduler.finish(plan[0], None)
    assert scheduler.open == 2


def test_a_hundred_thousand_samples_are_planned_and_handed_out_in_little_memory():
    tracemalloc.start()
    scheduler = Scheduler(make_plan({"set": ([str(number) for number in range(1000)], range(100))}))
    while scheduler.open:
        for sample in scheduler.take("a", 256):
            scheduler.finish(sample, 100 + hash(sample) % 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 2**20
