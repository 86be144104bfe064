"""Writes report.html: one file that opens from disk without network.

python -m tools report OUT                       # OUT/report.html, all data sets of the run
python -m tools report OUT/aime24 -o aime24.html
python -m tools report OUT/livecodebench --cutoff 2024-08-01     # and test for contamination at that date
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.errors import run_command


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="the OUT of a run, or one of its data set folders")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: report.html in OUT")
    parser.add_argument("--cutoff", metavar="DATE", help="the model's training cut-off, e.g. 2024-08-01")
    arguments = parser.parse_args()
    from tools.report.page import write_report

    path = write_report(arguments.out, arguments.output, cutoff=arguments.cutoff)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
