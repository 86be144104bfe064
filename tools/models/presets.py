"""Presets per model, as data in profiles.json: prompt type, seeds, sampling, published figures with their source.

A preset is chosen by the model's name or its last part (`/models/AceReason-Nemotron-7B` counts); what it does not say
comes from the entry "*". Adding a model is adding an entry.

>>> find_profile("nvidia/AceReason-Nemotron-7B").base_seeds("aime24")[:3]
(121, 131, 141)
>>> find_profile("any/other").model_type
'chat'
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Profile:
    """One preset. `seeds` and `published` are by data set, `sets` by family ("aime", "livecodebench").

    `published` is in percent; `published_samples` says on how many samples a problem each figure stands.
    """

    name: str
    model_type: str
    seeds: Mapping[str, list[int]]
    sets: Mapping[str, list[str]]
    sets_if_at_hand: Mapping[str, list[str]]
    max_new_tokens: int
    temperature: float
    top_p: float
    dtype: str
    published: Mapping[str, float] = dataclasses.field(default_factory=dict)
    published_samples: Mapping[str, int] = dataclasses.field(default_factory=dict)
    source: str = ""

    def base_seeds(self, dataset: str) -> tuple[int, ...]:
        """Base seeds of a set; variants such as livecodebench_partial use their family's."""
        family = dataset.split("_")[0]
        return tuple(self.seeds.get(dataset) or self.seeds.get(family) or self.seeds["*"])


@functools.cache
def _read_profiles() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = json.loads(
        pathlib.Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    )
    return {name: row for name, row in rows.items() if not name.startswith("_")}


def find_profile(model: str) -> Profile:
    """The preset of a model, by whole name or last part of a path; else the defaults."""
    profiles = _read_profiles()
    last = pathlib.PurePath(model).name
    name = next((name for name in profiles if name in (model, model.rstrip("/")) or name.split("/")[-1] == last), "*")
    chosen = {**profiles["*"], **profiles[name]}
    chosen["seeds"] = {**profiles["*"]["seeds"], **chosen["seeds"]}
    return Profile(name=name, **chosen)
