#!/usr/bin/env bash
# AIME 2024 and 2025 from a model to a score: samples every problem with every seed, then grades.
#
#   bash run_aime.sh MODEL OUT [options]
#
# Outputs: OUT/<set>/seed<N>.jsonl, manifest.json, verdicts.jsonl, accuracy_results.json. The same command continues a
# run that was stopped. Options and environment variables: bash run_aime.sh --help
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"

usage_text() {
    cat <<'TEXT'
usage: bash run_aime.sh MODEL OUT [options]
  MODEL  a name on the hub or a folder
  OUT    where everything is written
For example: bash run_aime.sh nvidia/AceReason-Nemotron-1.1-7B out
Options: bash run_aime.sh --help
TEXT
}

show_help_if_asked "$@"
[[ $# -ge 2 && $1 != -* && $2 != -* ]] || usage
model=$1 out=$2
shift 2

run_to_end "$python" "$root/inference.py" --model "$model" --out "$out" "$@"
grade_all evaluate_aime.py "$model" "$out" "$@"
