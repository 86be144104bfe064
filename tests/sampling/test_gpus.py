"""Which GPUs a run takes: never one twice, never one that is not there, and no error text for a GPU."""

from __future__ import annotations

import pathlib

import pytest

from tools.errors import UsageError
from tools.sampling import gpus
from tools.sampling.gpus import choose_devices
from tools.sampling.settings import parse_settings

EIGHT = "\n".join(map(str, range(8)))


@pytest.fixture
def machine(tmp_path: pathlib.Path, monkeypatch):
    """Sets up a machine; gives the devices of a run on it as (name, CUDA_VISIBLE_DEVICES)."""

    def choose(smi=None, code=0, visible=None, nvml=0, torch=0, is_for_gpus=False, cores=2, asked=None, size=1):
        if smi is not None:
            script = tmp_path / "nvidia-smi"
            script.write_text(f"#!/bin/sh\ncat <<'X'\n{smi}\nX\nexit {code}\n")
            script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        monkeypatch.setattr(gpus, "count_by_nvml", lambda: nvml)
        monkeypatch.setattr(gpus, "count_by_torch", lambda: torch)
        monkeypatch.setattr(gpus, "is_torch_for_gpus", lambda: is_for_gpus)
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        words = ["--model", "a/b", "--out", "o", "--datasets", "aime_sample", "--engine", "vllm"]
        words += ["--tensor-parallel", str(size), *(["--gpus", asked] if asked else [])]
        return [(device.name, device.gpus) for device in choose_devices(parse_settings(words, environ={}))]

    return choose


@pytest.mark.parametrize("source", [{"smi": EIGHT}, {"nvml": 8}, {"torch": 8}])
def test_each_gpu_gets_one_engine_whoever_counts_them(machine, source):
    assert machine(**source) == [(f"gpu{index}", str(index)) for index in range(8)]
    assert machine(**source, asked="0-3", size=2) == [("gpu0-1", "0,1"), ("gpu2-3", "2,3")]
    assert machine(**source, asked="all", size=4) == [("gpu0-1-2-3", "0,1,2,3"), ("gpu4-5-6-7", "4,5,6,7")]
    assert machine(**source, asked="1,5-6") == [("gpu1", "1"), ("gpu5", "5"), ("gpu6", "6")]
    assert machine(**source, asked="2") == [("gpu0", "0"), ("gpu1", "1")]


def test_several_engines_never_share_a_gpu_that_nobody_saw(machine):
    for asked, size in (("8", 1), ("2", 1), (None, 2)):
        with pytest.raises(UsageError, match="this machine shows no GPU"):
            machine(is_for_gpus=True, cores=64, asked=asked, size=size)
    assert machine(is_for_gpus=True) == [("cpu0", None)]
    assert machine(is_for_gpus=True, visible="", cores=8, asked="2") == [("cpu0", None), ("cpu1", None)]


def test_workers_on_the_cpu_are_not_more_than_its_cores(machine):
    assert len(machine(cores=16, asked="8")) == 8
    with pytest.raises(UsageError, match="at most 4 workers"):
        machine(cores=2, asked="8")
    with pytest.raises(UsageError, match="at most 4 workers"):
        machine(cores=2, size=8)
    for asked in ("0,1", "0-3", "all", "GPU-8932f937"):
        with pytest.raises(UsageError, match="names GPUs and this machine shows none"):
            machine(asked=asked)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Failed to initialize NVML: Driver/library version mismatch", 18),
        ("0\n1\nUnable to determine the device handle for GPU2: 0000:3B:00.0: Unknown Error\n3", 0),
    ],
)
def test_what_nvidia_smi_complains_of_is_an_error_and_no_gpu(machine, text, code):
    with pytest.raises(UsageError, match=r"nvidia-smi says: (Failed|Unable).*; mend the driver"):
        machine(smi=text, code=code)


def test_a_machine_without_devices_works_on_its_cpu(machine):
    assert machine(smi="No devices were found", code=6) == [("cpu0", None)]
    assert machine(visible="NoDevFiles") == [("cpu0", None)]
    assert machine(visible="-1") == [("cpu0", None)]


def test_uuids_and_mig_names_become_file_names(machine):
    uuids = [f"GPU-{index:08x}-d72c-4106-c12f-20bd9faed9f6" for index in range(8)]
    assert machine(visible=" , ".join(uuids[:2])) == [("gpu00000000", uuids[0]), ("gpu00000001", uuids[1])]
    assert machine(visible=",".join(uuids), size=8) == [("gpus0-7", ",".join(uuids))]
    old_form = ["MIG-GPU-8932f937/1/2", "MIG-GPU-8932f937/3/0", "MIG-377e0049-554c-540b-93c6-d0976f8426cb"]
    names = [name for name, _ in machine(visible=",".join(old_form))]
    assert names == ["gpuMIG_8932f937_1_2", "gpuMIG_8932f937_3_0", "gpuMIG_377e0049"]
    twins = [f"GPU-8932f937-{index}" for index in range(2)]
    assert [name for name, _ in machine(visible=",".join(twins))] == ["gpus0-0", "gpus1-1"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"visible": "0,0"}, "names 0 twice"),
        ({"smi": EIGHT, "asked": "0,0"}, "names 0 twice"),
        ({"smi": EIGHT, "asked": "0-2,1"}, "names 1 twice"),
        ({"smi": EIGHT, "asked": "3-1"}, "ends before it begins"),
        ({"smi": EIGHT, "asked": "9"}, "only 8 are visible"),
        ({"smi": EIGHT, "asked": "6-9"}, "8, 9 is not among"),
        ({"smi": EIGHT, "asked": "some"}, "is not among"),
        ({"visible": "4,5,6,7", "asked": "0,1,2,3"}, "is not among the visible ones"),
        ({"smi": EIGHT, "size": 3}, "do not divide into groups"),
    ],
)
def test_gpus_that_cannot_be_meant_are_refused(machine, options, says):
    with pytest.raises(UsageError, match=says):
        machine(**options)


def test_the_build_of_torch_is_read_without_loading_it(tmp_path, monkeypatch):
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('it was loaded')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "torch", raising=False)
    for text, expected in (
        ("cuda: Optional[str] = None\nhip: Optional[str] = None\n", False),
        ("cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n", True),
        ("cuda = None\nhip = '6.4'\n", True),
    ):
        (package / "version.py").write_text(text)
        assert gpus.is_torch_for_gpus() is expected
