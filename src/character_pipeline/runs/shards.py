"""One shard, from its entries to the rows of the store: the work of a worker."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item, PictureFacts, Problem
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.ledger import ShardEntry
from character_pipeline.database.rows import ItemRow, RowEncoder
from character_pipeline.errors import CharpipeError
from character_pipeline.input_loader import open_source
from character_pipeline.input_loader.base import content_hash
from character_pipeline.processing import Stages, process_shard


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What a worker needs to know of a shard; `known` has the pictures that need not be opened again."""

    shard: int
    entries: tuple[ShardEntry, ...]
    known: dict[int, tuple[str, PictureFacts]] = field(default_factory=dict)


@dataclass(slots=True)
class ShardResult:
    """The rows of a shard in the order of its entries, how it went, and how long its parts took (seconds)."""

    shard: int
    items: list[tuple[int, int]]
    rows: list[ItemRow]
    statuses: Counter[str]
    kinds: Counter[str]
    seconds: dict[str, float]


def run_shard(job: ShardJob, stages: Stages, codes: Sequence[AttributeCodes]) -> ShardResult:
    """Read and process the items of a shard. Every entry gives one row."""
    encoder = RowEncoder(codes)
    known = dict(job.known.values())
    reader = _TimedReader(read_entries(job, stages.config.input_loader))
    statuses: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    rows: list[ItemRow] = []
    start = time.perf_counter()
    for done in process_shard(reader, stages, known):
        rows.append(encoder.encode(done))
        statuses[done.result.status] += 1
        kinds.update(problem.kind for problem in done.result.attributes.errors)
    total = time.perf_counter() - start
    seconds = {"read": reader.seconds, "process": total - reader.seconds}
    items = [(entry.number, entry.stamp) for entry in job.entries]
    return ShardResult(job.shard, items, rows, statuses, kinds, seconds)


def read_entries(job: ShardJob, config: InputLoaderConfig) -> Iterator[Item]:
    """The items of the entries, in their order, from whatever sources they have."""
    for uri, group in itertools.groupby(job.entries, key=lambda entry: entry.source):
        entries = [
            replace(member.entry, known=job.known[member.number][0]) if member.number in job.known else member.entry
            for member in group
        ]
        done = 0
        try:
            for item in open_source(uri, config).read(entries):
                yield item
                done += 1
        except (CharpipeError, OSError) as error:
            # The source itself broke: what was not read yet fails for a reason that may pass.
            problem = Problem("read", "io_error", f"{type(error).__name__}: {error}"[:500])
            for entry in entries[done:]:
                yield Item(entry.key, content_hash=content_hash(None, None), problems=(problem,))


class _TimedReader:
    """Passes items on and measures how long they took to come."""

    def __init__(self, items: Iterator[Item]) -> None:
        self.items = items
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        start = time.perf_counter()
        try:
            return next(self.items)
        finally:
            self.seconds += time.perf_counter() - start
