"""Puts faults of a GPU into vLLM's CPU build: with this folder on PYTHONPATH, Python loads this file in every process.

GPU_FAULT=step_memory=2   a step with more than two sequences runs out of memory, as a GPU that is too small; every step
                          takes STEP_S, so that a test can do something before the run is over
GPU_FAULT=busy            the device is taken by another process
GPU_FAULT=small_cache     one MiB is left for the KV cache
GPU_FAULT=head_size       the model's head size is none that the attention kernels know
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
import time

STEP_S = 0.05
KIND, _, LIMIT = os.environ.get("GPU_FAULT", "").partition("=")
TARGET = "vllm.v1.worker.cpu_worker"


def break_worker(worker) -> None:
    import torch

    if KIND == "busy":

        def init_device(self):
            raise ValueError(
                "Free memory on device cuda:0 (10.0/80.0 GiB) on startup is less than desired GPU memory utilization "
                "(0.92, 73.6 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes."
            )

        worker.init_device = init_device
    if KIND == "small_cache":
        worker.determine_available_memory = lambda self: 1 << 20
    if KIND == "head_size":

        def load_model(self, *rest, **named):
            raise ValueError("No valid attention backend found for cuda with head_size 100 is not supported")

        worker.load_model = load_model
    if KIND == "step_memory":
        whole = worker.execute_model

        def execute_model(self, scheduled, *rest, **named):
            if len(scheduled.num_scheduled_tokens) > int(LIMIT):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            time.sleep(STEP_S)
            return whole(self, scheduled, *rest, **named)

        worker.execute_model = execute_model


class Saboteur(importlib.abc.MetaPathFinder):
    """Breaks the worker's class as soon as its module is there."""

    def find_spec(self, name, path, target=None):
        if name != TARGET:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            break_worker(module.CPUWorker)

        spec.loader.exec_module = exec_module
        return spec


if KIND:
    sys.meta_path.insert(0, Saboteur())
