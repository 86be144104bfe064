"""Generation files: appended whole, repaired, read as they are, also the original's."""

from __future__ import annotations

import json
import multiprocessing
import os
import pathlib
import resource

import pytest

from tools.errors import StorageError
from tools.records import Generation
from tools.store import generations
from tools.store.generations import append, read_folder, task_id_resolver


def texts(folder: pathlib.Path) -> dict[tuple[str, int], str]:
    return {(generation.task_id, generation.seed): generation.output for generation in read_folder(folder)}


def test_what_is_appended_is_read_back(tmp_path):
    generation = Generation("60", 7, "a\u2028b </think> \\boxed{1}\n\ud800", "stop", 5, 9)
    append(tmp_path, generation)
    assert list(read_folder(tmp_path)) == [generation]


def test_a_torn_last_line_is_cut_off_and_only_that_sample_is_missing(tmp_path):
    append(tmp_path, Generation("1", 7, "one"))
    with (tmp_path / "seed7.jsonl").open("ab") as file:
        file.write(b'{"task_id": "2", "outp')
    assert texts(tmp_path) == {("1", 7): "one"}
    append(tmp_path, Generation("3", 7, "three"))
    assert texts(tmp_path) == {("1", 7): "one", ("3", 7): "three"}
    assert b"outp{" not in (tmp_path / "seed7.jsonl").read_bytes()


def test_a_torn_line_longer_than_a_block_is_cut_off_too(tmp_path):
    append(tmp_path, Generation("1", 7, "one"))
    with (tmp_path / "seed7.jsonl").open("ab") as file:
        file.write(b'{"task_id": "2", "output": "' + b"x" * 200_000)
    generations.repair_folder(tmp_path)
    assert (tmp_path / "seed7.jsonl").read_bytes().count(b"\n") == 1
    assert texts(tmp_path) == {("1", 7): "one"}


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    for index in range(3):
        append(tmp_path, Generation(str(index), 7, "text"))
    lines = (tmp_path / "seed7.jsonl").read_bytes().split(b"\n")
    lines[1] = lines[1][:20]
    (tmp_path / "seed7.jsonl").write_bytes(b"\n".join(lines))
    with pytest.raises(StorageError, match=r"seed7.jsonl, line 2: damaged"):
        list(read_folder(tmp_path))


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path):
    def fill(folder: pathlib.Path) -> None:
        append(folder, Generation("1", 7, "one"))
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
        try:
            append(folder, Generation("2", 7, "x" * 1000))
        except StorageError as error:
            os._exit(0 if "disk is full" in str(error) else 3)
        os._exit(4)

    process = multiprocessing.get_context("fork").Process(target=fill, args=(tmp_path,))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert texts(tmp_path) == {("1", 7): "one"}
    assert (tmp_path / "seed7.jsonl").read_bytes().endswith(b"\n")


def test_writers_in_several_processes_do_not_mix_their_lines(tmp_path):
    def write(part: int) -> None:
        for index in range(50):
            append(tmp_path, Generation(f"{part}-{index}", 7, "y" * 20_000))
        os._exit(0)

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=write, args=(part,)) for part in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert len(texts(tmp_path)) == 200


def test_files_of_the_original_are_read_as_they_are(tmp_path):
    (tmp_path / "0to2_seed100.jsonl").write_text('{"task_id": 0, "output": "a"}\n{"task_id": 1, "output": "b"}\n')
    (tmp_path / "2to3_seed100.jsonl").write_text('{"task_id": 2, "generation": "c"}\n')
    (tmp_path / "seed200.jsonl").write_text('{"task_id": 2, "output": "d"}\n')
    resolve = task_id_resolver(tmp_path, ["I-1", "I-2", "I-3"])
    found = {
        (generation.task_id, generation.seed): generation.output for generation in map(resolve, read_folder(tmp_path))
    }
    assert found == {("I-1", 100): "a", ("I-2", 100): "b", ("I-3", 100): "c", ("I-3", 200): "d"}


def test_row_numbers_are_told_from_ids_that_are_numbers(tmp_path):
    (tmp_path / "seed1.jsonl").write_text(
        "".join(json.dumps({"task_id": index, "output": "x"}) + "\n" for index in range(3))
    )
    resolve = task_id_resolver(tmp_path, ["1", "2", "3"])
    assert [resolve(generation).task_id for generation in read_folder(tmp_path)] == ["1", "2", "3"]


def test_generations_of_another_set_are_an_error(tmp_path):
    append(tmp_path, Generation("abc387_a", 7, "text"))
    with pytest.raises(StorageError, match="belong to another set"):
        list(map(task_id_resolver(tmp_path, ["60", "61"]), read_folder(tmp_path)))


def test_sorting_puts_problems_in_order_and_keeps_bytes_that_are_in_order(tmp_path):
    for name in ("b", "a", "c"):
        append(tmp_path, Generation(name, 7, name))
    generations.sort_files(tmp_path, ["a", "b", "c"])
    assert [generation.task_id for generation in read_folder(tmp_path)] == ["a", "b", "c"]
    before = (tmp_path / "seed7.jsonl").stat().st_mtime_ns
    generations.sort_files(tmp_path, ["a", "b", "c"])
    assert (tmp_path / "seed7.jsonl").stat().st_mtime_ns == before


def test_of_a_sample_that_is_there_twice_the_first_stays(tmp_path):
    """Two nodes wrote it, one of which was taken for dead: what was read already does not change."""
    for name, text in (("b", "first"), ("a", "other"), ("b", "second")):
        append(tmp_path, Generation(name, 7, text))
    generations.sort_files(tmp_path, ["a", "b"])
    assert [(one.task_id, one.output) for one in read_folder(tmp_path)] == [("a", "other"), ("b", "first")]
