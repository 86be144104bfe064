#!/usr/bin/env bash
# Samples one base seed of LiveCodeBench, without grading: the original toolkit's way to ask for a part of a run.
#
#   bash generate_livecodebench.sh MODEL SEED OUT TYPE [options]     e.g. ... 111 out qwen
#
# TYPE is r1, qwen or chat. DATASETS names another benchmark. Outputs: OUT/<benchmark>/seed<SEED>.jsonl and
# manifest.json.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"
export DOOR=livecodebench

usage_text() {
    cat <<'TEXT'
usage: bash generate_livecodebench.sh MODEL SEED OUT TYPE [options]
  SEED  a base seed, e.g. 111
  TYPE  r1, qwen or chat
Options: bash generate_livecodebench.sh --help
TEXT
}

show_help_if_asked "$@"
[[ $# -ge 4 && $1 != -* ]] || usage
model=$1 seed=$2 out=$3 type=$4
shift 4

run_to_end "$python" "$root/inference.py" --model "$model" --out "$out" --seeds "$seed" --model-type "$type" "$@"
