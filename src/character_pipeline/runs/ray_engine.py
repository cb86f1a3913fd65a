"""Shards on a Ray cluster: actors do them and deliver them into a shared folder; this process writes the database."""

from __future__ import annotations

import logging
import os
import socket
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from character_pipeline.errors import CharpipeError, ConfigError, MissingExtraError
from character_pipeline.extractors.base import PictureReader
from character_pipeline.models.machine import count_cores
from character_pipeline.runs.delivery import DeliveringSetup, DeliveringWorker, collect
from character_pipeline.runs.engine import Context
from character_pipeline.runs.rescue import rescue_shard
from character_pipeline.runs.shards import ShardJob, ShardResult, WorkerSetup

AHEAD = 2
"""Shards in flight for each actor: one in work, one waiting."""
TRIES = 2
"""A shard whose actor died so often is done apart, to find the item that kills."""
QUIET: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
CONNECT_SECONDS = 10
PATIENCE = 10
"""Seconds without a finished shard after which Ray is asked whether it still lives."""
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
            if reason := why_unreachable(self.address or ""):  # Ray itself would try for minutes
                raise ConfigError(f"no Ray cluster at {self.address}: {reason}. Start one with ray start")
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


def why_unreachable(address: str) -> str:
    """Why nobody answers at host:port; "" where somebody does, or the address is of another kind."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return ""
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        return str(error)
    return ""


class _Crew:
    """The actors, and the shards that each has."""

    def __init__(self, ray: Any, engine: RayEngine, setup: DeliveringSetup, workers: int, context: Context) -> None:
        self.ray, self.setup, self.context = ray, setup, context
        self.head: str = ray.get_runtime_context().gcs_address
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
                yield from self._take(self._wait(self.flying), again)
            self._stop()
            for job in self.deadly:
                yield rescue_shard(job, self._attempt)
        finally:
            self._stop()

    def _wait(self, references: Iterable[Any]) -> Any:
        """The first of these that ends, well or not."""
        waiting = list(references)
        while True:
            done, _ = self.ray.wait(waiting, num_returns=1, timeout=PATIENCE)
            if done:
                return done[0]
            self._check_alive()

    def _check_alive(self) -> None:
        """Raises CharpipeError where Ray's own processes are gone: it would wait for them."""
        reason = why_unreachable(self.head) or (
            "" if any(one["Alive"] for one in self.ray.nodes()) else "no node lives"
        )
        if reason:
            self.actors.clear()
            raise CharpipeError(f"the Ray cluster is gone: {reason}. What is done is kept: give the same command again")

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

    def _attempt(self, job: ShardJob) -> ShardResult | None:
        self.context.files.remove(job.shard)  # what its halves left
        actor = self.actor_type.options(max_restarts=0).remote(self.setup)
        try:
            return self._collect(job) if self._survived(self._wait([actor.work.remote(job)])) else None
        finally:
            self.ray.kill(actor)

    def _collect(self, job: ShardJob) -> ShardResult:
        result = collect(self.context.files, job, self.context.fingerprint)
        assert result is not None, "an actor said that it delivered"
        return result
