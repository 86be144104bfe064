"""The frozen sets, and indexing files of problems without holding them."""

from __future__ import annotations

import collections
import json
import pathlib

import pytest

from tools.benchmarks import livecodebench
from tools.benchmarks.livecodebench import (
    breakdown_labels,
    find_set,
    frozen_sets,
    hash_ids,
    index_file,
    read_facts,
    release_labels,
)
from tools.errors import DataError


def test_the_frozen_sets_have_their_counts_and_hashes() -> None:
    sets = frozen_sets()
    assert (sets["all"].count, sets["v5"].count, sets["v6"].count, sets["v5+v6"].count) == (1055, 279, 175, 454)
    assert not sets["v5"].ids & sets["v6"].ids
    for name, expected in livecodebench.HASHES.items():
        assert sets[name].sha256 == expected == hash_ids(sets[name].ids)


def test_january_2025_is_divided_between_the_versions() -> None:
    january = [fact for fact in read_facts().values() if fact.month == "2025-01"]
    assert collections.Counter(fact.version for fact in january) == {"v6": 44, "v5": 7}
    assert find_set("2025-01").count == 51


def test_months_and_windows_cover_every_problem_once() -> None:
    sets = frozen_sets()
    months = [one for name, one in sets.items() if len(name) == 7 and name[4] == "-"]
    assert sum(month.count for month in months) == 1055
    assert sets["05/23-05/24"].count + sets["06/24-01/25"].count + sets["02/25-04/25"].count == 1055


def test_an_unknown_set_is_named_with_the_known_ones() -> None:
    with pytest.raises(DataError, match="no LiveCodeBench set 'v7'; there are all, v5, v6"):
        find_set("v7")


def test_a_changed_table_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "table.tsv"
    changed.write_text("\n".join(livecodebench.TABLE.read_text(encoding="utf-8").split("\n")[:-2]) + "\n")
    monkeypatch.setattr(livecodebench, "TABLE", changed)
    read_facts.cache_clear()
    try:
        with pytest.raises(DataError, match="not the 1055 problems"):
            read_facts()
    finally:
        read_facts.cache_clear()


def test_the_table_agrees_with_the_real_rows(data_dir: pathlib.Path) -> None:
    index = index_file(data_dir / "livecodebench_partial.jsonl")
    assert index.keys() == read_facts().keys()
    for name, fact in read_facts().items():
        found = index[name]
        assert (found.contest_date, found.difficulty, found.platform) == (
            fact.contest_date,
            fact.difficulty,
            fact.platform,
        )


def write(path: pathlib.Path, rows: list[str]) -> pathlib.Path:
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    return path


def test_an_index_knows_where_each_row_lies(tmp_path: pathlib.Path) -> None:
    rows = [json.dumps({"question_id": name, "metadata": '{"func_name": "f"}', "x": "ü\u2028"}) for name in "abc"]
    path = write(tmp_path / "p.jsonl", [rows[0], "", *rows[1:]])
    index = index_file(path)
    for name in "abc":
        place = index[name]
        with path.open("rb") as file:
            file.seek(place.offset)
            assert json.loads(file.read(place.length))["question_id"] == name
        assert place.function == "f"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["{"], "line 1: not JSON"),
        (["[]"], "line 1: no object with a question_id"),
        (['{"x": 1}'], "line 1: no object with a question_id"),
        (['{"question_id": "a"}', '{"question_id": "a"}'], "line 2: a stands there twice"),
        ([], "no problem in it"),
    ],
)
def test_damaged_files_are_told_with_their_line(tmp_path: pathlib.Path, rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        index_file(write(tmp_path / "p.jsonl", rows))


def test_labels_are_given_as_far_as_they_are_known(tmp_path: pathlib.Path) -> None:
    rows = [
        {"question_id": "own", "contest_date": "2024-09-01T00:00:00", "difficulty": "easy"},
        {"question_id": "bare"},
    ]
    labels = breakdown_labels(index_file(write(tmp_path / "p.jsonl", [json.dumps(row) for row in rows])).values())
    assert labels["month"] == {"own": "2024-09"}
    assert labels["window_of_v5"] == {"own": "08/24-01/25"}
    assert "version" not in labels


def test_releases_are_known_from_the_official_order_only() -> None:
    v6 = find_set("v6").ids
    others = sorted(read_facts().keys() - v6)
    labels = release_labels([*others, *sorted(v6)])
    assert collections.Counter(labels.values()) == {
        "release_v1": 400, "release_v2": 111, "release_v3": 101, "release_v4": 101, "release_v5": 167, "release_v6": 175,
    }  # fmt: skip
    assert release_labels([*sorted(v6), *others]) == {}
