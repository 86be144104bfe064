#!/usr/bin/env bash
# AIME 2024 and 2025 from a model to a score: samples every problem with every seed, then grades.
#
#   bash run_aime.sh MODEL OUT [options]
#
# Outputs: OUT/<benchmark>/seed<N>.jsonl, manifest.json, verdicts.jsonl, accuracy_results.json. The same command continues a
# run that was stopped. Options and environment variables: bash run_aime.sh --help
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"

run_and_grade evaluate_aime.py "$@"
