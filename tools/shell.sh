# shellcheck shell=bash
# What the shell front doors share: the Python to use, a child that ends with its parent, sampling and grading.
# They set `root`, the toolkit's folder, before they read this; those that are not called with MODEL OUT say in a
# usage_text of their own how they are.
# shellcheck disable=SC2154

# The repository's own environment when it is there, else whatever python3 is; PYTHON names another.
python=${PYTHON:-}
if [[ -z $python ]]; then
    python=$root/.venv/bin/python
    [[ -x $python ]] || python=python3
fi
export PYTHONUNBUFFERED=1 PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"

usage_text() {
    cat <<TEXT
usage: bash $(basename "$0") MODEL OUT [options]
  MODEL  a name on the hub or a folder
  OUT    where everything is written
For example: bash $(basename "$0") nvidia/AceReason-Nemotron-1.1-7B out
Options: bash $(basename "$0") --help
TEXT
}

# A wrong command: the script's usage_text, and exit code 2.
usage() {
    usage_text >&2
    exit 2
}

# Shows the script's own usage and the options of a run, when the command line asks for help.
show_help_if_asked() {
    local word
    for word in "$@"; do
        if [[ $word == --help || $word == -h ]]; then
            usage_text
            echo
            "$python" "$root/inference.py" --help | sed -n '/^options, each/,$p'
            exit 0
        fi
    done
}

# Runs a command so that TERM, HUP and INT reach it (a waiting shell passes nothing on), and returns its status.
run_to_end() {
    "$@" &
    local child=$! status=0
    trap 'kill -TERM "$child" 2>/dev/null || true' TERM HUP INT
    while true; do
        status=0
        wait "$child" || status=$?
        kill -0 "$child" 2>/dev/null || break
    done
    trap - TERM HUP INT
    return "$status"
}

# MODEL OUT [options]: samples, then grades with the script given first.
run_and_grade() {
    local script=$1
    shift
    show_help_if_asked "$@"
    [[ $# -ge 2 && $1 != -* && $2 != -* ]] || usage
    local model=$1 out=$2
    shift 2
    run_to_end "$python" "$root/inference.py" --model "$model" --out "$out" "$@"
    grade_all "$script" "$model" "$out" "$@"
}

# Grades every benchmark of a run by the given script, which prints a table each; fails when one of them has no score.
grade_all() {
    local script=$1 model=$2 out=$3 status=0 folder name listed
    shift 3
    listed=$("$python" -m tools.sampling.settings --model "$model" --out "$out" "$@")
    while IFS=$'\t' read -r folder name; do
        "$python" "$root/$script" --generation-path "$out/$folder" --question-path "$name" || status=$?
    done <<<"$listed"
    return "$status"
}
