# shellcheck shell=bash
# What the shell front doors share: the Python to use, a child that ends with its parent, grading of all sets.
# They set `root`, the toolkit's folder, before they read this, and say in usage_text how they are called.
# shellcheck disable=SC2154

# The repository's own environment when it is there, else whatever python3 is; PYTHON names another.
python=${PYTHON:-}
if [[ -z $python ]]; then
    python=$root/.venv/bin/python
    [[ -x $python ]] || python=python3
fi
export PYTHONUNBUFFERED=1 PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"

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
    [[ $status -eq 0 ]] || exit "$status"
}

# Grades every set of a run by the given script, which prints a table each; fails when one of them has no score.
grade_all() {
    local script=$1 model=$2 out=$3 status=0 set sets
    shift 3
    sets=$("$python" -m tools.settings --model "$model" --out "$out" "$@")
    while IFS= read -r set; do
        "$python" "$root/$script" --generation-path "$out/$(basename "$set" .jsonl)" --question-path "$set" || status=$?
    done <<<"$sets"
    return "$status"
}
