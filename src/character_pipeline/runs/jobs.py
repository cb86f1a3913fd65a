"""The shards of a database that wait to be done, as jobs for workers anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from character_pipeline.config import PipelineConfig
from character_pipeline.database.ledger import Ledger
from character_pipeline.database.shard_files import ShardFiles
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.input_loader import Source, open_source
from character_pipeline.models.machine import count_cores
from character_pipeline.runs.delivery import DeliveringSetup, collect
from character_pipeline.runs.shards import ShardJob, StagesFactory, WorkerSetup

SHARED = "shards"
"""The folder beside the database into which shards are delivered, unless another is named."""


def make_jobs(
    store: Store, shards: Iterable[int], run: int, sources: Mapping[str, Source], config: PipelineConfig
) -> Iterator[ShardJob]:
    """A job for each shard, with what is known of its pictures."""
    ledger, caching = Ledger(store), config.database.enable_caching
    for shard in shards:
        entries = ledger.shard_entries(shard)
        numbers = [entry.number for entry in entries]
        known = store.known_pictures(numbers, config.input_loader.max_pixels) if caching else {}
        named = {entry.source: sources[entry.source] for entry in entries}
        yield ShardJob(shard, run, tuple(entries), named, known)


@dataclass(frozen=True, slots=True)
class Planned:
    """The run that cut the shards which wait: its number, settings, and what names them."""

    run: int
    config: PipelineConfig
    fingerprint: str


def planned_run(store: Store) -> Planned:
    """The newest run. Raises ConfigError where there is none."""
    row = store.db.execute("SELECT id, config, fingerprint FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    if row is None:
        raise ConfigError(f"nothing is planned in {store.name}: charpipe extract DATASET --inventory-only does that")
    return Planned(row[0], PipelineConfig.model_validate(json.loads(row[1])), row[2])


def work_part(
    store: Store, make_stages: StagesFactory, fingerprint: str, part: int, parts: int, folder: str | None = None
) -> Iterator[int]:
    """Do every `parts`-th shard that waits, beginning with the one at `part`, and deliver them; yields how many items
    each had. The database is only read.

    Raises ConfigError when these settings are not those that the shards were planned with.
    """
    planned = planned_run(store)
    if planned.fingerprint != fingerprint:
        raise ConfigError(
            f"{store.name} was planned with other settings or another version of this program "
            f"({planned.fingerprint}, here {fingerprint}): plan it again with charpipe extract --inventory-only"
        )
    shards = Ledger(store).pending_shards()[part::parts]
    uris = [row[0] for row in store.db.execute("SELECT uri FROM sources")]
    sources = {uri: open_source(uri, planned.config.input_loader) for uri in uris}
    cache = store.address if planned.config.database.enable_caching else None
    alone = WorkerSetup(make_stages, store.codes, cache, threads=count_cores())
    setup = DeliveringSetup(alone, folder or shared_folder(store), fingerprint)
    worker = setup.build()
    try:
        for job in make_jobs(store, shards, planned.run, sources, planned.config):
            worker.work(job)
            yield len(job.entries)
    finally:
        worker.close()


def index_delivered(store: Store, folder: str | None = None) -> Iterator[int]:
    """Write what was delivered into the database; yields how many items each shard had. What is there and was made of
    something else is left out: it stays to be done."""
    planned, files = planned_run(store), ShardFiles(folder or shared_folder(store))
    waiting = set(Ledger(store).pending_shards())
    for shard in files.finished():
        if shard in waiting:
            entries = tuple(Ledger(store).shard_entries(shard))
            result = collect(files, ShardJob(shard, planned.run, entries, {}), planned.fingerprint)
            if result is not None:
                store.commit_shard(shard, result.rows, result.seconds)
                yield len(result.rows.items)
        files.remove(shard)


def shared_folder(store: Store) -> str:
    """The folder beside the database. Raises ConfigError where there is none."""
    if store.place.path is None:
        raise ConfigError(f"{store.name} is on a server: name a folder that all machines see with --shared")
    return str(store.path.absolute().parent / SHARED)
