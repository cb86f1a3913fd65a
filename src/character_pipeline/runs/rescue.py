"""Does a shard again whose worker died, so that one item that kills its process costs one item."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

from character_pipeline.data import Problem
from character_pipeline.runs.shards import ShardJob, ShardResult

Work = Callable[[ShardJob], ShardResult]

DEATH = Problem("worker", "worker_died", "the process that worked on this item died (killed, or out of memory)")


def rescue_shard(job: ShardJob, start: Callable[[], Executor], work: Work) -> ShardResult:
    """Try the shard in a worker of its own; if that dies too, halve it until the deadly item is alone."""
    with start() as executor:
        try:
            return executor.submit(work, job).result()
        except BrokenProcessPool:
            pass
    if len(job.entries) == 1:
        return _bury(job, start, work)
    middle = len(job.entries) // 2
    halves = [replace(job, entries=job.entries[:middle]), replace(job, entries=job.entries[middle:])]
    whole = ShardResult(job.shard)
    for half in halves:
        whole.extend(rescue_shard(half, start, work))
    return whole


def _bury(job: ShardJob, start: Callable[[], Executor], work: Work) -> ShardResult:
    """The row of an item whose processing kills: a failure, made without touching it."""
    member = job.entries[0]
    dead = replace(member, entry=replace(member.entry, problem=DEATH))
    with start() as executor:
        return executor.submit(work, replace(job, entries=(dead,), known={})).result()
