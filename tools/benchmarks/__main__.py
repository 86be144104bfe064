"""Lists the benchmarks, or finds or fetches some and checks them.

    python -m tools benchmarks                       every benchmark: name, problems, kind, aliases, needs, licence
    python -m tools benchmarks math                  those with "math" in name, aliases or kind
    python -m tools benchmarks --page                docs/benchmarks.md, made from the entries
    python -m tools benchmarks fetch aime24 aime25   finds or fetches their files, checks them, says where they lie

A benchmark is one entry in data/benchmarks/ or in the folder that BENCHMARKS_DIR names (docs/add_a_benchmark.md).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tools.benchmarks.benchmark import Benchmark, list_benchmarks
from tools.benchmarks.problems import find_local_file, load_benchmark
from tools.commandline import CommandLine
from tools.errors import UsageError, run_command


def fetch_all(names: Sequence[str]) -> int:
    """Finds or fetches benchmarks, checks them and says where they lie. Raises DataError at the first that fails."""
    for name in names:
        loaded = load_benchmark(name)
        read = loaded.source
        origin = f", {read.dataset} at {read.revision or 'an unknown commit'}" if read else ""
        print(f"{loaded.name}: {len(loaded.problems)} problems, {loaded.path}, sha256 {loaded.sha256}{origin}")
    return 0


def needs_of(benchmark: Benchmark) -> str:
    """What one must have before it runs; its own file at hand needs nothing."""
    needs = [benchmark.needs] if benchmark.needs else []
    if find_local_file(benchmark.name) is None:
        source = benchmark.source
        if source is None:
            needs.append("a file of yours")
        else:
            needs.append("the hub, its authors' acceptance and HF_TOKEN" if source.is_gated else "the hub")
    return ", ".join(needs) or "nothing"


def describe(benchmark: Benchmark) -> list[str]:
    kind = benchmark.grader_options.get("comparison")
    kind = benchmark.grader if kind in (None, benchmark.grader) else f"{benchmark.grader} ({kind})"
    count = str(benchmark.problems) if benchmark.problems is not None else "-"
    return [benchmark.name, count, kind, ", ".join(benchmark.aliases) or "-", needs_of(benchmark), benchmark.licence]


def print_list(word: str = "") -> int:
    """The table; the licence comes last, because it is long. Raises UsageError when the word is in none."""
    rows = [describe(benchmark) for benchmark in list_benchmarks().values()]
    rows = [row for row in rows if word.lower() in " ".join(row[:4]).lower()]
    if not rows:
        raise UsageError(f"no benchmark has {word!r} in its name, aliases or kind; run it without a word to see all")
    heads = ["benchmark", "problems", "kind", "aliases", "needs", "licence"]
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(5)]
    for row in [heads, *rows]:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False)) + "  " + row[5])
    return 0


def main() -> int:
    parser = CommandLine(__doc__, usage="python -m tools benchmarks [WORD] | fetch NAME...")
    parser.add_argument("words", nargs="*", metavar="WORD", help="a word to look for, or `fetch` and names")
    parser.add_argument("--page", action="store_true", help="print docs/benchmarks.md, made from the entries")
    given = parser.parse_args()
    words = given.words
    if given.page:
        from tools.benchmarks.page import write_page

        print(write_page(), end="")
        return 0
    if words[:1] == ["fetch"]:
        if not words[1:]:
            raise UsageError("fetch needs names of benchmarks; see --help")
        return fetch_all(words[1:])
    if len(words) > 1:
        raise UsageError(f"{' '.join(words)!r} are several words; give one, or `fetch` and names")
    return print_list(*words)


if __name__ == "__main__":
    sys.exit(run_command(main))
