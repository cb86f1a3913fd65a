"""Shards on a Ray cluster: actors do them and deliver them into a shared folder; this process writes the database."""

from __future__ import annotations

import logging
import os
import socket
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from character_pipeline.errors import ConfigError, MissingExtraError
from character_pipeline.extractors.base import PictureReader
from character_pipeline.runs.delivery import DeliveringSetup, DeliveringWorker, collect
from character_pipeline.runs.engine import Context
from character_pipeline.runs.hardware import count_cores
from character_pipeline.runs.rescue import rescue_shard
from character_pipeline.runs.shards import ShardJob, ShardResult, WorkerSetup

AHEAD = 2
"""Shards in flight for each actor: one in work, one waiting."""
TRIES = 2
"""A shard whose actor died so often is done apart, to find the item that kills."""
QUIET: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
CONNECT_SECONDS = 10
STORE_BYTES = 256 * 2**20
"""Of the object store of a cluster that is started here: shards travel as files, so it holds little."""


@dataclass(frozen=True, slots=True)
class RayEngine:
    """Ray Core, with one actor a worker, which loads its model once.

    Attributes:
        address: of a running cluster ("auto", "host:port", "ray://..."); None starts one on this machine.
        gpus: the share of a GPU that each actor gets.
        cores: the processors that each actor gets; 0: its share of this machine, one on a cluster elsewhere.
        shared: a folder or fsspec URL that all machines of the cluster see.
    """

    address: str | None = None
    gpus: float = 0.0
    cores: int = 0
    shared: str | None = None

    def count_workers(self, asked: int, items: int, readers: Iterable[PictureReader] = ()) -> int:
        return asked or count_cores()

    def run(
        self, jobs: Iterable[ShardJob], setup: WorkerSetup, workers: int, context: Context
    ) -> Generator[ShardResult, None, None]:
        """The results of the jobs as they come. An actor that dies is started again, and its shards are done again;
        Ray finds another machine for it where its own is lost.

        Raises MissingExtraError without Ray, ConfigError where no cluster answers.
        """
        threads = self.cores or (1 if self.address else max(1, count_cores() // workers))
        delivering = DeliveringSetup(replace(setup, threads=threads), context.files.folder, context.fingerprint)
        with self._cluster(workers * threads) as ray:
            yield from _Crew(ray, self, delivering, workers, context).run(jobs)

    @contextmanager
    def _cluster(self, cores: int) -> Iterator[Any]:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("--engine ray", "ray") from error
        own = not ray.is_initialized()
        if own:
            _check_reachable(self.address)
            here: dict[str, Any] = {} if self.address else {"num_cpus": cores, "object_store_memory": STORE_BYTES}
            try:
                ray.init(self.address, **QUIET, **here)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise ConfigError(f"no Ray cluster at {self.address}: {error}. Start one with ray start") from error
        try:
            yield ray
        finally:
            if own:
                ray.shutdown()


def _check_reachable(address: str | None) -> None:
    """Raises ConfigError where nobody listens at host:port; Ray itself would try for minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise ConfigError(f"no Ray cluster at {address}: {error}. Start one with ray start") from error


class _Crew:
    """The actors, and the shards that each has."""

    def __init__(self, ray: Any, engine: RayEngine, setup: DeliveringSetup, workers: int, context: Context) -> None:
        self.ray, self.setup, self.context = ray, setup, context
        options = {"num_cpus": setup.setup.threads, "num_gpus": engine.gpus, "max_restarts": -1}
        self.actor_type = ray.remote(**options)(DeliveringWorker)
        self.actors = [self.actor_type.remote(setup) for _ in range(workers)]
        self.flying: dict[Any, tuple[ShardJob, int]] = {}
        self.deaths: Counter[int] = Counter()
        self.deadly: list[ShardJob] = []

    def run(self, jobs: Iterable[ShardJob]) -> Iterator[ShardResult]:
        waiting, again = iter(jobs), list[ShardJob]()
        try:
            while True:
                self._fill(waiting, again)
                if not self.flying:
                    break
                done, _ = self.ray.wait(list(self.flying), num_returns=1)
                yield from self._take(done[0], again)
            self._stop()
            for job in self.deadly:
                yield rescue_shard(job, lambda: _Alone(self), _no_work)
        finally:
            self._stop()

    def _stop(self) -> None:
        while self.actors:
            self.ray.kill(self.actors.pop())

    def _fill(self, waiting: Iterator[ShardJob], again: list[ShardJob]) -> None:
        """Give each actor as many shards as it may have, first those that are done again."""
        load = Counter(place for _, place in self.flying.values())
        for place in sorted(range(len(self.actors)), key=lambda place: load[place]) * AHEAD:
            if load[place] >= AHEAD:
                continue
            job = again.pop() if again else next(waiting, None)
            if job is None:
                return
            self.flying[self.actors[place].work.remote(job)] = job, place
            load[place] += 1

    def _take(self, reference: Any, again: list[ShardJob]) -> Iterator[ShardResult]:
        job, _ = self.flying.pop(reference)
        if self._survived(reference):
            yield self._collect(job)
            return
        self.deaths[job.shard] += 1
        (again if self.deaths[job.shard] < TRIES else self.deadly).append(job)

    def _survived(self, reference: Any) -> bool:
        """Whether a shard was done. Raises what the worker raised; false when its process died."""
        from ray.exceptions import RayError, RayTaskError

        try:
            self.ray.get(reference)
        except RayTaskError as error:
            raise error.cause from error
        except RayError:
            return False
        return True

    def _collect(self, job: ShardJob) -> ShardResult:
        result = collect(self.context.files, job, self.context.fingerprint)
        assert result is not None, "an actor said that it delivered"
        return result


class _Alone(Executor):
    """An actor of its own, for shards whose actors died; it looks like the pool of worker processes."""

    def __init__(self, crew: _Crew) -> None:
        self.crew = crew
        self.actor = crew.actor_type.options(max_restarts=0).remote(crew.setup)

    def submit(self, _: Any, job: ShardJob) -> Future[ShardResult]:  # type: ignore[override]
        future: Future[ShardResult] = Future()
        self.crew.context.files.remove(job.shard)
        if self.crew._survived(self.actor.work.remote(job)):
            future.set_result(self.crew._collect(job))
        else:
            future.set_exception(BrokenProcessPool("the actor died"))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.crew.ray.kill(self.actor)


def _no_work(job: ShardJob) -> ShardResult:
    raise NotImplementedError


__all__: Sequence[str] = ("RayEngine",)
