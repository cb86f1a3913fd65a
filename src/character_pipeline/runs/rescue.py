"""Does a shard again whose worker died, so that one item that kills its process costs one item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from character_pipeline.data import Problem
from character_pipeline.runs.shards import ShardJob, ShardResult

Attempt = Callable[[ShardJob], ShardResult | None]
"""Does a shard in a process of its own; None when that died."""

DEATH = Problem("worker", "worker_died", "the process that worked on this item died (killed, or out of memory)")


def rescue_shard(job: ShardJob, attempt: Attempt) -> ShardResult:
    """Try the shard by itself; if it kills again, halve it until the deadly item is alone."""
    result = attempt(job)
    if result is not None:
        return result
    if len(job.entries) == 1:
        return _bury(job, attempt)
    middle = len(job.entries) // 2
    whole = ShardResult(job.shard)
    for entries in (job.entries[:middle], job.entries[middle:]):
        whole.extend(rescue_shard(replace(job, entries=entries), attempt))
    return whole


def _bury(job: ShardJob, attempt: Attempt) -> ShardResult:
    """The row of an item whose processing kills: a failure, made without touching it."""
    member = job.entries[0]
    dead = replace(member, entry=replace(member.entry, problem=DEATH))
    result = attempt(replace(job, entries=(dead,), known={}))
    if result is None:
        raise RuntimeError(f"a worker died on {member.entry.key} although it was not to touch it")
    return result
