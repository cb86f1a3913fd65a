"""The engines side by side over the same texts, in turns: one and two workers, here and on a Ray cluster of this
machine.

The texts are descriptions in English, which cost a worker so much that the one process that writes is idle for the most
part; with `--tags` they are lists of tags, which cost it hardly more to read than the writer to write.

Items a second are those of the work, from when the first tenth of the shards is done to the last tenth: starting Ray
and its actors is part of the whole run only. Prints a Markdown table, how much faster two workers are than one (in
shares of twice as fast), and what Ray costs beside the worker processes of the local engine.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from character_pipeline import create_pipeline
from character_pipeline.benchmark import make_texts
from character_pipeline.runs.delivery import DeliveringSetup, collect
from character_pipeline.runs.engine import Context, Engine, LocalEngine
from character_pipeline.runs.hardware import describe_machine
from character_pipeline.runs.ray_engine import RayEngine
from character_pipeline.runs.run import RunSummary, Silence
from character_pipeline.runs.shards import ShardJob, ShardResult, WorkerSetup

COLORS = ("black", "blonde", "brown", "red", "silver", "blue", "green", "pink", "purple")
CLOTHES = ("dress", "school uniform", "kimono", "sweater", "jacket", "coat", "blouse and a skirt", "t-shirt and jeans")
THINGS = ("glasses", "a straw hat", "a hair ribbon", "earrings", "a scarf", "gloves", "a necklace")
LENGTHS = ("short", "medium-length", "long", "very long")
STYLES = ("a ponytail", "twintails", "a bun", "a single braid")
MOODS, PLACES = ("smiles", "frowns", "blushes", "cries"), ("a garden", "a library", "the beach", "a snowy street")
PEOPLE = (("woman", "She", "her"), ("man", "He", "his"), ("girl", "She", "her"))


def make_descriptions(count: int) -> Iterator[str]:
    """Paragraphs about one person each."""
    rng = Random(0)
    one = rng.choice
    for _ in range(count):
        noun, they, their = one(PEOPLE)
        yield (
            f"A young {noun} with {one(LENGTHS)} {one(COLORS)} hair and {one(COLORS)} eyes stands in {one(PLACES)}. "
            f"{they} {one(MOODS)} and wears a {one(COLORS)} {one(CLOTHES)} with {one(THINGS)} and {one(THINGS)}. "
            f"{they} has {their} hair in {one(STYLES)}, and there are {one(COLORS)} flowers under a {one(COLORS)} sky."
        )


@dataclass(frozen=True)
class RayDataEngine(RayEngine):
    """The same workers, handed their shards by Ray Data instead of by us: for comparison, it survives nothing."""

    def run(
        self, jobs: Iterable[ShardJob], setup: WorkerSetup, workers: int, context: Context
    ) -> Generator[ShardResult, None, None]:
        delivering = DeliveringSetup(replace(setup, threads=1), context.files.folder, context.fingerprint)
        waiting = {job.shard: job for job in jobs}
        with self._cluster(workers) as ray:
            ray.data.DataContext.get_current().enable_progress_bars = False
            packed = [{"job": pickle.dumps(job)} for job in waiting.values()]
            data = ray.data.from_items(packed, override_num_blocks=len(packed))
            done = data.map_batches(
                Doer,
                fn_constructor_args=(delivering,),
                batch_size=1,
                num_cpus=1,
                compute=ray.data.ActorPoolStrategy(size=workers),
            )
            for row in done.iter_rows():
                result = collect(context.files, waiting.pop(row["shard"]), context.fingerprint)
                assert result is not None
                yield result


class Doer:
    """A worker as Ray Data calls it."""

    def __init__(self, setup: DeliveringSetup) -> None:
        self.worker = setup.build()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"shard": [self.worker.work(pickle.loads(job)) for job in batch["job"]]}


class Watch(Silence):
    """Notes when each shard was committed, and how many items it had."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []

    def advance(self, summary: RunSummary, items: int) -> None:
        self.seen.append((time.perf_counter(), items))

    @property
    def rate(self) -> float:
        """Items a second, without what was under way when the first shards came and when the last ones did."""
        cut = max(1, len(self.seen) // 10)
        (start, _), (end, _) = self.seen[cut], self.seen[-cut]
        return sum(items for _, items in self.seen[cut + 1 : len(self.seen) - cut + 1]) / (end - start)


def measure(engine: Engine, workers: int, texts: Path) -> tuple[float, float]:
    """Items a second of the work, and the seconds of the whole run."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as place:
        config = {"database": {"db_path": f"{place}/a.db"}, "run": {"workers": workers, "shard_size": 500}}
        with closing(create_pipeline(config)) as pipeline:
            start = time.perf_counter()
            pipeline.run(texts, engine=engine, progress=watch)
            return watch.rate, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--data", action="store_true", help="also Ray Data, beside Ray Core")
    parser.add_argument("--tags", action="store_true", help="lists of tags instead of descriptions")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    # By default Ray's workers give way to all other processes.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - its own name
    engines: dict[str, Engine] = {"local": LocalEngine(), "ray": RayEngine()}
    engines |= {"ray data": RayDataEngine()} if asked.data else {}
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as place:
        texts = Path(place) / "t.jsonl"
        with texts.open("w", encoding="utf-8") as file:
            for number, text in enumerate((make_texts if asked.tags else make_descriptions)(asked.items)):
                file.write(json.dumps({"id": f"item-{number:08}", "text": text}) + "\n")
        for _ in range(asked.rounds):
            for name, engine in engines.items():
                for workers in (1, 2):
                    found.setdefault((name, workers), []).append(measure(engine, workers, texts))
    print("| engine | workers | items/s of the work | whole run, s |\n|---|---|---|---|")
    rates = {}
    for (name, workers), runs in found.items():
        rates[name, workers] = median(rate for rate, _ in runs)
        print(f"| {name} | {workers} | {rates[name, workers]:,.0f} | {median(taken for _, taken in runs):.1f} |")
    print(f"\nray, two workers in shares of twice one: {rates['ray', 2] / 2 / rates['ray', 1]:.2f}")
    print(f"time of ray in times that of local, two workers each: {rates['local', 2] / rates['ray', 2]:.2f}")
    kind = "lists of tags" if asked.tags else "descriptions"
    print(f"\n{asked.items:,} {kind}, {asked.rounds} rounds in turns; {describe_machine()}")


if __name__ == "__main__":
    main()
