"""Background jobs of a service: what was asked for, how far it is, how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
JOB_STATES: tuple[JobState, ...] = ("queued", "running", "done", "failed", "cancelled")
UNFINISHED: tuple[JobState, ...] = ("queued", "running")
COLUMNS = """j.name, j.state, j.source, j.options, j.digest, j.stopping, j.created, j.started, j.ended, j.total, j.done,
  j.per_second, j.failures, j.error, s.prefix"""
TABLES = "jobs j LEFT JOIN sources s ON s.uri = j.source"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    Attributes:
        name: what it is called everywhere.
        source: what its items come from, as it is called in the database.
        digest: names what was asked for.
        stopping: whether it is to be cancelled as soon as it can be.
        created, started, ended: seconds since 1970; None: not yet.
        done: items that are finished, of `total`.
        failures: errors by kind.
        prefix: what the ids of its items begin with in the database; None before it began.
    """

    name: str
    state: JobState
    source: str
    options: Mapping[str, Any]
    digest: str
    stopping: bool
    created: float
    started: float | None
    ended: float | None
    total: int
    done: int
    per_second: float
    failures: Mapping[str, int]
    error: str | None
    prefix: str | None

    @property
    def finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take at its present speed; None where nobody knows."""
        if self.state != "running" or not self.per_second:
            return None
        return max(self.total - self.done, 0) / self.per_second


def add_job(store: Store, name: str, source: str, total: int, options: Mapping[str, Any], **asked: str | None) -> Job:
    """Queue a job; or, where one was asked for with the same key, that one.

    Args:
        asked: `digest`, which names what is asked for, and `key`, with which the same request may come twice.

    Raises ConfigError where the key came with another request.
    """
    row = (name, "queued", source, json.dumps(options), asked["key"], asked["digest"], time.time(), total)
    insert = """INSERT INTO jobs(name, state, source, options, idempotency, digest, created, total)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(idempotency) DO NOTHING"""
    with store.transaction() as db:
        db.execute(insert, row)
    found = get_job(store, name)
    if found is None:
        found = _find(store, "WHERE j.idempotency = ?", (asked["key"],))[0]
        if found.digest != asked["digest"]:
            raise ConfigError("this Idempotency-Key came with another request before: use a new one for each request")
    return found


def get_job(store: Store, name: str) -> Job | None:
    return next(iter(_find(store, "WHERE j.name = ?", (name,))), None)


def list_jobs(store: Store, limit: int = 100) -> list[Job]:
    """The newest ones, newest first."""
    return _find(store, "ORDER BY j.id DESC LIMIT ?", (limit,))


def count_jobs(store: Store) -> dict[str, int]:
    """How many jobs are in each state."""
    counts = dict(store.db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
    return {state: counts.get(state, 0) for state in JOB_STATES}


def next_job(store: Store) -> Job | None:
    """The oldest one that waits."""
    return next(iter(_find(store, "WHERE j.state = 'queued' ORDER BY j.id LIMIT 1", ())), None)


def unfinished_sources(store: Store) -> set[str]:
    """What still has to be read."""
    return {row[0] for row in store.db.execute("SELECT source FROM jobs WHERE state IN (?, ?)", UNFINISHED)}


def begin_job(store: Store, name: str) -> bool:
    """Whether it still waited."""
    update = "UPDATE jobs SET state = 'running', started = coalesce(started, ?) WHERE name = ? AND state = 'queued'"
    return store.db.execute(update, (time.time(), name)).rowcount > 0


def requeue_jobs(store: Store) -> None:
    """Let those that were running when the service ended go on."""
    store.db.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")


def report_job(store: Store, name: str, total: int, done: int, per_second: float, failures: Mapping[str, int]) -> None:
    """Write down how far a job is."""
    row = (total, done, per_second, json.dumps(failures), name)
    store.db.execute("UPDATE jobs SET total = ?, done = ?, per_second = ?, failures = ? WHERE name = ?", row)


def end_job(store: Store, name: str, state: JobState, error: str | None = None) -> None:
    row = (state, error, time.time(), name)
    store.db.execute("UPDATE jobs SET state = ?, error = ?, ended = ? WHERE name = ?", row)


def stop_job(store: Store, name: str) -> Job | None:
    """Cancel a job that waits; have one that runs cancelled by who runs it. None: there is no such job."""
    now = "UPDATE jobs SET state = 'cancelled', ended = ? WHERE name = ? AND state = 'queued'"
    store.db.execute(now, (time.time(), name))
    store.db.execute("UPDATE jobs SET stopping = 1 WHERE name = ? AND state = 'running'", (name,))
    return get_job(store, name)


def forget_waiting(store: Store, source: str) -> None:
    """Items of a source that will never be read count as gone."""
    update = """UPDATE items SET gone = 1 WHERE source IN (SELECT id FROM sources WHERE uri = ?)
                AND id NOT IN (SELECT item FROM records)"""
    store.db.execute(update, (source,))


def _find(store: Store, rest: str, marks: Sequence[Any]) -> list[Job]:
    return [_job(*row) for row in store.db.execute(f"SELECT {COLUMNS} FROM {TABLES} {rest}", marks)]


def _job(*row: Any) -> Job:
    name, state, source, options, digest, stopping, *numbers, failures, error, prefix = row
    known: list[Any] = [name, state, source, json.loads(options), digest, bool(stopping), *numbers]
    return Job(*[*known, json.loads(failures), error, prefix])
