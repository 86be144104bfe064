"""The frozen parts of benchmarks: their counts and hashes, windows, releases and the labels that break a score down."""

from __future__ import annotations

import collections
import json
import pathlib
import shutil

import pytest

from tools.benchmarks import subsets
from tools.benchmarks.problems import load_benchmark
from tools.benchmarks.subsets import (
    breakdown_labels,
    find_subset,
    hash_ids,
    list_subsets,
    read_table,
    release_labels,
    whole_parts,
)
from tools.errors import DataError
from tools.records import Problem

# Written down a second time: whoever changes table and hashes together sees it here.
FROZEN = {
    "all": (1055, "a4ab660ed6b1c3326df7fb3234f850419f07324744481f8a3fab875690c7e8dd"),
    "v5": (279, "4b9eb68d1df2d06d408c3cfe764d9c17826525691935fb701455a7769443cd36"),
    "v6": (175, "4c7d4999e44b77ff35e8af8febd2d42c2e44b4edb0cd863a4f34a355667eb420"),
}


def test_the_frozen_subsets_have_their_counts_and_hashes() -> None:
    parts = list_subsets()
    assert parts["v5+v6"].ids == parts["v5"].ids | parts["v6"].ids
    assert parts["v5+v6"].count == 454
    for name, (count, sha256) in FROZEN.items():
        assert (parts[name].count, parts[name].sha256) == (count, sha256) == (count, hash_ids(parts[name].ids))


def test_january_2025_is_divided_between_the_versions() -> None:
    january = [fact for fact in read_table().facts.values() if fact.month == "2025-01"]
    assert collections.Counter(fact.version for fact in january) == {"v6": 44, "v5": 7}
    assert find_subset("2025-01").count == 51


def test_months_and_windows_cover_every_problem_once() -> None:
    parts = list_subsets()
    months = [part for name, part in parts.items() if len(name) == 7 and name[4] == "-"]
    assert sum(month.count for month in months) == 1055
    assert parts["05/23-05/24"].count + parts["06/24-01/25"].count + parts["02/25-04/25"].count == 1055


def test_any_span_of_months_is_a_subset() -> None:
    assert find_subset("2024-08..2025-01").ids == find_subset("08/24-01/25").ids
    assert find_subset("2024-08..2024-08").sha256 == find_subset("2024-08").sha256


@pytest.mark.parametrize("name", ["v7", "2031-01..2031-02", "2024-08..", ""])
def test_an_unknown_subset_is_named_with_the_known_ones(name: str) -> None:
    with pytest.raises(DataError, match=f"no subset '{name}' of livecodebench; there are all, v5, v6"):
        find_subset(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "\n".join(text.split("\n")[:-2]) + "\n", "the subset v6 has changed"),
        (lambda text: text.replace("2024-08-", "2024-07-"), "the subset v5 has changed"),
        (lambda text: text.replace("\t", " "), "no table of subsets"),
    ],
)
def test_a_changed_table_is_refused(tmp_path: pathlib.Path, monkeypatch, change, message: str) -> None:
    shutil.copytree(subsets.TABLES, tmp_path, dirs_exist_ok=True)
    table = tmp_path / "livecodebench_problems.tsv"
    table.write_text(change(table.read_text(encoding="utf-8")), encoding="utf-8")
    monkeypatch.setattr(subsets, "TABLES", tmp_path)
    read_table.cache_clear()
    try:
        with pytest.raises(DataError, match=message):
            read_table("livecodebench")
    finally:
        read_table.cache_clear()


def test_the_table_agrees_with_the_real_rows(data_dir: pathlib.Path) -> None:
    loaded = load_benchmark(data_dir / "livecodebench_partial.jsonl")
    assert loaded.by_id.keys() == read_table().facts.keys()
    for name, fact in read_table().facts.items():
        fields = loaded.by_id[name].fields
        found = (fields["contest_date"][:10], fields["difficulty"], fields["platform"])
        assert found == (fact.date, fact.difficulty, fact.platform)


def test_only_parts_that_were_asked_whole_are_reported() -> None:
    v5, v6 = find_subset("v5"), find_subset("v6")
    assert [part.name for part in whole_parts(v5.ids | v6.ids)] == ["v5", "v6"]
    assert [part.name for part in whole_parts(v5.ids | v6.ids, but="v5")] == ["v6"]
    assert whole_parts(sorted(v6.ids)[1:]) == []
    assert whole_parts(v6.ids, None) == []


def test_labels_are_given_as_far_as_they_are_known(tmp_path: pathlib.Path) -> None:
    rows = [
        {"question_id": "own", "prompt": "?", "test": "assert 1", "contest_date": "2024-09-01", "difficulty": "easy"},
        {"question_id": "bare", "prompt": "?", "test": "assert 1"},
    ]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    labels = breakdown_labels(load_benchmark(path).problems)
    assert labels == {
        "month": {"own": "2024-09"},
        "window": {"own": "06/24-01/25"},
        "window_of_v5": {"own": "08/24-01/25"},
        "difficulty": {"own": "easy"},
    }
    assert breakdown_labels(load_benchmark(path).problems, None) == {}


def test_known_faulty_problems_are_listed() -> None:
    assert read_table().errata.keys() <= read_table().facts.keys()
    problems = [Problem(name, "", None, {}) for name in ("abc350_c", "abc350_a")]
    assert breakdown_labels(problems)["errata"] == {"abc350_c": "known to be faulty", "abc350_a": "without errata"}


def test_releases_are_known_from_the_official_order_only() -> None:
    v6 = find_subset("v6").ids
    others = sorted(read_table().facts.keys() - v6)
    labels = release_labels([*others, *sorted(v6)])
    assert collections.Counter(labels.values()) == {
        "release_v1": 400, "release_v2": 111, "release_v3": 101, "release_v4": 101, "release_v5": 167, "release_v6": 175,
    }  # fmt: skip
    assert release_labels([*sorted(v6), *others]) == {}
