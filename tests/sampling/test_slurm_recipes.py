"""The commands of docs/cluster.md, run as they stand there. Stand-ins for SLURM's tools run all nodes on this machine:
node N is 127.0.0.N to Ray, and a task without Ray is a process."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support import real_runs
from tests.support.ray_cluster import needs_ray
from tests.support.real_runs import finish, seed_files, start

SCONTROL = "#!/usr/bin/env bash\nprintf '127.0.0.1\\n127.0.0.2\\n'\n"
SRUN = """#!/usr/bin/env bash
# Takes the options that the recipes use; runs the command as node -w, as node 2 with --exclude, else once per node.
node="" tasks=1
while [[ $1 == -* ]]; do
    case $1 in
        -w) node=$2; shift ;;
        --exclude=*) node=127.0.0.2 ;;
        --nodes=*) tasks=${1#*=} ;;
    esac
    shift
done
if [[ "$*" == *"scripts start"* ]]; then
    exec "$@" --node-ip-address="$node" --num-cpus=1
fi
[[ -z $node ]] || exec "$@"
for ((task = 0; task < tasks; task++)); do "$@" & done
for pid in $(jobs -p); do wait "$pid" || exit 1; done
"""


def recipe(title: str) -> list[str]:
    """The indented lines of a section, for two nodes instead of four."""
    section = (ROOT / "docs/cluster.md").read_text().split(f"## {title}")[1].split("\n## ")[0]
    lines = [line.strip() for line in re.findall(r"^    \S.*$", section, re.M)]
    return [line.replace("--nodes=4", "--nodes=2") for line in lines]


def run_recipe(lines: list[str], out: pathlib.Path, folder: pathlib.Path, **options: str) -> str:
    """What the lines print on stderr; they have to succeed."""
    for name, text in (("scontrol", SCONTROL), ("srun", SRUN)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    script = "\n".join(lines).replace("MODEL", str(ROOT / "data/demo_model")).replace("OUT", str(out))
    environment = {
        "PATH": f"{folder}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": os.environ["HOME"],
        "PYTHON": sys.executable, "HF_HUB_OFFLINE": "1", "DATASETS": "aime_sample", "SEEDS": real_runs.SEEDS,
        "SAMPLES_PER_SEED": "1", "LIMIT": str(real_runs.LIMIT), "OUT_SEQ_LEN": "8", "ENGINE": real_runs.SCRIPTED, "SCRIPT_DELAY_S": "0.2",
        "SLURM_JOB_NODELIST": "node[1-2]", "SLURM_CPUS_ON_NODE": "1", **options,
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("reference")
    code, errors = finish(start(out))
    assert code == 0, errors
    return seed_files(out)


def test_one_task_per_node_on_a_shared_folder(tmp_path, reference):
    lines = recipe("SLURM without Ray, two commands")
    assert len(lines) == 2
    errors = run_recipe(lines, tmp_path / "out", tmp_path, GPUS="1")
    assert "helping with 1 workers" in errors
    assert seed_files(tmp_path / "out") == reference
    assert (tmp_path / "out/aime_sample/accuracy_results.json").exists()


@pytest.mark.slow
@needs_ray
def test_ray_on_all_nodes_of_an_allocation(tmp_path, reference):
    allocate, run = recipe("SLURM with Ray, two commands")
    assert allocate.startswith("salloc ")
    run_recipe([run], tmp_path / "out", tmp_path, RAY_PORT="6391", RAY_raylet_start_wait_time_s="300")
    assert seed_files(tmp_path / "out") == reference
    assert (tmp_path / "out/aime_sample/accuracy_results.json").exists()
    assert {path.name for path in (tmp_path / "out/logs").iterdir()} == {"ray0.log", "ray1.log"}


def test_outside_of_an_allocation_the_script_says_how_to_get_one(run_script):
    done = run_script("bash", "tools/ray_on_slurm.sh", "true")
    assert done.returncode == 2
    assert done.stderr == "usage: bash tools/ray_on_slurm.sh COMMAND ..., within a SLURM allocation (salloc, sbatch)\n"
