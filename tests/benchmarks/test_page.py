"""docs/benchmarks.md says what the entries say."""

from __future__ import annotations

from tests.conftest import ROOT
from tools.benchmarks.page import write_page


def test_the_page_is_that_of_the_entries() -> None:
    kept = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert kept == write_page(), "run `python -m tools benchmarks --page > docs/benchmarks.md`"
