"""The files with what models said: `<folder>/seed<N>.jsonl`, one generation a line. One reader, one writer.

A line holds only what model, settings and seed determine, so the finished files of two runs can be compared byte by
byte, whatever the number of GPUs or of restarts. Lines are appended whole, under a lock on the file; the torn last line
of a killed writer is cut off by the next one. Files of the original toolkit (`task_id` and `output` alone; named
`seed<N>.jsonl` or `<start>to<end>_seed<N>.jsonl`) are read as they are.

>>> Generation("60", 100, "4</think>\\\\boxed{4}", finish_reason="stop").to_json()
'{"task_id": "60", "output": "4</think>\\\\\\\\boxed{4}", "seed": 100, "finish_reason": "stop"}'
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Callable, Iterator, Sequence

from tools.errors import StorageError
from tools.records import Generation, JsonRow
from tools.store.files import append_line, repair_lines, write_atomically
from tools.store.foreign import import_command, recognize
from tools.store.reading import (
    RawLine,
    open_file,
    parse_json,
    read_raw_lines,
    to_cost,
    to_count,
    to_seed,
    to_task_id,
    to_text_or_none,
)

# ASCII digits only: "seed1" in the digits of another script would be a second file of the same seed.
FILE_NAME = re.compile(r"^(?:(?P<start>[0-9]{1,18})to(?P<end>[0-9]{1,18})_)?seed(?P<seed>[0-9]{1,18})\.jsonl$")


def seed_file(folder: pathlib.Path, seed: int) -> pathlib.Path:
    return folder / f"seed{seed}.jsonl"


def list_files(folder: pathlib.Path) -> list[tuple[int, pathlib.Path]]:
    """(seed, path) of every generation file in a folder, by seed, slices of one seed in order."""
    found = [(match, path) for path in folder.glob("*.jsonl") if (match := FILE_NAME.match(path.name))]
    found.sort(key=lambda item: (int(item[0]["seed"]), int(item[0]["start"] or 0)))
    return [(int(match["seed"]), path) for match, path in found]


def read_folder(folder: pathlib.Path) -> Iterator[Generation]:
    """Every generation in a folder's files. Raises StorageError at a damaged line; a torn last line is passed over."""
    for seed, path in list_files(folder):
        yield from read_file(path, seed)


def read_file(path: pathlib.Path, seed: int) -> Iterator[Generation]:
    """The generations of one file. `seed` is the file name's and holds where a line names none."""
    try:
        with open_file(path) as file:
            for line in read_raw_lines(file):
                if not line.text.strip():
                    continue
                try:
                    yield _read_line(line, path, seed)
                except ValueError as error:
                    # Its writer was killed here; this one sample is missing.
                    if not line.text.endswith(b"\n") and not line.is_too_long:
                        return
                    raise StorageError(
                        f"{path}, line {line.number}: damaged ({error}); delete this line and run the same command again: "
                        "only it is sampled anew"
                    ) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from error


def _read_line(line: RawLine, path: pathlib.Path, seed: int) -> Generation:
    """Raises ValueError for a damaged line, StorageError for one of another toolkit."""
    if line.is_too_long:
        raise ValueError(f"it has {line.length >> 20} MiB")
    row = parse_json(line.text)
    if isinstance(row, dict) and "task_id" in row and isinstance(row.get("output"), str):  # ours: nearly all lines
        return _to_generation(row, seed)
    if (found := recognize(row)) is not None:
        raise StorageError(
            f"{path}, line {line.number}: this is {found.words}, not a file of this toolkit; {import_command(path)}"
        )
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    return _to_generation(row, seed)


def _to_generation(row: JsonRow, seed: int) -> Generation:
    """Raises ValueError that names the field. A seed that is null is the file name's."""
    output = row.get("output", row.get("generation"))
    if not isinstance(output, str):
        raise ValueError("output is not a text" if "output" in row or "generation" in row else "it has no output")
    if "task_id" not in row:
        raise ValueError("it has no task_id")
    return Generation(
        to_task_id(row["task_id"]),
        seed if row.get("seed") is None else to_seed(row["seed"]),
        output,
        to_text_or_none(row.get("finish_reason"), "finish_reason"),
        to_count(row.get("prompt_tokens"), "prompt_tokens"),
        to_count(row.get("output_tokens"), "output_tokens"),
        to_cost(row.get("cost")),
        _to_loglikelihoods(row["loglikelihoods"]) if row.get("loglikelihoods") is not None else None,
        _to_turns(row.get("turns")),
    )


def _to_loglikelihoods(value: object) -> tuple[tuple[float, bool], ...]:
    """Raises ValueError for what is no list of pairs, a number and whether the choice is the greedy one."""
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise ValueError("loglikelihoods is not a list of pairs")
    if not all(isinstance(number, (int, float)) and isinstance(is_greedy, bool) for number, is_greedy in value):
        raise ValueError("loglikelihoods is not a list of a number and true or false each")
    return tuple((float(number), is_greedy) for number, is_greedy in value)


def _to_turns(value: object) -> tuple[str, ...]:
    """The responses of several turns. Raises ValueError."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError("turns is no list of texts")
    return tuple(value)


def append(folder: pathlib.Path, generation: Generation) -> None:
    """Adds one line to its seed file, whole or not at all. Raises StorageError (disk full, not writable)."""
    append_line(seed_file(folder, generation.seed), generation.to_json())


def repair_folder(folder: pathlib.Path) -> None:
    """Cuts the torn last line of every seed file and removes half-written copies, before a run goes on.

    For the launcher that holds the run's lock: nobody else rewrites whole files.
    """
    for path in folder.glob(".[!m]*.tmp"):  # the manifest's are manifest.settle's
        path.unlink(missing_ok=True)
    for _, path in list_files(folder):
        repair_lines(path)


def sort_files(folder: pathlib.Path, task_ids: Sequence[str]) -> None:
    """Puts every seed file's lines into the order of the problems, each by one rename; of a sample that is there twice
    (two nodes wrote it, one of which was taken for dead) the first stays."""
    rank = {task_id: position for position, task_id in enumerate(task_ids)}
    for seed, path in list_files(folder):
        generations = list(read_file(path, seed))
        once: dict[tuple[str, int], Generation] = {}
        for generation in generations:
            once.setdefault((generation.task_id, generation.seed), generation)
        ordered = sorted(once.values(), key=lambda generation: rank.get(generation.task_id, len(rank)))
        if ordered != generations:
            write_atomically(path, "".join(generation.to_json() + "\n" for generation in ordered))


def task_id_resolver(folder: pathlib.Path, task_ids: Sequence[str]) -> Callable[[Generation], Generation]:
    """As `find_task_id`; raises StorageError at a generation of another benchmark."""
    resolve, known = find_task_id(folder, task_ids), set(task_ids)

    def resolve_strictly(generation: Generation) -> Generation:
        found = resolve(generation)
        if found.task_id not in known:
            raise StorageError(
                f"{folder}: seed {generation.seed} answers problem {generation.task_id!r}, which is not in the data set; "
                "these generations belong to another set, give its file with --dataset"
            )
        return found

    return resolve_strictly


def find_task_id(folder: pathlib.Path, task_ids: Sequence[str]) -> Callable[[Generation], Generation]:
    """What gives each of a folder's generations the id of its problem; that of another benchmark stays as it is.

    The original's AIME files number the rows of the data file instead of naming problems; the folder's first file
    tells which it is.
    """
    known = set(task_ids)
    files = list_files(folder)
    first = {generation.task_id for generation in read_file(files[0][1], files[0][0])} if files else set()
    is_row_number = not first <= known and all(_is_row(name, len(task_ids)) for name in first)

    def resolve(generation: Generation) -> Generation:
        if is_row_number and _is_row(generation.task_id, len(task_ids)):
            return dataclasses.replace(generation, task_id=task_ids[int(generation.task_id)])
        return generation

    return resolve


def _is_row(name: str, count: int) -> bool:
    return name.isascii() and name.isdigit() and int(name) < count
