"""The local engine: this process, or a few worker processes beside it; this process alone writes."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import replace

from character_pipeline.extractors.base import PictureReader
from character_pipeline.models.machine import count_cores, memory_bytes
from character_pipeline.processing.children import start_children, stop_children
from character_pipeline.runs.shards import ShardJob, ShardResult, ShardWorker, WorkerSetup

SMALL_RUN, SMALL_WITH_PICTURES = 20_000, 2_000
"""Below so many items, starting workers costs more than they save; a picture takes much longer than a text."""
LIGHT = 2**26
"""Bytes of models up to which workers read pictures faster than the threads of one process, which wait for Python's
lock. Heavier ones keep all processors busy from one process."""
LOADED = 2
"""Memory that a model takes, in sizes of its file."""
AHEAD = 2
"""Shards in flight for each worker: one in work, one waiting."""

_worker: ShardWorker | None = None


def count_workers(asked: int, items: int, readers: Iterable[PictureReader] = ()) -> int:
    """How many workers to use: as asked, or by the size of the run and of the machine. One means this process.

    Each worker has a model of its own and its share of the processors; together they take half of the memory at most.
    A model on a GPU gets one process, which then decodes with as many threads as there are processors: several would
    take the GPU's memory from each other.
    """
    readers = tuple(readers)
    weight = sum(getattr(reader, "weight", 0) for reader in readers)
    small = SMALL_WITH_PICTURES if readers and weight <= LIGHT else SMALL_RUN
    if asked or items < small:
        return asked or 1
    alone = any(getattr(reader, "exclusive", False) for reader in readers)
    fitting = memory_bytes() // 2 // max(1, LOADED * weight)
    return 1 if alone else max(1, min(count_cores(), fitting))


def run_jobs(
    jobs: Iterable[ShardJob], setup: WorkerSetup, workers: int, apart: bool = False
) -> Generator[ShardResult, None, None]:
    """The results of the jobs, in their order. With several workers a few jobs are in flight.

    Args:
        apart: work in another process even with one worker, so that an item that kills its process does not end all.
    """
    setup = replace(setup, threads=max(1, count_cores() // workers))
    if workers <= 1 and not apart:
        yield from _run_here(jobs, setup.build())
        return
    yield from _Pool(setup, workers).run(jobs)


def _run_here(jobs: Iterable[ShardJob], worker: ShardWorker) -> Iterator[ShardResult]:
    before = gc.get_threshold()
    collect_less()
    try:
        with closing(worker.work(jobs)) as results:
            yield from results
    finally:
        worker.close()
        gc.set_threshold(*before)
        gc.unfreeze()


def collect_less() -> None:
    """While shards are processed there is next to no cyclic garbage; looking for it as often as usual, and through the
    lexicons each time, costs a tenth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


class _Pool:
    """Worker processes with a bounded queue. A worker that dies is replaced and its shards are done again, item by
    item, so that the item that killed it is found and recorded."""

    def __init__(self, setup: WorkerSetup, workers: int) -> None:
        self.setup = setup
        self.workers = workers
        self.executor = self._start(workers)

    def _start(self, workers: int) -> Executor:
        return start_children(workers, _begin_worker, self.setup)

    def run(self, jobs: Iterable[ShardJob]) -> Iterator[ShardResult]:
        waiting = iter(jobs)
        flying: deque[tuple[ShardJob, Future[ShardResult]]] = deque()
        try:
            while True:
                for job in waiting:
                    flying.append((job, self._submit(job)))
                    if len(flying) >= self.workers * AHEAD:
                        break
                if not flying:
                    return
                job, future = flying.popleft()
                try:
                    yield future.result()
                except BrokenProcessPool:
                    again = [job, *(other for other, _ in flying)]
                    flying.clear()
                    yield from self._redo(again)
        finally:
            self._stop()

    def _submit(self, job: ShardJob) -> Future[ShardResult]:
        try:
            return self.executor.submit(_work, job)
        except BrokenProcessPool as error:  # a worker died since the last result was taken
            broken: Future[ShardResult] = Future()
            broken.set_exception(error)
            return broken

    def _redo(self, jobs: Iterable[ShardJob]) -> Iterator[ShardResult]:
        from character_pipeline.runs.rescue import rescue_shard

        self._stop()
        for job in jobs:
            yield rescue_shard(job, self._attempt)
        self.executor = self._start(self.workers)

    def _attempt(self, job: ShardJob) -> ShardResult | None:
        with self._start(1) as executor:
            try:
                return executor.submit(_work, job).result()
            except BrokenProcessPool:
                return None

    def _stop(self) -> None:
        stop_children(self.executor)


def _begin_worker(setup: WorkerSetup) -> None:
    global _worker  # noqa: PLW0603 - the state of a worker process
    _worker = setup.build()
    collect_less()


def _work(job: ShardJob) -> ShardResult:
    assert _worker is not None
    return next(_worker.work([job]))
