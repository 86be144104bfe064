#!/usr/bin/env bash
# Any benchmarks of one model with one command and one load of it: samples all of them, grades each, prints a table.
#
#   bash run_benchmarks.sh MODEL OUT --benchmarks aime24,gpqa_diamond,ifeval [options]
#   bash run_benchmarks.sh MODEL OUT --config suites/reasoning.yaml [options]
#
# Outputs: OUT/<benchmark>/ as of run_aime.sh, and OUT/report.html. A benchmark without a score is named, the others have
# theirs, and the exit code is 1. The same command continues a run that was stopped.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"
export DOOR=benchmarks

usage_text() {
    cat <<'TEXT'
usage: bash run_benchmarks.sh MODEL OUT --benchmarks LIST | --config SUITE [options]
  MODEL  a name on the hub or a folder
  OUT    where everything is written
  LIST   benchmarks or files of problems, between commas; `python -m tools benchmarks` lists them
  SUITE  a YAML file, or one of suites/: reasoning, evalchemy, code, quick
Options that begin with --judge (python evaluate.py --help) go to the grading; all others to the sampling.
For example: bash run_benchmarks.sh data/demo_model out --config quick
Options: bash run_benchmarks.sh --help
TEXT
}

show_help_if_asked "$@"
[[ $# -ge 2 && $1 != -* && $2 != -* ]] || usage
model=$1 out=$2
shift 2
sampling=() grading=() status=0
while [[ $# -gt 0 ]]; do
    case $1 in
        --judge*=*) grading+=("$1") ;;
        --judge*)
            [[ $# -ge 2 ]] || usage
            grading+=("$1" "$2")
            shift
            ;;
        *) sampling+=("$1") ;;
    esac
    shift
done
set -- "${sampling[@]}"
run_to_end "$python" "$root/inference.py" --model "$model" --out "$out" "$@" || status=$?
# 1: something is missing, which other benchmarks need not share. Anything else was a wrong command or a signal.
[[ $status -le 1 && -d $out ]] || exit "$status"
listed=$("$python" -m tools.sampling.settings --model "$model" --out "$out" "$@" 2>/dev/null) || exit "$status"
folders=$(cut -f 1 <<<"$listed" | paste -sd ,)
run_to_end "$python" "$root/evaluate.py" "$out" --benchmarks "$folders" "${grading[@]}" || status=$?
"$python" -m tools report "$out" >/dev/null || status=$?
exit "$status"
