#!/usr/bin/env bash
# LiveCodeBench from a model to a score: samples every problem with every seed, then runs and grades the programs.
#
#   bash run_livecodebench.sh MODEL OUT [options]
#
# Outputs: OUT/<benchmark>/seed<N>.jsonl, manifest.json, verdicts.jsonl, accuracy_results.json. The same command continues a
# run that was stopped. Options and environment variables: bash run_livecodebench.sh --help
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"
export DOOR=livecodebench

run_and_grade evaluate_livecodebench.py "$@"
