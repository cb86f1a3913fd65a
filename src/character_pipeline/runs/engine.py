"""What an engine is: it decides where the shards of a run are processed, and nothing else."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from character_pipeline.database.shard_files import ShardFiles
from character_pipeline.errors import ConfigError
from character_pipeline.extractors.base import PictureReader
from character_pipeline.runs.local import count_workers, run_jobs
from character_pipeline.runs.shards import ShardJob, ShardResult, WorkerSetup


@dataclass(frozen=True)
class Context:
    """What an engine is told of a run.

    Attributes:
        fingerprint: of the settings.
        folder: where shards that are done elsewhere are delivered; a path or an fsspec URL; None: nowhere.
        died_before: whether the run before was killed, perhaps by an item.
    """

    fingerprint: str
    folder: str | None
    died_before: bool = False

    @cached_property
    def files(self) -> ShardFiles:
        """Raises ConfigError where there is no folder."""
        if self.folder is None:
            raise ConfigError("a database on a server has no folder beside it: name a shared one with --shared")
        return ShardFiles(self.folder)


class Engine(Protocol):
    """Where shards are processed."""

    @property
    def shared(self) -> str | None:
        """The folder or URL that shards are delivered into where they are done elsewhere; None: beside the database."""
        ...

    def count_workers(self, asked: int, items: int, readers: Iterable[PictureReader] = ()) -> int:
        """How many workers there will be, where so many were asked for (0: choose)."""
        ...

    def run(
        self, jobs: Iterable[ShardJob], setup: WorkerSetup, workers: int, context: Context
    ) -> Generator[ShardResult, None, None]:
        """The result of each job, in any order. Takes jobs as it needs them."""
        ...


class LocalEngine:
    """This process, or a few worker processes beside it."""

    shared: str | None = None

    def count_workers(self, asked: int, items: int, readers: Iterable[PictureReader] = ()) -> int:
        return count_workers(asked, items, readers)

    def run(
        self, jobs: Iterable[ShardJob], setup: WorkerSetup, workers: int, context: Context
    ) -> Generator[ShardResult, None, None]:
        return run_jobs(jobs, setup, workers, context.died_before)
