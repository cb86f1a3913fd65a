"""Files beside a database that follow it: what was written since they were brought up to date.

A shard that is done stays done and keeps its members, and an item that is done again is in a new shard. So a file that
remembers the shards that it has taken knows what is new and what has changed, and nothing is slower to write for it.
"""

from __future__ import annotations

from collections.abc import Collection

from character_pipeline.database.connection import Connection
from character_pipeline.database.rows import unpack_ranges
from character_pipeline.database.store import Store


def identity_of(store: Store) -> str:
    """Tells a database from another one that takes its place under the same name."""
    first = store.db.execute("SELECT started, fingerprint FROM runs ORDER BY id LIMIT 1").fetchone()
    return "" if first is None else f"{first[0]!r} {first[1]}"


def waiting_shards(db: Connection, taken: Collection[int]) -> list[tuple[int, int]]:
    """The shards that are done and not taken, rising, with the number of their items."""
    rows = db.execute("SELECT id, items FROM shards WHERE state = 'done' ORDER BY id")
    return [(shard, items) for shard, items in rows if shard not in taken]


def members_of(db: Connection, shard: int) -> list[tuple[int, int]]:
    """The numbers of a shard's items, as the first and last of each range."""
    row = db.execute("SELECT members FROM shards WHERE id = ?", (shard,)).fetchone()
    return [] if row is None else unpack_ranges(row[0])
