"""Presets per model, as data in presets.json: prompt type, seeds, sampling, published figures with their source.

A preset is chosen by the model's name or its last part (`/models/AceReason-Nemotron-7B` counts); what it does not say
comes from the entry "*", and of sampling from records.Sampling. Adding a model is adding an entry.

>>> find_preset("nvidia/AceReason-Nemotron-7B").base_seeds("aime24")[:3]
(121, 131, 141)
>>> find_preset("any/other").model_type
'chat'
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Mapping

from tools.models.hub import hub_name
from tools.records import Sampling

SAMPLING_NAMES = {field.name for field in dataclasses.fields(Sampling)}


@dataclasses.dataclass(frozen=True)
class Preset:
    """One preset. `seeds` and `published` are by benchmark; `benchmarks` names those of each door ("aime",
    "livecodebench"), `benchmarks_if_at_hand` more of them where their files are there.

    `system_prompt` and `chat_template_kwargs` turn on the reasoning of models that have two modes.
    `published` is in percent; `published_samples` says on how many samples a problem each figure stands.
    """

    name: str
    model_type: str
    seeds: Mapping[str, list[int]]
    benchmarks: Mapping[str, list[str]]
    benchmarks_if_at_hand: Mapping[str, list[str]]
    sampling: Sampling
    dtype: str | None = None
    reasoning_format: str | None = None
    system_prompt: str | None = None
    chat_template_kwargs: Mapping[str, object] | None = None
    published: Mapping[str, float] = dataclasses.field(default_factory=dict)
    published_samples: Mapping[str, int] = dataclasses.field(default_factory=dict)
    source: str = ""

    @property
    def max_new_tokens(self) -> int:
        return self.sampling.max_new_tokens

    @property
    def temperature(self) -> float:
        return self.sampling.temperature

    @property
    def top_p(self) -> float:
        return self.sampling.top_p

    def chat_options(self, model_type: str) -> dict[str, str]:
        """Options of type chat, as a command would give them; none for other types, whose prompts are fixed."""
        arguments = json.dumps(self.chat_template_kwargs) if self.chat_template_kwargs else None
        options = {"system_prompt": self.system_prompt, "chat_template_kwargs": arguments}
        return {name: value for name, value in options.items() if value is not None and model_type == "chat"}

    def base_seeds(self, benchmark: str) -> tuple[int, ...]:
        """Base seeds of a benchmark; variants such as livecodebench_partial use those of the first part."""
        first_part = benchmark.split("_")[0]
        return tuple(self.seeds.get(benchmark) or self.seeds.get(first_part) or self.seeds["*"])


@functools.cache
def list_presets() -> dict[str, Preset]:
    """Every entry by name; "*" is for models that none names."""
    rows = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    common = rows["*"]
    presets = {}
    for name, row in rows.items():
        if not name.startswith("_"):
            chosen = {**common, **row, "seeds": {**common["seeds"], **row.get("seeds", {})}}
            sampling = {field: chosen.pop(field) for field in SAMPLING_NAMES & chosen.keys()}
            presets[name] = Preset(name=name, sampling=Sampling(**sampling), **chosen)
    return presets


def find_preset(model: str) -> Preset:
    """The preset of a model, by whole name or last part of a path, in any capitalisation; else the defaults.

    A folder of the hub's cache (models--org--name/snapshots/<commit>) and one called org--name count by that name.
    """
    presets = list_presets()
    wanted = hub_name(model).rstrip("/").lower()
    last = pathlib.PurePath(wanted).name.rpartition("--")[2]
    by_name = {name.lower(): preset for name, preset in presets.items() if name != "*"}
    by_last_part = {name.rpartition("/")[2]: preset for name, preset in by_name.items()}
    return by_name.get(wanted) or by_last_part.get(last) or presets["*"]
