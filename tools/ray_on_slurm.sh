#!/usr/bin/env bash
# Starts Ray on all nodes of a SLURM allocation, runs a command on the first of them with LAUNCHER=ray, ends Ray.
#
#   salloc --nodes=4 --gpus-per-node=8 --ntasks-per-node=1
#   bash tools/ray_on_slurm.sh bash run_aime.sh MODEL OUT
#
# Exit code: the command's. RAY_PORT (6379) is where the first node listens; RAY_START_TIMEOUT_S (300) is for all to come.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tools/shell.sh
source "$root/tools/shell.sh"

usage_text() {
    echo "usage: bash tools/ray_on_slurm.sh COMMAND ..., within a SLURM allocation (salloc, sbatch)"
}

[[ $# -gt 0 && $1 != -* && -n ${SLURM_JOB_NODELIST:-} ]] || usage
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]} others=$((${#nodes[@]} - 1)) port=${RAY_PORT:-6379}
export RAY_USAGE_STATS_ENABLED=0 RAY_worker_niceness=0 RAY_ADDRESS="$head:$port" LAUNCHER=ray
# A token of this allocation's own: without one, whoever reaches a node can run programs on it.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN="${RAY_AUTH_TOKEN:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}"
ray=("$python" -m ray.scripts.scripts start)
whole_node=(--overlap --ntasks-per-node=1 --cpus-per-task="${SLURM_CPUS_ON_NODE:-1}")

end_ray() {
    local child
    for child in $(jobs -p); do
        kill "$child" 2>/dev/null || true
    done
    wait
}
trap end_ray EXIT

srun "${whole_node[@]}" --nodes=1 -w "$head" "${ray[@]}" --head --port="$port" --block >&2 &
on_head=(srun --overlap --nodes=1 --ntasks=1 -w "$head")
"${on_head[@]}" "$python" -m tools.cluster.connection 1
if ((others)); then
    srun "${whole_node[@]}" --nodes="$others" --exclude="$head" "${ray[@]}" --address="$RAY_ADDRESS" --block >&2 &
    "${on_head[@]}" "$python" -m tools.cluster.connection "${#nodes[@]}"
fi
run_to_end "${on_head[@]}" "$@"
