"""Uploads a run to a dataset repository of the Hugging Face hub, with a card. Run again after a stop: nothing is doubled.

    HF_TOKEN=... python -m tools upload out/ --repo org/name [--private]
    python -m tools upload out/ --repo org/name --dry-run      # what would go up, and the card; asks nobody

Responses, verdicts, results, manifests and a report go up; keys and tokens never do. Of benchmarks that their authors give
out on conditions only (GPQA, HLE) no text goes up, only figures. HF_ENDPOINT names another hub.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.commandline import CommandLine
from tools.errors import UploadError, run_command


def make_parser() -> CommandLine:
    parser = CommandLine(__doc__, usage="python -m tools upload OUT --repo ORG/NAME [options]")
    parser.add_argument("out", type=Path, metavar="OUT", help="the OUT of a run, or one benchmark's folder in it")
    parser.add_argument(
        "--repo", required=True, metavar="ORG/NAME", help="dataset repository; created where there is none"
    )
    parser.add_argument("--private", action="store_true", help="create it private; refused where it is public already")
    parser.add_argument(
        "--allow-incomplete", action="store_true", help="also a run with missing samples; the card says so"
    )
    parser.add_argument("--dry-run", action="store_true", help="list the files and print the card, and send nothing")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = make_parser().parse_args(arguments)
    from tools.upload.card import make_card
    from tools.upload.redaction import own_secrets
    from tools.upload.selection import UploadFile, make_report, select
    from tools.upload.sending import address_of, check_repo, find_token, send

    repo, token = check_repo(given.repo), find_token()
    if token is None and not given.dry_run:
        raise UploadError("there is no token for the hub; set HF_TOKEN to one that may write, or run `hf auth login`")
    secrets = own_secrets(os.environ, token)
    benchmarks = select(given.out, secrets, allow_incomplete=given.allow_incomplete)
    card = UploadFile("README.md", make_card(benchmarks, repo, address_of(repo), secrets))
    report = make_report(benchmarks, secrets)
    files = [card, *(file for each in benchmarks for file in each.files), *([report] if report else [])]
    size = f"{len(files)} files, {sum(file.size for file in files) / 1e6:.1f} MB"
    for each in benchmarks:
        if each.left_out:
            print(f"{each.results.benchmark}: {each.left_out}", file=sys.stderr)
    if given.dry_run:
        print("\n".join(f"{file.size:>12}  {file.name}" for file in files))
        print(f"\n{size}; nothing was sent\n\n{card.content}")
        return 0
    print(f"uploading {size} to {repo}", file=sys.stderr, flush=True)
    message = (
        f"Run of {benchmarks[0].results.model[:60]}: {', '.join(each.results.benchmark for each in benchmarks)[:120]}"
    )
    print(send(files, repo, token or "", message=message, is_private=given.private))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
