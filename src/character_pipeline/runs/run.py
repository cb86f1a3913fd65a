"""A run from beginning to end: inventory, shards, results into the store, statistics; and its resumption."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from character_pipeline.config import PipelineConfig
from character_pipeline.database.connection import DatabaseError
from character_pipeline.database.ledger import Ledger, Todo
from character_pipeline.database.store import Store
from character_pipeline.errors import StoreError
from character_pipeline.extractors.base import PictureReader
from character_pipeline.input_loader import Entry, Source, open_source
from character_pipeline.processing import introduce
from character_pipeline.runs.delivery import collect
from character_pipeline.runs.engine import Context, Engine, LocalEngine
from character_pipeline.runs.hardware import describe_machine, peak_memory_mib
from character_pipeline.runs.jobs import make_jobs, shared_folder
from character_pipeline.runs.shards import ShardJob, ShardResult, StagesFactory, WorkerSetup

PLAIN = ("run", "state", "listed", "gone", "todo", "skipped", "processed", "workers", "peak_memory_mib", "speakers")
COUNTS = (
    "textless",
    "pictures_decoded",
    "pictures_read",
    "pictures_cached",
    "pictures_spared",
    "pictures_missed",
    "text_values",
    "picture_values",
)


class Progress(Protocol):
    """Is told how a run goes on."""

    def listed(self, items: int) -> None:
        """So many more items were found."""

    def begin(self, todo: int, done: int, workers: int) -> None:
        """So many items are to be done; so many are done already."""

    def advance(self, summary: RunSummary, items: int) -> None:
        """So many more items are committed."""

    def end(self) -> None:
        """Nothing more will come."""


class Silence:
    """Shows nothing."""

    def listed(self, items: int) -> None: ...
    def begin(self, todo: int, done: int, workers: int) -> None: ...
    def advance(self, summary: RunSummary, items: int) -> None: ...
    def end(self) -> None: ...


@dataclass(slots=True)
class RunSummary:
    """What a run did.

    Attributes:
        seconds: the wall time of the whole, and of the parts the time summed over workers and threads.
        counts: items without text; pictures that were decoded, read, and known from the cache; values of records that
            a text says, and those that only the picture says.
        speakers: what the readers that read call themselves, and where they ran, by their key.
    """

    run: int = 0
    sources: list[int] = field(default_factory=list)
    state: str = "running"
    listed: int = 0
    gone: int = 0
    todo: int = 0
    skipped: int = 0
    processed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    speakers: dict[str, str] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    workers: int = 1
    peak_memory_mib: float = 0.0

    @property
    def items_per_second(self) -> float:
        return self.processed / self.seconds["run"] if self.seconds.get("run") else 0.0

    def spend(self, part: str, seconds: float) -> None:
        """Count time that a part of the run took."""
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds

    def to_json(self) -> dict[str, Any]:
        seconds = {name: round(value, 3) for name, value in self.seconds.items()}
        plain = {name: getattr(self, name) for name in PLAIN} | {name: self.counts[name] for name in COUNTS}
        counted = {"statuses": dict(self.statuses), "errors_by_kind": dict(self.kinds)}
        return {**plain, **counted, "seconds": seconds, "items_per_second": round(self.items_per_second, 1)}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run, and how.

    Attributes:
        sources: by their URIs, where they are not opened by them.
        fine: whether a small run is cut into small shards.
        inventory_only: list the items and cut the shards, and leave them for others to do.
    """

    uris: tuple[str, ...]
    config: PipelineConfig
    fingerprint: str
    make_stages: StagesFactory
    readers: Sequence[PictureReader] = ()
    limit: int | None = None
    retry_failed: bool = False
    sources: Mapping[str, Source] | None = None
    fine: bool = True
    engine: Engine = field(default_factory=LocalEngine)
    inventory_only: bool = False

    def open_sources(self) -> Mapping[str, Source]:
        if self.sources is not None:
            return self.sources
        return {uri: open_source(uri, self.config.input_loader) for uri in self.uris}


class Run:
    """One run on one store. Ctrl-C drops the shards in flight and leaves the rest for the next run."""

    def __init__(self, store: Store, request: RunRequest, progress: Progress | None = None) -> None:
        self.store = store
        self.ledger = Ledger(store)
        self.request = request
        self.progress = progress or Silence()
        self.summary = RunSummary()

    def execute(self) -> RunSummary:
        """Do the run. After KeyboardInterrupt the summary's state is "interrupted".

        Raises ConfigError for a source that cannot be opened, before anything is written, and StoreError when another
        run is writing to the database, or it can no longer be written.
        """
        with self.store.lock():
            return self._locked()

    def _locked(self) -> RunSummary:
        sources = self.request.open_sources()
        start = time.perf_counter()
        config = self.request.config.model_dump_json()
        environment = json.dumps(describe_machine())
        try:
            self.summary.run = self.store.begin_run(self.request.fingerprint, config, environment)
            self._execute(sources)
            self.summary.state = "planned" if self.request.inventory_only else "finished"
        except KeyboardInterrupt:
            self.summary.state = "interrupted"
        except (sqlite3.Error, DatabaseError) as error:
            raise StoreError(
                f"the database cannot be written: {self.store.name}: {error}. What is done is kept"
            ) from error
        except Exception:
            self.store.end_run(self.summary.run, "failed", json.dumps(self.summary.to_json()))
            raise
        finally:
            self.progress.end()
        self.summary.spend("run", time.perf_counter() - start)
        self.summary.peak_memory_mib = peak_memory_mib()
        self.store.end_run(self.summary.run, self.summary.state, json.dumps(self.summary.to_json()))
        return self.summary

    def _execute(self, sources: Mapping[str, Source]) -> None:
        start = time.perf_counter()
        self._take_inventory(sources)
        config = self.request.config
        self.summary.todo = self.ledger.plan(self._todo(), config.run.shard_size, self.request.fine)
        self.summary.skipped = max(self.summary.listed - self.summary.todo, 0)
        engine = self.request.engine
        self.summary.workers = engine.count_workers(config.run.workers, self.summary.todo, self.request.readers)
        self.summary.spend("inventory", time.perf_counter() - start)
        if self.request.inventory_only:
            return
        self.progress.begin(self.summary.todo, self.summary.skipped, self.summary.workers)
        self._work(sources)

    def _work(self, sources: Mapping[str, Source]) -> None:
        config, request = self.request.config, self.request
        cache = self.store.address if config.database.enable_caching else None
        setup = WorkerSetup(request.make_stages, self.store.codes, cache)
        beside = None if self.store.place.path is None else shared_folder(self.store)
        context = Context(request.fingerprint, request.engine.shared or beside, self.store.died_before)
        shards = self.ledger.pending_shards()
        jobs = self._undelivered(make_jobs(self.store, shards, self.summary.run, sources, config), context)
        with closing(request.engine.run(jobs, setup, self.summary.workers, context)) as results:
            for result in results:
                self._commit(result)
                if context.folder:
                    context.files.remove(result.shard)

    def _undelivered(self, jobs: Iterator[ShardJob], context: Context) -> Iterator[ShardJob]:
        """The jobs that are left when what was delivered for this run, perhaps to one that was killed, is taken."""
        delivered = set(context.files.finished()) if context.folder else set()
        for job in jobs:
            if job.shard in delivered:
                result = None if self._todo().everything else collect(context.files, job, context.fingerprint)
                if result is not None:
                    self._commit(result)
                context.files.remove(job.shard)
                if result is not None:
                    continue
            yield job

    def _todo(self) -> Todo:
        request = self.request
        return Todo(
            run=self.summary.run,
            fingerprint=request.fingerprint,
            everything=not request.config.database.enable_caching,
            retry_failed=request.retry_failed,
        )

    def _take_inventory(self, sources: Mapping[str, Source]) -> None:
        left = self.request.limit
        for uri, source in sources.items():
            number = self.ledger.add_source(uri, source.kind)
            self.summary.sources.append(number)
            entries = _Watched(islice(source.inventory(), left))
            for found in self.ledger.add_entries(number, self.summary.run, entries):
                self.summary.listed += found
                left = None if left is None else left - found
                self.progress.listed(found)
            if left is None and entries.complete:
                self.summary.gone += self.ledger.mark_gone(number, self.summary.run)

    def _commit(self, result: ShardResult) -> None:
        start = time.perf_counter()
        self.store.commit_shard(result.shard, result.rows, result.seconds)
        self.summary.spend("write", time.perf_counter() - start)
        for part, seconds in result.seconds.items():
            self.summary.spend(part, seconds)
        self.summary.processed += len(result.rows.items)
        self.summary.statuses += result.statuses
        self.summary.kinds += result.kinds
        self.summary.counts += result.counts
        new = result.speakers.keys() - self.summary.speakers.keys()
        introduce(reader for reader in self.request.readers if reader.key in new)
        self.summary.speakers |= result.speakers
        self.progress.advance(self.summary, len(result.rows.items))


class _Watched:
    """An inventory, and whether it saw all of its source: what is in a folder that could not be listed this time is
    not gone."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self.entries = entries
        self.complete = True

    def __iter__(self) -> Iterator[Entry]:
        for entry in self.entries:
            if entry.part and entry.problem is not None and entry.problem.passing:
                self.complete = False
            yield entry
