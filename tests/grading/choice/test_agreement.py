"""MMLU-Pro: our letters are the ones that its authors read of a model's stored outputs, but for what their pattern misreads."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
from typing import Any

import pytest

from tests.conftest import ROOT

# Looked at one by one. Their pattern takes the first capital behind "answer is" for a letter: "(Insufficient information)", "(I
# cannot ...", "(III)", "Cr^+2", "(Dorset Complex)", "CBF", a formula; twice it takes "The incorrect answer is (H)" for the answer.
MISREAD = {86, 3883, 4511, 5032, 5334, 6054, 6055, 6423, 9512, 10383, 10445, 10483, 10531, 10545, 11056, 11896}


@pytest.fixture(scope="module")
def agreement() -> Any:
    spec = importlib.util.spec_from_file_location("agreement", ROOT / "perf/choice/agreement.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["agreement"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(data_dir: pathlib.Path, agreement: Any) -> list[dict[str, Any]]:
    files = sorted((data_dir / "breadth/mmlu_pro").glob("*Mistral-7B-Instruct-v0.2*.zip"))
    if not files:
        pytest.skip("no stored outputs of MMLU-Pro in the data folder")
    found: list[dict[str, Any]] = agreement.read_outputs(files[0])
    return found


def test_letters_agree_and_every_difference_is_known(rows: list[dict[str, Any]], agreement: Any) -> None:
    found = agreement.compare(rows, is_first=True)
    assert (found.rows, found.with_letter) == (12032, 9795)
    assert found.share >= 0.998
    assert {row["question_id"] for row, _ in found.differences} <= MISREAD


def test_the_last_statement_differs_only_where_the_text_names_more_than_one_letter(
    rows: list[dict[str, Any]], agreement: Any
) -> None:
    found = agreement.compare(rows, is_first=False)
    others = [row for row, mine in found.differences if not mine.reason.startswith("several letters")]
    assert found.share > 0.95
    assert len(others) < 130  # taken back, denied, further parts, and what their pattern misreads
