#!/usr/bin/env bash
# The demo: both main jobs from a tiny model to a score, on the CPU, in minutes. `make demo` runs it.
#
# Outputs: out/demo/<benchmark>/ as in a real run. Real sets are added where their files are at hand or the hub is reached.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"
out=${OUT:-out/demo}
model=data/demo_model

echo "== AIME: 20 problems of our own, 64 seeds" >&2
bash run_aime.sh "$model" "$out" --datasets aime_sample --out-seq-len 256

if "$python" -m tools.benchmarks fetch aime24 aime25 >/dev/null 2>&1; then
    echo "== AIME 2024 and 2025: 3 problems each (a model this small solves none; the way is what is shown)" >&2
    bash run_aime.sh "$model" "$out" --datasets aime24,aime25 --limit 3 --samples-per-seed 1 --out-seq-len 256
else
    echo "== AIME 2024 and 2025 are not reachable from here and left out; set DATA_DIR to a folder with aime24.jsonl" >&2
fi

echo "== LiveCodeBench: problems of our own" >&2
bash run_livecodebench.sh "$model" "$out" --out-seq-len 512

cat >&2 <<TEXT
Everything lies in $out: <benchmark>/seed*.jsonl (responses), verdicts.jsonl, accuracy_results.json, manifest.json; logs/
Look at it:  $python -m tools view $out        (a page in the browser, response by response)
             $python -m tools report $out      (one file to send around)
TEXT
