"""Text extraction end to end: speed, the ratio to only reading and writing, and whether memory stays flat.

Speed and ratio come from `charpipe bench`; memory is the peak of the largest process of `charpipe extract` over the
same texts, exports included. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
MAKE_TEXTS = """
import json, sys
from character_pipeline.benchmark import make_texts
for number, text in enumerate(make_texts(int(sys.argv[1]))):
    print(json.dumps({"id": f"item-{number:08}", "text": text}))
"""


def measure_speed(items: int) -> dict[str, Any]:
    command = [*CHARPIPE, "bench", "--items", str(items)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def measure_memory(items: int) -> float:
    """The peak in MiB. Ask for the sizes in rising order: the system keeps the maximum over all that ran before."""
    with tempfile.TemporaryDirectory() as place:
        texts = Path(place) / "texts.jsonl"
        with texts.open("w", encoding="utf-8") as file:
            subprocess.run([sys.executable, "-c", MAKE_TEXTS, str(items)], check=True, stdout=file)
        command = [*CHARPIPE, "extract", str(texts), "--output", str(Path(place) / "out"), "--quiet"]
        subprocess.run(command, check=True, capture_output=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def help_seconds(runs: int = 5) -> float:
    """The median time that `charpipe --help` takes."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([*CHARPIPE, "--help"], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return sorted(taken)[runs // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[50_000, 1_000_000])
    sizes = sorted(parser.parse_args().items)
    print(f"charpipe --help: {help_seconds():.2f} s\n")
    peaks = [measure_memory(items) for items in sizes]
    print("| items | items/s | ratio to reading and writing | peak memory of a process | database |")
    print("|---|---|---|---|---|")
    for items, peak in zip(sizes, peaks, strict=True):
        found = measure_speed(items)
        speed, ratio = found["items_per_second"], found["ratio_to_reading_and_writing"]
        print(f"| {items:,} | {speed:,.0f} | {ratio:.2f} | {peak:,.0f} MiB | {found['database_mib']:,.0f} MiB |")
    print(f"\nmemory, largest to smallest: {peaks[-1] / peaks[0]:.2f}; {found['workers']} workers; {found['hardware']}")


if __name__ == "__main__":
    main()
