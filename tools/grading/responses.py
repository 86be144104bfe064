"""The responses of a folder as graders get them: joined to their problems by key, split once, each sample once.

Nothing is kept of a text but marks by which equal ones are seen, so memory does not grow with the responses.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from tools.benchmarks.problems import LoadedBenchmark
from tools.errors import StorageError
from tools.models.reasoning import opens_itself, split_response
from tools.records import Generation, Problem, Response
from tools.store import generations
from tools.store.foreign import find_foreign, import_command, recognize_file

MARK_CHARS = 200


class FolderResponses:
    """One pass over a folder's generations; what was seen on the way is known afterwards."""

    def __init__(
        self,
        folder: pathlib.Path,
        loaded: LoadedBenchmark,
        seeds: tuple[int, ...] | None = None,
        is_opened: bool | None = None,
        reasoning_format: str | None = None,
    ) -> None:
        self._folder, self._loaded, self._seeds = folder, loaded, set(seeds) if seeds else None
        self._format = reasoning_format
        self._is_opened = is_opened if is_opened is not None else opens_reasoning(folder)
        self._marks: dict[int, dict[str, tuple[int, str]]] = {}  # seed -> task_id -> what tells one text from another
        self.unknown_ids: list[str] = []
        self.cost = 0.0  # US dollars, of those that say it

    def read(self) -> Iterator[tuple[Problem, Response]]:
        """Every sample once. Raises StorageError when two texts stand there for one sample, and when all of them belong to
        other problems."""
        resolve = generations.find_task_id(self._folder, [problem.task_id for problem in self._loaded.problems])
        for generation in map(resolve, generations.read_folder(self._folder)):
            problem = self._loaded.by_id.get(generation.task_id)
            if problem is None:
                self.unknown_ids.append(generation.task_id)
            elif (self._seeds is None or generation.seed in self._seeds) and self._is_new(generation):
                self.cost += generation.cost or 0.0
                yield problem, split_response(generation, is_opened=self._is_opened, reasoning_format=self._format)
        if self.unknown_ids and not self._marks:
            raise StorageError(
                f"{self._folder}: none of its responses is to a problem of {self._loaded.path}; these generations belong "
                "to another set, give its file with --dataset; ids of another toolkit's making are matched by `python -m tools import`"
            )

    def _is_new(self, generation: Generation) -> bool:
        text = generation.output
        mark = (len(text), text[-MARK_CHARS:] + text[:MARK_CHARS])
        known = self._marks.setdefault(generation.seed, {}).setdefault(generation.task_id, mark)
        if known is mark:
            return True
        if known != mark:
            raise StorageError(
                f"{self._folder}: problem {generation.task_id} seed {generation.seed} stands there twice with different "
                "texts; remove one of the lines"
            )
        return False

    @property
    def identical(self) -> int:
        """How many responses repeat another seed's text to the same problem."""
        distinct = {(task_id, mark) for by_task in self._marks.values() for task_id, mark in by_task.items()}
        return sum(map(len, self._marks.values())) - len(distinct)

    @property
    def identical_seeds(self) -> list[tuple[int, int]]:
        """Pairs of seeds that agree on every one of several problems."""
        first_with: dict[frozenset[tuple[str, tuple[int, str]]], int] = {}
        pairs = []
        for seed, by_task in self._marks.items():
            first = first_with.setdefault(frozenset(by_task.items()), seed)
            if first != seed and len(by_task) > 1:
                pairs.append((first, seed))
        return pairs

    def doubts(self) -> list[str]:
        if not self.unknown_ids:
            return []
        shown = ", ".join(sorted(set(self.unknown_ids))[:3])
        return [f"{len(self.unknown_ids)} responses are to problems that the file does not have ({shown})"]

    def warnings(self, settings: Mapping[str, Any]) -> list[str]:
        pairs = self.identical_seeds
        if not pairs or settings.get("temperature") == 0:
            return []
        first, second = pairs[0]
        return [
            f"seeds {first} and {second} gave the same text for every problem ({len(pairs)} such pairs); is the seed used?"
        ]


def opens_reasoning(folder: pathlib.Path) -> bool | None:
    """Whether prompts opened the reasoning, in files that do not say: the first response with a mark tells."""
    for generation in generations.read_folder(folder):
        opens = opens_itself(generation.output)
        if opens is not None:
            return not opens
    return None


def find_folder(path: pathlib.Path, name: str | None) -> pathlib.Path:
    """The folder with the generations: `path` itself, or the one that a run made in it. Raises StorageError."""
    if path.is_file() and (kind := recognize_file(path)):
        raise StorageError(f"{path}: this is {kind.words}, not a file of this toolkit; {import_command(path)}")
    if not path.is_dir():
        raise StorageError(f"{path}: no such folder; give the folder that holds seed<N>.jsonl with --generation-path")
    if generations.list_files(path):
        return path
    inside = [child for child in sorted(path.iterdir()) if child.is_dir() and generations.list_files(child)]
    chosen = [child for child in inside if child.name == name] if name else inside
    if len(chosen) == 1:
        return chosen[0]
    if not inside and (foreign := find_foreign(path)):
        file, kind = foreign[0]
        raise StorageError(f"{file}: this is {kind.words}, not a file of this toolkit; {import_command(path)}")
    there = ", ".join(child.name for child in inside) or "none"
    raise StorageError(
        f"{path}: no file named seed<N>.jsonl there, and its sub-folders with some are: {there}; give the folder of one "
        "with --generation-path"
    )
