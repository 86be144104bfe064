"""Finding samples: by verdict, problem, seed, and by a text that stands in the response.

A text is looked for in the files' bytes, block by block, so 115 MB take a fraction of a second and no response is kept.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tools.records import Grade
from tools.store.line_index import IndexedLine, LineIndex
from tools.store.reading import open_file
from tools.view.opened import OpenDataset

PAGE_SIZE = 25
MAX_QUERY_CHARS = 200
SNIPPET_CHARS = 80


@dataclasses.dataclass(frozen=True)
class Query:
    """What is asked for; an empty field asks for nothing. A text in small letters finds capitals too."""

    verdicts: frozenset[str] = frozenset()
    task_id: str = ""
    seed: int | None = None
    text: str = ""
    offset: int = 0


def find_samples(dataset: OpenDataset, query: Query) -> dict[str, object]:
    """{"total", "offset", "page_size", "samples": up to page_size rows in the order of the map}."""
    dataset.refresh()
    dataset.index.refresh()
    hits = find_text(dataset.index, query.text[:MAX_QUERY_CHARS]) if query.text else None
    task_ids, seeds = dataset.axes()
    names, grades = dataset.names_in_files(task_ids), dataset.grades
    rows = []
    for task_id in task_ids:
        if query.task_id and query.task_id.lower() not in task_id.lower():
            continue
        for seed in seeds:
            key = names[task_id], seed
            if (query.seed is not None and seed != query.seed) or (hits is not None and key not in hits):
                continue
            row = _describe(task_id, seed, grades.get((task_id, seed)), dataset.index.lines.get(key))
            if row and (not query.verdicts or row["verdict"] in query.verdicts):
                rows.append(row if hits is None else {**row, "snippet": hits[key]})
    page = rows[query.offset : query.offset + PAGE_SIZE]
    return {"total": len(rows), "offset": query.offset, "page_size": PAGE_SIZE, "samples": page}


def _describe(task_id: str, seed: int, grade: Grade | None, line: IndexedLine | None) -> dict[str, object] | None:
    if grade is None:
        if line is None:
            return None
        return {"task_id": task_id, "seed": seed, "verdict": "ungraded", "output_tokens": line.output_tokens}
    # A program is an answer of many lines; the list shows short answers only.
    answer = grade.answer if grade.answer and len(grade.answer) <= 60 and "\n" not in grade.answer else None
    tokens = grade.output_tokens if grade.output_tokens is not None else line and line.output_tokens
    return {
        "task_id": task_id,
        "seed": seed,
        "verdict": grade.verdict.value,
        "answer": answer,
        "reason": grade.reason[:200],
        "output_tokens": tokens,
    }


def find_text(index: LineIndex, text: str) -> dict[tuple[str, int], str]:
    """Keys of the samples whose line holds the text, each with the words around its first place."""
    is_exact = text != text.lower()
    # Files are written with or without escapes for letters beyond ASCII; both spellings are looked for.
    needles = {json.dumps(text, ensure_ascii=escaped)[1:-1].encode("utf-8", "replace") for escaped in (True, False)}
    by_path: dict[Any, list[tuple[tuple[str, int], IndexedLine]]] = {}
    for key, line in list(index.lines.items()):
        by_path.setdefault(line.path, []).append((key, line))
    hits: dict[tuple[str, int], str] = {}
    for path, entries in by_path.items():
        try:
            with open_file(path) as file:
                for key, line in sorted(entries, key=lambda entry: entry[1].offset):
                    file.seek(line.offset)
                    snippet = _find_in_line(file.read(line.length), needles, is_exact)
                    if snippet is not None:
                        hits[key] = snippet
        except OSError:
            continue
    return hits


def _find_in_line(line: bytes, needles: set[bytes], is_exact: bool) -> str | None:
    content = line[line.find(b'"output":') + 1 : line.rfind(b'"seed":')]
    haystack = content if is_exact else content.lower()
    places = [place for needle in needles if (place := haystack.find(needle)) >= 0]
    if not places:
        return None
    start = max(0, min(places) - SNIPPET_CHARS)
    around = content[start : min(places) + 2 * SNIPPET_CHARS].decode("utf-8", "replace").strip("\ufffd")
    return around.replace("\\n", " ").replace('\\"', '"').replace("\\\\", "\\")
