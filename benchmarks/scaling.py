"""One run over very many items, to the end: time, memory of all processes, size at rest, and how fast it answers.

The texts are made up like those of `charpipe bench`. With `--pictures FOLDER...` the items are pictures: those of
folders that `charpipe sample` drew, each cut, mirrored and compressed anew in many ways, read by the embedded model;
and what five million of them take here and elsewhere is worked out from what each step cost.

Memory is the sum over all processes (each page counted once), sampled while the run goes; its course tells whether it
grows with the items. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from statistics import mean, median
from typing import Any

from PIL import Image

from character_pipeline.database.queries import count_results, find_results, get_result, get_statistics, parse_filter
from character_pipeline.database.store import Store
from character_pipeline.models.machine import count_cores
from character_pipeline.planning import WAITING, Hardware, Plan, duration_text, estimate
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
MANY = 5_000_000
GPU_RATE = 3_000
"""Pictures a second that a GPU is taken to read with the embedded model: an assumption, none was at hand."""
HARDWARE = {
    "this machine": Hardware(count_cores()),
    f"16 processors and a GPU ({GPU_RATE:,}/s)": Hardware(16, 1, GPU_RATE),
    "10 such machines": Hardware(16, 10, GPU_RATE),
}
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


def make_pictures(drawn: list[Path], items: int, folder: Path) -> None:
    """So many JPEGs of which no two are the same, with the texts of the pictures they were made of."""
    if folder.exists():
        return
    originals = sorted(path for root in drawn for path in root.rglob("*") if path.suffix in {".jpg", ".png", ".webp"})
    part = folder.with_suffix(".part")
    jobs = [(originals[number % len(originals)], number, part) for number in range(items)]
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(make_picture, jobs, chunksize=500):
            pass
    part.rename(folder)


def make_picture(job: tuple[Path, int, Path]) -> None:
    original, number, folder = job
    rng = Random(number)
    path = folder / f"{number // 1000:05}" / f"{number:08}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(original).convert("RGB")
    wide, high = picture.size
    cut = [rng.randrange(1 + size // 16) for size in (wide, high, wide, high)]
    picture = picture.crop((cut[0], cut[1], wide - cut[2], high - cut[3]))
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture.save(path, quality=rng.randint(85, 95))
    if (text := original.with_suffix(".txt")).exists():
        shutil.copyfile(text, path.with_suffix(".txt"))


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


def print_elsewhere(stats: dict[str, Any], database: int) -> None:
    """What five million such pictures take here and elsewhere, by the seconds of each step."""
    done, seconds = stats["processed"], stats["seconds"]
    models = {name for name in seconds if name.startswith(("onnx-", "torch-"))}
    counted = {"read", "decode", "decide", "write", *WAITING, *models}
    costs = {
        "reading": seconds["read"] / done,
        "decoding": seconds["decode"] / done,
        "models": sum(seconds[name] for name in models) / done,
        "deciding": seconds["decide"] / done,
        "texts and claims": sum(value for name, value in seconds.items() if name not in counted) / done,
        "writing": seconds["write"] / done,
    }
    print("\n| step | ms of a processor a picture |\n|---|---|")
    for name, cost in costs.items():
        print(f"| {name} | {1000 * cost:.2f} |")
    plan = Plan(MANY, done, 1.0, costs, database * MANY // done, None, 0, 0.0)
    print("\n| five million on | bound by | time |\n|---|---|---|")
    for name, hardware in HARDWARE.items():
        found = estimate(plan, hardware)
        print(f"| {name} | {found.bound} | {duration_text(found.seconds)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=5_000_000)
    parser.add_argument("--workers", type=int, default=0, help="0 chooses; 1 for a soak test in one process")
    parser.add_argument("--work", type=Path, default=Path("scaling"), help="keeps the texts for another time")
    parser.add_argument("--pictures", type=Path, nargs="+", help="folders that `charpipe sample` drew")
    parser.add_argument("--export", action="store_true", help="also write Parquet, and measure that")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    out, config = options.work / f"out-{os.getpid()}", options.work / "scaling.toml"
    config.write_text('[clip_analyzer]\nmodel_name = "embedded"\n', encoding="utf-8")
    items = options.work / (f"pictures-{options.items}" if options.pictures else f"texts-{options.items}.jsonl")
    if options.pictures:
        make_pictures(options.pictures, options.items, items)
    else:
        make_texts(options.items, items)
    words = ["extract", str(items), "--config", str(config), "--output", str(out), "--format", "none", "--quiet"]
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
    print(f"\nseconds, summed over workers: {parts}")
    if options.pictures:
        print_elsewhere(stats, database)
    print(f"\n{describe_machine()}")


if __name__ == "__main__":
    main()
