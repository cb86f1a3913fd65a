"""One shard, from its entries to the rows of the store: the work of a worker."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from character_pipeline.data import Item, PictureFacts, Problem
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.ledger import ShardEntry
from character_pipeline.database.rows import RowEncoder, Rows
from character_pipeline.input_loader import Entry, Source
from character_pipeline.input_loader.base import content_hash
from character_pipeline.input_loader.text import clean_text
from character_pipeline.processing import Stages, process_shard


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What a worker needs to know of a shard; `known` has the pictures that need not be opened again.

    The sources are those that took the inventory: opened anew, a pattern or folder that grows would be another one.
    """

    shard: int
    run: int
    entries: tuple[ShardEntry, ...]
    sources: Mapping[str, Source]
    known: dict[int, tuple[str, PictureFacts]] = field(default_factory=dict)


@dataclass(slots=True)
class ShardResult:
    """The rows of a shard in the order of its entries, how it went, and how long its parts took (seconds)."""

    shard: int
    rows: Rows = field(default_factory=Rows)
    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    textless: int = 0

    def extend(self, other: ShardResult) -> None:
        """Take up the rest of the same shard."""
        self.rows.extend(other.rows)
        self.statuses += other.statuses
        self.kinds += other.kinds
        self.textless += other.textless
        for part, seconds in other.seconds.items():
            self.seconds[part] = self.seconds.get(part, 0.0) + seconds


class ShardWorker:
    """Does shards; what it learns on the way (decisions it has met) serves the next ones."""

    def __init__(self, stages: Stages, codes: Sequence[AttributeCodes]) -> None:
        self.stages = stages
        self.encoder = RowEncoder(codes)

    def work(self, job: ShardJob) -> ShardResult:
        """Read and process the items of a shard. Every entry gives one row."""
        if self.stages.image_stages:
            job = replace(job, known={})  # they need every picture
        known = dict(job.known.values())
        reader = _TimedReader(read_entries(job))
        result = ShardResult(job.shard)
        start = time.perf_counter()
        for done, entry in zip(process_shard(reader, self.stages, known), job.entries, strict=True):
            self.encoder.encode(done, entry.number, entry.stamp, job.run, result.rows)
            result.statuses[done.result.status] += 1
            result.textless += done.item.text is None
            result.kinds.update([problem.kind for problem in done.result.attributes.errors])
        result.seconds = {"read": reader.seconds, "process": time.perf_counter() - start - reader.seconds}
        return result


def read_entries(job: ShardJob) -> Iterator[Item]:
    """The items of the entries, in their order, from whatever sources they have."""
    for uri, group in itertools.groupby(job.entries, key=lambda entry: entry.source):
        entries = [
            replace(member.entry, known=job.known[member.number][0]) if member.number in job.known else member.entry
            for member in group
        ]
        while entries:
            done = 0
            try:
                for item in job.sources[uri].read(entries):
                    yield item
                    done += 1
                break
            except Exception as error:  # noqa: BLE001 - recorded as a row's problem
                yield from [_broken_item(entry, error) for entry in entries[done : done + 1]]
            entries = entries[done + 1 :]


def _broken_item(entry: Entry, error: Exception) -> Item:
    """An item on which its source itself broke; the reason may pass."""
    kind = "out_of_memory" if isinstance(error, MemoryError) else "io_error"
    problem = Problem("read", kind, clean_text(f"{type(error).__name__}: {error}"[:500]))
    return Item(entry.key, content_hash=content_hash(None, None), problems=(problem,))


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
