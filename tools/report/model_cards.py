"""Results as `model-index`, the metadata by which a Hugging Face model card tells its scores.

Format: https://github.com/huggingface/hub-docs/blob/main/modelcard.md. Values are JSON scalars, which YAML reads as they
are, so no name can break out of its place.

>>> Origin("HuggingFaceH4/aime_2024", split="train").lines()
['      type: "HuggingFaceH4/aime_2024"', '      split: "train"']
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.benchmark import find_entry
from tools.benchmarks.fetching import read_record
from tools.errors import IncompleteRun
from tools.results.results import Results
from tools.store.manifest import Manifest

SOURCE_NAME = "runs and responses"


@dataclass(frozen=True)
class Origin:
    """Where the problems of a result came from, of which weights it speaks, and where it can be seen."""

    dataset: str | None = None
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    model_revision: str | None = None
    url: str | None = None
    note: str = ""  # what tells two runs of one model apart

    def lines(self) -> list[str]:
        """The part of `dataset`, as far as it is known."""
        pairs = {"type": self.dataset, "config": self.config, "split": self.split, "revision": self.revision}
        return [f"      {name}: {scalar(value)}" for name, value in pairs.items() if value]


def find_origin(results: Results, manifest: Manifest | None, url: str | None = None, note: str = "") -> Origin:
    """What entry, fetched file and manifest tell. The revision of the problems is the commit that was read."""
    entry = find_entry(results.benchmark)
    source = entry.source if entry else None
    model_revision = manifest.setting("model_revision") if manifest else None
    origin = Origin(model_revision=str(model_revision) if model_revision else None, url=url, note=note)
    if source is None:
        return origin
    record = None
    if manifest and manifest.data_path and manifest.data_sha256:
        record = read_record(Path(os.path.expanduser(manifest.data_path)), manifest.data_sha256)
    revision = record.revision if record else source.revision
    split = None if source.files else source.split
    return Origin(source.dataset, source.config, split, revision, origin.model_revision, url, note)


def model_index(
    list_of_results: Sequence[Results], model_name: str | None = None, origins: Sequence[Origin] = ()
) -> str:
    """The `model-index` block of a model card. Raises IncompleteRun for a result that is not to be claimed.

    `origins`: one for each of the results, where they are known.
    """
    for results in list_of_results:
        if not results.is_claimable:
            reasons = "; ".join(results.doubts)
            raise IncompleteRun(f"{results.benchmark} does not belong into a model card: {reasons}")
    known = list(origins) or [Origin()] * len(list_of_results)
    models = sorted({results.model for results in list_of_results})
    lines = ["model-index:"] if models else ["model-index: []"]
    for model in models:
        lines += [f"- name: {scalar(model_name or model.rstrip('/').split('/')[-1])}", "  results:"]
        for results, origin in zip(list_of_results, known, strict=True):
            if results.model == model:
                lines += _entry(results, origin)
    return "\n".join(lines)


def _entry(results: Results, origin: Origin) -> list[str]:
    name = results.subset.name
    lines = [
        "  - task:",
        "      type: text-generation",
        "    dataset:",
        f"      name: {scalar(name)}",
        *(origin.lines() if origin.dataset else [f"      type: {scalar(name)}"]),
        "      args:",
        f"        problems: {results.subset.count}",
        f"        ids_sha256: {results.subset.sha256}",
        "    metrics:",
    ]
    k, score = results.samples_per_problem, results.score
    errors = {
        "sampling_error": score.sampling_error,
        "total_error": score.total_error,
        "low": score.bounds[0] if score.bounds else None,
        "high": score.bounds[1] if score.bounds else None,
    }
    lines += _metric("avg", k, score.mean, results, origin, errors)
    for kind, value in (("pass", results.pass_at_k.last), ("maj", results.maj_at_k.last)):
        lines += [] if value is None else _metric(kind, k, value, results, origin, {})
    if origin.url:
        lines += ["    source:", f"      name: {scalar(SOURCE_NAME)}", f"      url: {scalar(origin.url)}"]
    return lines


def _metric(
    kind: str, k: int, value: float, results: Results, origin: Origin, errors: dict[str, float | None]
) -> list[str]:
    """A figure in percent, with its errors and the revision of the weights as arguments."""
    told = {name: f"{100 * error:.2f}" for name, error in errors.items() if error is not None}
    told |= {"model_revision": scalar(origin.model_revision)} if origin.model_revision else {}
    return [
        f"    - type: {scalar(f'{kind}@{k}')}",
        f"      value: {100 * value:.2f}",
        f"      name: {scalar(_metric_name(kind, k, results, origin))}",
        *(["      args:"] if told else []),
        *(f"        {name}: {text}" for name, text in told.items()),
    ]


def _metric_name(kind: str, k: int, results: Results, origin: Origin) -> str:
    cap = results.cap if results.cap is not None else "unknown"
    note = f"; {origin.note}" if origin.note else ""
    return f"{kind}@{k} ({results.subset.count} problems, cap {cap} tokens{note})"


def scalar(text: str) -> str:
    """A text as a YAML scalar on one line; signs that are not printed are U+FFFD, since YAML refuses some of them.

    >>> scalar('"odd": name'), scalar("two\\nlines")
    ('"\\\\"odd\\\\": name"', '"two�lines"')
    """
    return json.dumps("".join(sign if sign.isprintable() else "\ufffd" for sign in text), ensure_ascii=False)
