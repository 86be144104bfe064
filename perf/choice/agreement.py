"""How often our letter is the one that MMLU-Pro's authors read of stored outputs, and every case where it is not.

    python perf/choice/agreement.py FILE.zip...      files as the authors publish them: model_outputs_*.zip

A file holds one JSON list: options, answer, pred (the authors' letter, null where their pattern found none) and the output, as
`generated_text`, `model_outputs` or `response`. Printed are the agreement where they found a letter, by the rule of the
entry mmlu_pro (the first statement) and by the default (the last), the verdicts that differ, and each difference with its text.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tools.grading.choice.extraction import Found, find_letter
from tools.models.reasoning import split_reasoning

OUTPUT_FIELDS = ("generated_text", "model_outputs", "model_output", "response", "output")
SHOWN_CHARS = 300


@dataclasses.dataclass(frozen=True)
class Agreement:
    """Counts of one file. `differences` are (row, our letter) where the authors found another."""

    rows: int
    with_letter: int
    same: int
    same_verdict: int
    found_besides: int
    rules: Counter[str]
    differences: list[tuple[dict[str, Any], Found]]

    @property
    def share(self) -> float:
        return self.same / self.with_letter if self.with_letter else 1.0


def read_outputs(path: pathlib.Path) -> list[dict[str, Any]]:
    """The rows of a stored file, zipped or not."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            text = archive.read(archive.namelist()[0])
    else:
        text = path.read_bytes()
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def compare(rows: Sequence[dict[str, Any]], is_first: bool) -> Agreement:
    """Our letters against the authors'."""
    same = same_verdict = with_letter = found_besides = 0
    rules: Counter[str] = Counter()
    differences = []
    for row in rows:
        output = next(str(row[name]) for name in OUTPUT_FIELDS if row.get(name) is not None)
        found = find_letter(split_reasoning(output).answer, row["options"], is_first=is_first)
        rules[found.rule or "none"] += 1
        same_verdict += (found.letter == row["answer"]) == (row["pred"] == row["answer"])
        if row["pred"] is None:
            found_besides += found.letter is not None
            continue
        with_letter += 1
        same += found.letter == row["pred"]
        if found.letter != row["pred"]:
            differences.append((row, found))
    return Agreement(len(rows), with_letter, same, same_verdict, found_besides, rules, differences)


def report(name: str, found: Agreement) -> None:
    print(
        f"{name}: {found.same} of {found.with_letter} letters ({100 * found.share:.2f} %), verdicts {found.same_verdict} of "
        f"{found.rows}; besides, {found.found_besides} of {found.rows - found.with_letter} where the authors found none"
    )
    print("  by rule: " + ", ".join(f"{rule} {count}" for rule, count in found.rules.most_common()))


def main(paths: Sequence[str]) -> int:
    if not paths or paths[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    for path in map(pathlib.Path, paths):
        rows = read_outputs(path)
        start = time.process_time()
        first = compare(rows, is_first=True)
        seconds = time.process_time() - start
        print(f"{path.name}: {len(rows)} rows, {seconds:.1f} s CPU")
        report("first statement (mmlu_pro)", first)
        report("last statement (default)", compare(rows, is_first=False))
        for row, mine in first.differences:
            output = next(str(row[name]) for name in OUTPUT_FIELDS if row.get(name) is not None)
            print(f"- {row.get('question_id')}: theirs {row['pred']}, ours {mine.letter} ({mine.rule or mine.reason})")
            print(f"    {output[-SHOWN_CHARS:]!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
