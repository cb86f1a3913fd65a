"""Text extraction end to end: speed, the ratio to only reading and writing, and whether memory stays flat.

Each size runs in a process of its own, so that its peak memory is its own. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any


def measure(items: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "character_pipeline", "bench", "--items", str(items)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def help_seconds(runs: int = 5) -> float:
    """The median time that `charpipe --help` takes."""
    command = [sys.executable, "-m", "character_pipeline", "--help"]
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return sorted(taken)[runs // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[50_000, 1_000_000])
    sizes = parser.parse_args().items
    print(f"charpipe --help: {help_seconds():.2f} s\n")
    print("| items | items/s | ratio to reading and writing | peak memory of a process | database |")
    print("|---|---|---|---|---|")
    peaks = []
    for items in sizes:
        found = measure(items)
        peaks.append(found["peak_memory_mib"])
        speed, ratio = found["items_per_second"], found["ratio_to_reading_and_writing"]
        print(f"| {items:,} | {speed:,.0f} | {ratio:.2f} | {peaks[-1]:,.0f} MiB | {found['database_mib']:,.0f} MiB |")
    print(f"\nmemory, last to first: {peaks[-1] / peaks[0]:.2f}; {found['workers']} workers; {found['hardware']}")


if __name__ == "__main__":
    main()
