"""One run over very many texts, to the end: time, memory of all processes, size at rest, and how fast it answers.

The records are made up like those of `charpipe bench`. Memory is the sum over all processes (each page counted once),
sampled while the run goes; its course tells whether it grows with the items. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import mean, median
from typing import Any

from character_pipeline.database.queries import count_results, find_results, get_result, get_statistics, parse_filter
from character_pipeline.database.store import Store
from character_pipeline.runs.hardware import describe_machine

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
MAKE_TEXTS = """
import json, sys
from character_pipeline.benchmark import make_texts
for number, text in enumerate(make_texts(int(sys.argv[1]))):
    print(json.dumps({"id": f"item-{number:08}", "text": text}))
"""
FILTERS = ("hair_color=Black", "hair_color=Black,gender=Female,hair_length=Long", "accessories=Glasses,eye_color=Red")
DEEP = 100_000
"""A page so far in is "deep"."""
EVERY = 0.5
"""Seconds between two looks at the memory."""


def make_texts(items: int, path: Path) -> None:
    if not path.exists():
        with path.with_suffix(".part").open("w", encoding="utf-8") as file:
            subprocess.run([sys.executable, "-c", MAKE_TEXTS, str(items)], check=True, stdout=file)
        path.with_suffix(".part").rename(path)


def memory_of_session(session: int) -> float:
    """MiB of all processes of a session, a page that several share counted once."""
    kib = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[3]) != session:
                continue
            lines = (status.parent / "smaps_rollup").read_text().splitlines()
        except (OSError, IndexError):
            continue  # it ended meanwhile
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024


@contextmanager
def watched(process: subprocess.Popen[Any]) -> Iterator[list[float]]:
    """The memory of a process and its children while it runs, in MiB, a number each time."""
    found: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            found.append(memory_of_session(process.pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def run(command: list[str]) -> tuple[float, list[float]]:
    """Seconds, and the course of the memory."""
    start = time.perf_counter()
    process = subprocess.Popen([*CHARPIPE, *command], start_new_session=True, stdout=subprocess.DEVNULL)
    with watched(process) as memory:
        if process.wait():
            raise SystemExit(f"charpipe {' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, [value for value in memory if value]


def growth(memory: list[float]) -> float:
    """The mean of the last quarter over that of the second."""
    quarter = len(memory) // 4
    return mean(memory[3 * quarter :]) / mean(memory[quarter : 2 * quarter]) if quarter else 1.0


def milliseconds(ask: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - start)
    return median(taken) * 1000


def page(store: Store, where: str, offset: int = 0) -> object:
    return list(islice(find_results(store, parse_filter(store, where), 20, offset=offset), 20))


def answers(place: Path) -> dict[str, float]:
    """How long questions take, in milliseconds."""
    store = Store(place / "character_attributes.db", writable=False)
    found = {"statistics": milliseconds(lambda: get_statistics(store))}
    last = store.db.execute("SELECT item_id FROM items ORDER BY id DESC LIMIT 1").fetchone()[0]
    found["one record by its id"] = milliseconds(lambda: get_result(store, last))
    for where in FILTERS:
        count = count_results(store, parse_filter(store, where))
        found[f"count of `{where}` ({count:,})"] = milliseconds(
            lambda where=where: count_results(store, parse_filter(store, where))  # type: ignore[misc]
        )
        found[f"first page of `{where}`"] = milliseconds(lambda where=where: page(store, where))  # type: ignore[misc]
    found[f"a page {DEEP:,} records in"] = milliseconds(lambda: page(store, "", DEEP))
    store.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=5_000_000)
    parser.add_argument("--workers", type=int, default=0, help="0 chooses; 1 for a soak test in one process")
    parser.add_argument("--work", type=Path, default=Path("scaling"), help="keeps the texts for another time")
    parser.add_argument("--export", action="store_true", help="also write Parquet, and measure that")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    texts, out = options.work / f"texts-{options.items}.jsonl", options.work / f"out-{os.getpid()}"
    make_texts(options.items, texts)
    words = ["extract", str(texts), "--output", str(out), "--format", "none", "--quiet"]
    seconds, memory = run([*words, "--workers", str(options.workers)])
    stats = json.loads((out / "stats.json").read_text())
    database = (out / "character_attributes.db").stat().st_size
    print("| what | result |\n|---|---|")
    print(f"| items, workers | {stats['processed']:,}, {stats['workers']} |")
    print(f"| time | {seconds / 60:.1f} min, {stats['processed'] / seconds:,.0f} items/s |")
    print(f"| peak memory of all processes | {max(memory):,.0f} MiB |")
    print(f"| memory in the last quarter over that in the second | {growth(memory):.3f} |")
    print(f"| database | {database / 2**30:.2f} GiB, {database / stats['processed'] / 1024:.2f} KiB an item |")
    if options.export:
        seconds, memory = run(["export", str(out), "--output", str(options.work), "--format", "parquet"])
        print(f"| export to Parquet | {seconds / 60:.1f} min, {max(memory):,.0f} MiB |")
    for name, taken in answers(out).items():
        print(f"| {name} | {taken:,.1f} ms |")
    parts = {name: value for name, value in stats["seconds"].items() if value >= 0.01 * seconds}
    print(f"\nseconds, summed over workers: {parts}\n\n{describe_machine()}")


if __name__ == "__main__":
    main()
