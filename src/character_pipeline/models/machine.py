"""What this machine has to calculate with, found out without loading anything heavy."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.util import find_spec
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

BF16_SINCE = 8
"""The major compute capability from which NVIDIA GPUs calculate in bf16."""
CGROUPS = Path("/sys/fs/cgroup")


def has_package(name: str) -> bool:
    return find_spec(name) is not None


def has_torch() -> bool:
    """Whether the extra `clip` is installed."""
    return has_package("torch") and has_package("transformers")


@lru_cache(maxsize=1)
def gpu_capability() -> tuple[int, int] | None:
    """The compute capability of the first NVIDIA GPU; None where there is none to be used.

    Asks the driver's management library, which unlike CUDA itself leaves processes free to fork.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in {"", "-1"}:
        return None
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    if library.nvmlInit_v2() != 0:
        return None
    handle, major, minor = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
    failed = library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)) or (
        library.nvmlDeviceGetCudaComputeCapability(handle, ctypes.byref(major), ctypes.byref(minor))
    )
    return None if failed else (major.value, minor.value)


def torch_sees_gpu() -> bool:
    """Whether the installed torch is built for the GPU that is there."""
    folder = _folder("torch") if has_torch() else None
    if folder is None or gpu_capability() is None:
        return False
    try:
        text = (folder / "version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r"^cuda\b.*=\s*['\"]", text, re.MULTILINE) is not None


def onnx_sees_gpu() -> bool:
    """Whether the installed ONNX Runtime is built for the GPU that is there."""
    folder = _folder("onnxruntime") if gpu_capability() is not None else None
    return folder is not None and any((folder / "capi").glob("*onnxruntime_providers_cuda.*"))


def count_cores() -> int:
    """The processors that this process may use: no more than a container's quota (`docker run --cpus 2`) pays for."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, ceil(min(there, _quota(CGROUPS))))


def memory_bytes() -> int:
    """The memory that this machine has, or a container may take."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max" where all may be taken
            limits.append(int((CGROUPS / name).read_text(encoding="ascii")))
    return min(limits)


def _quota(cgroups: Path) -> float:
    """How many processors' time the control group that is mounted there may take; infinite where it may take all."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((cgroups / name).read_text(encoding="ascii") for name in names).split()
            return int(quota) / int(period) if int(quota) > 0 else inf
        except (OSError, ValueError, ZeroDivisionError):
            continue
    return inf


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Small matrix products within are calculated by the thread that asks for them.

    OpenBLAS would share them out, and its other threads then spin for a while, each on a processor that could decode.
    """
    with _thread_pools().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    import numpy  # noqa: F401 - what is not loaded yet is not found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None
