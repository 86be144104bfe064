#!/usr/bin/env bash
# Samples one base seed of one benchmark, without grading: the original toolkit's way to ask for a part of a run.
#
#   bash generate_aime.sh MODEL SEED DATASET OUT TYPE [options]     e.g. ... 100 aime24 out qwen
#
# The base seed s gives SAMPLES_PER_SEED (8) samples per problem, with the seeds s, s+1, ...; TYPE is r1, qwen or chat.
# Outputs: OUT/<benchmark>/seed<N>.jsonl and manifest.json.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"

usage_text() {
    cat <<'TEXT'
usage: bash generate_aime.sh MODEL SEED DATASET OUT TYPE [options]
  SEED     a base seed, e.g. 100
  DATASET  aime24, aime25, ... or a JSONL file
  TYPE     r1, qwen or chat
Options: bash generate_aime.sh --help
TEXT
}

show_help_if_asked "$@"
[[ $# -ge 5 && $1 != -* ]] || usage
model=$1 seed=$2 dataset=$3 out=$4 type=$5
shift 5

run_to_end "$python" "$root/inference.py" --model "$model" --out "$out" --seeds "$seed" --datasets "$dataset" --model-type "$type" "$@"
