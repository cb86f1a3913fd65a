"""Background jobs: one thread runs them one after the other, as `charpipe extract` would; they survive restarts."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from character_pipeline.database import jobs as table
from character_pipeline.database.jobs import Job
from character_pipeline.errors import CharpipeError, ConfigError, LockedError, StoreError
from character_pipeline.extractors.base import PictureReader
from character_pipeline.models.machine import count_cores
from character_pipeline.pipeline import CharacterPipeline
from character_pipeline.runs.engine import Context, LocalEngine
from character_pipeline.runs.local import run_jobs
from character_pipeline.runs.run import RunSummary
from character_pipeline.runs.shards import ShardJob, ShardResult, WorkerSetup
from character_pipeline.web.metrics import Metrics
from character_pipeline.web.spool import Sent, Spool, Staged
from character_pipeline.web.stores import Stores

log = logging.getLogger("character_pipeline")
REPORT_EVERY = 0.5
"""Seconds between two reports of a job."""
LOCKED_SECONDS = 3.0
"""How long a job waits before it looks again whether another run still writes to the database."""
FOLDER = "folder"


class Jobs:
    """The jobs of one service. What is given to `start` is kept on disk until its job has ended."""

    def __init__(self, pipeline: CharacterPipeline, stores: Stores, spool: Spool, metrics: Metrics) -> None:
        self.pipeline = pipeline
        self.stores = stores
        self.spool = spool
        self.metrics = metrics
        self._changed = threading.Condition()
        self._closing = False
        self._stopping: set[str] = set()
        spool.open()
        with stores.writing() as store:
            table.requeue_jobs(store)
            spool.keep_only(table.unfinished_sources(store))
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def start(self, items: Iterable[Sent], *, key: str | None = None) -> Job:
        """Queue a batch of items; with the key of an earlier request, the job of that one.

        Raises ConfigError for a batch that is empty or too large, and for a key that came with other items.
        """
        return self.queue(self.stage(items), key)

    def stage(self, items: Iterable[Sent]) -> Staged:
        """Write the items of a batch down; `queue` has them done."""
        return self.spool.stage(items, self.pipeline.config.serve.max_batch_items)

    def queue(self, staged: Staged, key: str | None = None) -> Job:
        """The job for what was staged, under its name; or, with the key of an earlier request, the job of that one."""
        job = None
        try:
            job = self._add(staged.name, staged.items, {}, staged.digest, key)
        finally:
            if job is None or job.source != staged.name:
                self.spool.remove(staged.name)
        return job

    def start_folder(self, path: str | Path, *, retry_failed: bool = False) -> Job:
        """Queue a data set on this machine. Only for callers who may read its files: never for what a request names.

        Raises ConfigError where nothing is there.
        """
        place = Path(path).absolute()
        if not place.exists():
            raise ConfigError(f"there is no such dataset: {place}. Give a folder, an archive, a table or a manifest")
        return self._add(str(place), 0, {"kind": FOLDER, "retry_failed": retry_failed}, str(place), None)

    def _add(self, source: str, total: int, options: Mapping[str, Any], digest: str, key: str | None) -> Job:
        name = f"folder-{token_hex(8)}" if options else source
        with self.stores.writing() as store:
            job = table.add_job(store, name, source, total, options, digest=digest, key=key)
        with self._changed:
            self._changed.notify_all()
        return job

    def get(self, name: str) -> Job | None:
        with self.stores.reading() as store:
            return table.get_job(store, name)

    def list(self, limit: int = 100) -> Sequence[Job]:
        """The newest ones, newest first."""
        with self.stores.reading() as store:
            return table.list_jobs(store, limit)

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        with self.stores.reading() as store:
            return table.count_jobs(store)

    def cancel(self, name: str) -> Job | None:
        """Have a job stopped; what is done by then is kept. None: there is no such job."""
        with self.stores.writing() as store:
            job = table.stop_job(store, name)
        if job is not None and job.stopping:
            self._stopping.add(name)
        elif job is not None and job.state == "cancelled":
            self.spool.remove(job.source)
        return job

    def wait(self, name: str, seconds: float = 60.0) -> Job:
        """The job when it has ended. Raises TimeoutError where it takes longer."""
        end = time.monotonic() + seconds
        while (job := self.get(name)) is None or not job.finished:
            if time.monotonic() > end:
                raise TimeoutError(f"job {name} has not ended within {seconds:g} s")
            time.sleep(0.05)
        return job

    def _work(self) -> None:
        while not self._closing:
            try:
                job = self._next()
                if job is not None:
                    self._run(job)
            except LockedError:
                self._pause(LOCKED_SECONDS)
            except Exception:
                log.exception("the jobs of the service: tried again soon")
                self._pause(LOCKED_SECONDS)

    def _next(self) -> Job | None:
        """The job to do next; None when nothing came for a while, or the service closes."""
        with self._changed:
            with self.stores.writing() as store:
                job = table.next_job(store)
            if job is None and not self._closing:
                self._changed.wait(60.0)
        return job

    def _pause(self, seconds: float) -> None:
        with self._changed:
            if not self._closing:
                self._changed.wait(seconds)

    def _run(self, job: Job) -> None:
        with self.stores.writing() as store:
            if not table.begin_job(store, job.name):
                return  # it was cancelled meanwhile
        if job.stopping:
            self._end(job, "interrupted", None)
            return
        error: str | None = None
        try:
            state = self._execute(job).state
        except LockedError:
            with self.stores.writing() as store:
                table.requeue_jobs(store)
            raise
        except CharpipeError as failure:
            state, error = "failed", str(failure)
            if isinstance(failure, StoreError):
                self.pipeline.close()  # a server that went away is asked anew by the next job
        except Exception as failure:
            log.exception("job %s", job.name)
            state, error = "failed", f"an error of the program ({type(failure).__name__}): see its log"
        if state == "interrupted" and job.name not in self._stopping:
            return  # the service closes; the next one goes on
        self._end(job, state, error)

    def _execute(self, job: Job) -> RunSummary:
        report = Report(self, job)
        engine = Apart()
        if job.options.get("kind") == FOLDER:
            again = bool(job.options.get("retry_failed"))
            return self.pipeline.run(job.source, retry_failed=again, progress=report, engine=engine)
        sources = {job.source: self.spool.source(job.source, self.pipeline.config.input_loader)}
        return self.pipeline.run_sources(sources, progress=report, engine=engine)

    def _end(self, job: Job, state: str, error: str | None) -> None:
        ended: dict[str, table.JobState] = {"finished": "done", "interrupted": "cancelled"}
        with self.stores.writing() as store:
            if state != "finished" and not job.options:
                table.forget_waiting(store, job.source)
            table.end_job(store, job.name, ended.get(state, "failed"), error)
        self._stopping.discard(job.name)
        if not job.options:
            self.spool.remove(job.source)

    def must_stop(self, name: str) -> bool:
        """Whether a job that runs is to be stopped."""
        return self._closing or name in self._stopping

    def close(self) -> None:
        """Stop the job that runs at its next shard; it goes on when the next service starts."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self.spool.close()


class Report:
    """Writes down how far a job is, and stops it as Ctrl-C would."""

    def __init__(self, jobs: Jobs, job: Job) -> None:
        self.jobs = jobs
        self.name = job.name
        self.total, self.before, self.failures = job.total, 0, dict[str, int]()
        self.start = self.last = time.monotonic()
        self.told: dict[str, float] = {}
        self.seen: Counter[str] = Counter()

    def listed(self, items: int) -> None:
        self._stop_if_asked()

    def begin(self, todo: int, done: int, workers: int) -> None:
        self.total, self.before = todo + done, done
        self.start = time.monotonic()
        self._write(0)
        self._stop_if_asked()

    def advance(self, summary: RunSummary, items: int) -> None:
        self.failures = dict(summary.kinds)
        self._measure(summary)
        if time.monotonic() - self.last >= REPORT_EVERY or summary.processed >= self.total - self.before:
            self._write(summary.processed)
        self._stop_if_asked()

    def _measure(self, summary: RunSummary) -> None:
        for status in summary.statuses:
            self.jobs.metrics.items.labels("batch", status).inc(summary.statuses[status] - self.seen[status])
        parts = {part: seconds - self.told.get(part, 0.0) for part, seconds in summary.seconds.items()}
        counts = {name: summary.counts[name] - self.seen[name] for name in summary.counts}
        self.jobs.metrics.spent(parts, counts, summary.speakers)
        self.told = dict(summary.seconds)
        self.seen = Counter({**summary.statuses, **summary.counts})

    def _write(self, done: int) -> None:
        self.last = time.monotonic()
        rate = done / max(self.last - self.start, 1e-6)
        with self.jobs.stores.writing() as store:
            table.report_job(store, self.name, self.total, self.before + done, rate, self.failures)

    def _stop_if_asked(self) -> None:
        if self.jobs.must_stop(self.name):
            raise KeyboardInterrupt

    def end(self) -> None: ...


class Apart(LocalEngine):
    """Worker processes, also for a few items: what kills one of them does not end the service, and single items need
    not wait for the interpreter. One processor is left to these."""

    def count_workers(self, asked: int, items: int, readers: Iterable[PictureReader] = ()) -> int:
        count = super().count_workers(asked, items, readers)
        return count if asked else max(1, min(count, count_cores() - 1))

    def run(
        self, jobs: Iterable[ShardJob], setup: WorkerSetup, workers: int, context: Context
    ) -> Generator[ShardResult, None, None]:
        return run_jobs(jobs, setup, workers, apart=True)
