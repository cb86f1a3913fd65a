"""One shard, from its entries to the rows of the store: the work of a worker."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.config import is_server
from character_pipeline.data import Item, PictureFacts, Problem, Processed
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.ledger import ShardEntry
from character_pipeline.database.rows import RowEncoder, Rows
from character_pipeline.database.vectors import VectorCache
from character_pipeline.input_loader import Entry, Source
from character_pipeline.input_loader.base import content_hash
from character_pipeline.input_loader.text import clean_text
from character_pipeline.processing import Meter, Stages, process_items
from character_pipeline.runs.tally import Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = Mapping[str, NDArray[np.float16]]

StagesFactory = Callable[[], Stages]
"""Gives the stages; called once in each worker, so it must be picklable."""


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
    """The rows of a shard in the order of its entries, how it went, and how long its parts took (seconds).

    Attributes:
        counts: see `Meter` and `Tally`.
        speakers: what the readers that read call themselves, by their key.
    """

    shard: int
    rows: Rows = field(default_factory=Rows)
    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    speakers: dict[str, str] = field(default_factory=dict)

    def extend(self, other: ShardResult) -> None:
        """Take up the rest of the same shard."""
        self.rows.extend(other.rows)
        self.statuses += other.statuses
        self.kinds += other.kinds
        self.counts += other.counts
        self.speakers |= other.speakers
        for part, seconds in other.seconds.items():
            self.seconds[part] = self.seconds.get(part, 0.0) + seconds


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """All that a worker is made of; picklable.

    Attributes:
        cache: the database with vectors of earlier runs, or None where they are neither read nor written.
        threads: the processors that are the worker's share.
    """

    make_stages: StagesFactory
    codes: tuple[AttributeCodes, ...]
    cache: str | None = None
    threads: int = 1

    def build(self) -> ShardWorker:
        return ShardWorker(self)


class ShardWorker:
    """Does shards; what it learns on the way (decisions it has met) serves the next ones."""

    def __init__(self, setup: WorkerSetup) -> None:
        self.stages = setup.make_stages()
        self.threads = setup.threads
        self.encoder = RowEncoder(setup.codes, self.stages.decoding)
        self.tally = Tally(self.stages)
        sizes, suffix = self.stages.sizes, self.stages.decoding
        self.keep = setup.cache is not None
        # a file may not be on this machine
        here = setup.cache is not None and (is_server(setup.cache) or Path(setup.cache).is_file())
        self.cache = VectorCache(setup.cache, sizes, suffix) if setup.cache and here else None
        for reader in self.stages.readers.values():
            if hasattr(reader, "threads"):
                reader.threads = setup.threads

    def work(self, jobs: Iterable[ShardJob]) -> Generator[ShardResult, None, None]:
        """Read and process the items of shards. Every entry gives one row.

        The items of the next shards are begun before one is done, so that no reader waits for pictures between shards.
        """
        meter = Meter()
        open_shards: deque[_OpenShard] = deque()
        items = self._items(jobs, open_shards, meter)
        find = None if self.cache is None else self.cache.find
        with closing(process_items(items, self.stages, find, meter, self.threads)) as results:
            start = time.perf_counter()
            for done in results:
                while open_shards[0].full:
                    yield open_shards.popleft().result
                shard = open_shards[0]
                self._take(shard, done)
                if shard.full:
                    meter.spend("process", time.perf_counter() - start)
                    shard.measure(meter.take())
                    yield open_shards.popleft().result
                    start = time.perf_counter()
        for shard in open_shards:
            yield shard.result

    def _items(self, jobs: Iterable[ShardJob], open_shards: deque[_OpenShard], meter: Meter) -> Iterator[Item]:
        for job in jobs:
            open_shards.append(_OpenShard(job))
            reader = _TimedReader(self._known_items(job), meter)
            yield from reader

    def _known_items(self, job: ShardJob) -> Iterator[Item]:
        """The items of a shard with what is known of their pictures, which then are not opened."""
        readings = self._readings(job)
        known = {number: job.known[number] for number in readings}
        for member, item in zip(job.entries, read_entries(replace(job, known=known)), strict=True):
            if member.number in known:
                item = replace(item, facts=known[member.number][1], readings=readings[member.number])  # noqa: PLW2901
            yield item

    def _readings(self, job: ShardJob) -> dict[int, Vectors]:
        """What the readers found in the pictures of a shard, by item, where nobody needs to see the picture again."""
        if self.stages.image_stages:
            return {}
        wanted = self.stages.readers.keys()
        found = self.cache.find([digest for digest, _ in job.known.values()]) if self.cache and wanted else {}
        readings = {number: found.get(digest, {}) for number, (digest, _) in job.known.items()}
        return {number: vectors for number, vectors in readings.items() if wanted <= vectors.keys()}

    def _take(self, shard: _OpenShard, done: Processed) -> None:
        entry = shard.job.entries[len(shard.result.rows.items)]
        result, record = shard.result, done.result.attributes
        self.encoder.encode(done, entry.number, entry.stamp, shard.job.run, result.rows)
        if not self.keep:
            result.rows.vectors.clear()
        result.statuses[done.result.status] += 1
        result.kinds.update([problem.kind for problem in record.errors])
        self.tally.count(done, result.counts)

    def close(self) -> None:
        if self.cache is not None:
            self.cache.close()


class _OpenShard:
    """A shard whose results are coming in."""

    def __init__(self, job: ShardJob) -> None:
        self.job = job
        self.result = ShardResult(job.shard)

    @property
    def full(self) -> bool:
        return len(self.result.rows.items) == len(self.job.entries)

    def measure(self, meter: Meter) -> None:
        meter.seconds["process"] -= meter.seconds.get("read", 0.0)
        self.result.seconds = meter.seconds
        self.result.counts += meter.counts
        self.result.speakers = meter.speakers


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

    def __init__(self, items: Iterator[Item], meter: Meter) -> None:
        self.items = items
        self.meter = meter

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        start = time.perf_counter()
        try:
            return next(self.items)
        finally:
            self.meter.spend("read", time.perf_counter() - start)
