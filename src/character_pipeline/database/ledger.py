"""What there is to do: the inventory of items, and the shards that a run cuts it into."""

from __future__ import annotations

import bisect
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from character_pipeline.data import Problem
from character_pipeline.database.connection import Connection
from character_pipeline.database.rows import pack_ranges, unpack_ranges
from character_pipeline.database.store import Store
from character_pipeline.input_loader import Entry

CHUNK = 5_000
STEPS = 50
LEAST_SHARD = 16
UPSERT = """
INSERT INTO items(item_id, source, locator, stamp, problem, seen) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT(item_id) DO UPDATE SET
  locator = excluded.locator, stamp = excluded.stamp, problem = excluded.problem, seen = excluded.seen, gone = 0
WHERE items.seen <> excluded.seen AND items.source = excluded.source
"""
UNDONE = """
SELECT i.id FROM items i LEFT JOIN records r ON r.item = i.id
WHERE i.seen = :run AND (r.item IS NULL OR r.fingerprint <> :fingerprint OR r.stamp <> i.stamp OR :all
  OR r.retry = 1 OR (r.retry = 2 AND :retry_failed))
ORDER BY i.id
"""


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """One item of a shard: its number in the store, its stamp, its source, and its line of the inventory."""

    number: int
    stamp: int
    source: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Todo:
    """Which items a run has to do.

    Attributes:
        everything: also what is done already.
        retry_failed: also what failed for a lasting reason.
    """

    run: int
    fingerprint: str
    everything: bool = False
    retry_failed: bool = False


class Ledger:
    """The inventory and the shards of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.db = store.db

    def add_source(self, uri: str, kind: str) -> int:
        """The number of a source. The first one's items keep their plain ids, those of later ones get its name."""
        with self.store.transaction() as db:
            found = db.execute("SELECT id FROM sources WHERE uri = ?", (uri,)).fetchone()
            if found:
                return int(found[0])
            prefix = self._free_prefix(uri)
            insert = "INSERT INTO sources(uri, kind, prefix) VALUES (?, ?, ?)"
            return int(db.execute(f"{insert} RETURNING id", (uri, kind, prefix)).fetchone()[0])

    def _free_prefix(self, uri: str) -> str:
        taken = {row[0] for row in self.db.execute("SELECT prefix FROM sources")}
        if not taken:
            return ""
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", uri.rstrip("/").rpartition("/")[2]) or "source"
        names = (f"{name}//" if n == 1 else f"{name}-{n}//" for n in range(1, len(taken) + 2))
        return next(candidate for candidate in names if candidate not in taken)

    def add_entries(self, source: int, run: int, entries: Iterable[Entry]) -> Iterator[int]:
        """Take up an inventory, in chunks; yields how many entries each chunk had."""
        prefix = self.db.execute("SELECT prefix FROM sources WHERE id = ?", (source,)).fetchone()[0]
        waiting = iter(entries)
        while chunk := list(islice(waiting, CHUNK)):
            rows = [_item_row(prefix + entry.key, source, run, entry) for entry in chunk]
            with self.store.transaction() as db:
                if not self._add_at_once(db, rows):
                    for row in rows:
                        _add_one(db, row)
            yield len(chunk)

    def _add_at_once(self, db: Connection, rows: Sequence[tuple[object, ...]]) -> bool:
        """Whether all rows went in; where two have the same id, none do."""
        db.execute("SAVEPOINT chunk")
        written = db.executemany(UPSERT, rows).rowcount
        if written == len(rows):
            db.execute("RELEASE chunk")
            return True
        db.execute("ROLLBACK TO chunk")
        db.execute("RELEASE chunk")
        return False

    def mark_gone(self, source: int, run: int) -> int:
        """Mark the items that a complete inventory no longer met; returns how many there are now."""
        with self.store.transaction() as db:
            update = "UPDATE items SET gone = 1 WHERE source = ? AND seen <> ? AND gone = 0"
            return int(db.execute(update, (source, run)).rowcount)

    def plan(self, todo: Todo, shard_size: int, fine: bool = True) -> int:
        """Cut what is to do into shards of at most `shard_size` and store them; returns the number of items to do.
        A small run is cut finer, unless `fine` is false: progress is seen, and kept, a shard at a time.

        Shards that an interrupted run left keep their members, unless the run now is a different one: it has other
        settings, or its inventory did not meet all of them.
        """
        with self.store.transaction() as db:
            if todo.everything or not self._same_as_before(todo):
                db.execute("DELETE FROM shards WHERE state = 'pending'")
            left = self._pending_ranges()
            marks = {
                "run": todo.run,
                "fingerprint": todo.fingerprint,
                "all": todo.everything,
                "retry_failed": todo.retry_failed,
            }
            total = int(db.execute(f"SELECT count(*) FROM ({UNDONE}) AS undone", marks).fetchone()[0])
            size = min(shard_size, max(LEAST_SHARD, total // STEPS)) if fine else shard_size
            numbers = (int(row[0]) for row in self.db.execute(UNDONE, marks))
            fresh = (number for number in numbers if not _covers(left, number))
            while members := list(islice(fresh, size)):
                row = (todo.run, pack_ranges(members), len(members), "pending")
                db.execute("INSERT INTO shards(run, members, items, state) VALUES (?, ?, ?, ?)", row)
            return int(db.execute("SELECT coalesce(sum(items), 0) FROM shards WHERE state = 'pending'").fetchone()[0])

    def _same_as_before(self, todo: Todo) -> bool:
        query = "SELECT r.fingerprint FROM shards s JOIN runs r ON r.id = s.run WHERE s.state = 'pending' LIMIT 1"
        row = self.db.execute(query).fetchone()
        return row is not None and row[0] == todo.fingerprint and self._met_all_pending(todo.run)

    def _met_all_pending(self, run: int) -> bool:
        query = "SELECT 1 FROM items WHERE id BETWEEN ? AND ? AND seen <> ? LIMIT 1"
        return all(self.db.execute(query, (*pair, run)).fetchone() is None for pair in self._pending_ranges())

    def _pending_ranges(self) -> list[tuple[int, int]]:
        rows = self.db.execute("SELECT members FROM shards WHERE state = 'pending'")
        return sorted(pair for row in rows for pair in unpack_ranges(row[0]))

    def pending_shards(self) -> list[int]:
        return [row[0] for row in self.db.execute("SELECT id FROM shards WHERE state = 'pending' ORDER BY id")]

    def shard_entries(self, shard: int) -> list[ShardEntry]:
        """The items of a shard that are still there."""
        members = self.db.execute("SELECT members FROM shards WHERE id = ?", (shard,)).fetchone()[0]
        query = """SELECT i.id, i.stamp, s.uri, i.item_id, i.locator, i.problem FROM items i
                   JOIN sources s ON s.id = i.source WHERE i.id BETWEEN ? AND ? AND i.gone = 0 ORDER BY i.id"""
        rows = (row for pair in unpack_ranges(members) for row in self.db.execute(query, pair))
        return [ShardEntry(n, stamp, uri, _entry(*rest)) for n, stamp, uri, *rest in rows]


def _item_row(item_id: str, source: int, run: int, entry: Entry) -> tuple[object, ...]:
    problem = entry.problem and json.dumps([entry.problem.stage, entry.problem.kind, entry.problem.message])
    return item_id, source, entry.locator, hash64(entry.stamp), problem, run


def _entry(item_id: str, locator: str, problem: str | None) -> Entry:
    return Entry(item_id, locator, "", Problem(*json.loads(problem)) if problem else None)


def _add_one(db: Connection, row: tuple[object, ...]) -> None:
    """Add an item; when its id is taken in this inventory or by another source, number it.

    The numbers that are taken are those from 2 on, so the first free one is found by doubling and halving.
    """
    item_id, source, run = str(row[0]), row[1], row[5]
    if db.execute(UPSERT, row).rowcount:
        return

    def is_taken(number: int) -> bool:
        query = "SELECT 1 FROM items WHERE item_id = ? AND (seen = ? OR source <> ?)"
        return db.execute(query, (f"{item_id}#{number}", run, source)).fetchone() is not None

    low, high = 1, 2
    while is_taken(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_taken(middle) else (low, middle)
    db.execute(UPSERT, (f"{item_id}#{high}", *row[1:]))


def _covers(ranges: Sequence[tuple[int, int]], number: int) -> bool:
    place = bisect.bisect_right(ranges, (number, 2**62)) - 1
    return place >= 0 and ranges[place][0] <= number <= ranges[place][1]


def hash64(text: str) -> int:
    """A number of 64 bits that tells texts apart, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
