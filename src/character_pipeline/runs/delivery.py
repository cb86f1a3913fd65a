"""Shards done elsewhere: a worker writes what it did into a shared folder, and the run takes it from there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from character_pipeline.database.rows import pack_ranges
from character_pipeline.database.shard_files import ShardFiles
from character_pipeline.runs.local import collect_less
from character_pipeline.runs.shards import ShardJob, ShardResult, ShardWorker, WorkerSetup

COUNTED = ("statuses", "kinds", "counts")


def ticket(job: ShardJob, fingerprint: str) -> dict[str, Any]:
    """What a finished shard must have been made of to be this one."""
    members, stamps = pack_ranges([entry.number for entry in job.entries]), [entry.stamp for entry in job.entries]
    return {"fingerprint": fingerprint, "members": members, "stamps": stamps}


@dataclass(frozen=True, slots=True)
class DeliveringSetup:
    """A worker that delivers into a folder; picklable."""

    setup: WorkerSetup
    folder: str
    fingerprint: str

    def build(self) -> DeliveringWorker:
        return DeliveringWorker(self)


class DeliveringWorker:
    """Does shards and delivers them."""

    def __init__(self, setup: DeliveringSetup) -> None:
        self.worker: ShardWorker = setup.setup.build()
        collect_less()
        self.files = ShardFiles(setup.folder)
        self.fingerprint = setup.fingerprint
        self.keys = [codes.key for codes in setup.setup.codes]

    def work(self, job: ShardJob) -> int:
        """Do a shard, unless it was delivered before; returns its number."""
        about = ticket(job, self.fingerprint)
        if self.files.read(job.shard, about) is None:
            (result,) = self.worker.work([job])
            self.files.write(job.shard, result.rows, self.keys, about | _told(result))
        return job.shard

    def close(self) -> None:
        self.worker.close()


def collect(files: ShardFiles, job: ShardJob, fingerprint: str) -> ShardResult | None:
    """What was delivered for a shard, or None."""
    found = files.read(job.shard, ticket(job, fingerprint))
    if found is None:
        return None
    rows, told = found
    counts = {name: Counter(told[name]) for name in COUNTED}
    return ShardResult(job.shard, rows, seconds=told["seconds"], speakers=told["speakers"], **counts)


def _told(result: ShardResult) -> dict[str, Any]:
    counts = {name: dict(getattr(result, name)) for name in COUNTED}
    return {**counts, "seconds": result.seconds, "speakers": result.speakers}
