"""What machine this is, for the numbers that are measured on it."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path
from typing import Any

from character_pipeline.models.machine import count_cores, memory_bytes


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, Python."""
    return {
        "processor": _processor(),
        "cores": count_cores(),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def held_memory_bytes() -> int | None:
    """The memory that this process holds now; None where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def peak_memory_mib() -> float:
    """The most memory that this process or any one of its workers held so far."""
    used = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    unit = 2**20 if platform.system() == "Darwin" else 2**10
    return round(max(used) / unit, 1)
