"""Which pictures are copies of which, beside the records; written whole, and older than records that came since."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from character_pipeline.data import STATUSES
from character_pipeline.database.connection import Connection
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, unknown_name

QUARANTINED = STATUSES.index("quarantined")
DUPLICATES, PROFILES = "duplicates", "profiles"
COPIES = "SELECT item FROM duplicates WHERE kept <> item"
"""All members of clusters but the one that stands for each."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A member of a cluster.

    Attributes:
        kept: the number of the item that stands for the cluster; its own where it does.
        likeness: to that item, 1 for the same content.
    """

    item: int
    kept: int
    likeness: float


def write_duplicates(store: Store, copies: Iterable[Copy], about: Mapping[str, Any]) -> None:
    """Write all clusters instead of those that are there.

    Args:
        about: what they were found with.
    """
    with store.transaction() as db:
        db.execute("DELETE FROM duplicates")
        rows = [(one.item, one.kept, round(one.likeness, 4)) for one in copies]
        db.executemany("INSERT INTO duplicates(item, kept, likeness) VALUES (?, ?, ?)", rows)
        write_note(db, DUPLICATES, about)


def write_note(db: Connection, what: str, about: Mapping[str, Any]) -> None:
    """Note what something was made with, inside a transaction of the caller."""
    db.execute("DELETE FROM identity WHERE what = ?", (what,))
    row = (what, time.time(), json.dumps(about))
    db.execute("INSERT INTO identity(what, made, about) VALUES (?, ?, ?)", row)


def read_note(db: Connection, what: str) -> dict[str, Any] | None:
    """What something was made with; None where it was never made."""
    row = db.execute("SELECT about FROM identity WHERE what = ?", (what,)).fetchone()
    return None if row is None else dict(json.loads(row[0]))


def duplicate_condition(store: Store, value: str) -> tuple[str]:
    """The condition in SQL for `duplicate=yes` (what another item stands for) and `duplicate=no` (all the others).

    Raises ConfigError for another value, and where nobody looked for duplicates.
    """
    asked = {"yes": f"i.id IN ({COPIES})", "no": f"i.id NOT IN ({COPIES})"}
    if value.lower() not in asked:
        raise ConfigError(unknown_name("duplicate", value, asked))
    if read_note(store.db, DUPLICATES) is None:
        raise ConfigError(f"nobody looked for duplicates in {store.path}: charpipe dedupe {store.path} does that")
    return (asked[value.lower()],)


def clusters(store: Store) -> Iterator[list[tuple[str, float]]]:
    """The clusters that can be shown, by the id of what stands for them, the largest first: ids and likenesses, what
    stands for them first. Items that are quarantined or gone are left out, and a cluster that they leave alone."""
    query = """SELECT d.kept, i.item_id, d.likeness, d.item = d.kept FROM duplicates d JOIN items i ON i.id = d.item
               JOIN records r ON r.item = i.id WHERE i.gone = 0 AND r.status <> ? ORDER BY d.kept, i.item_id"""
    found: dict[int, list[tuple[bool, str, float]]] = {}
    for kept, item_id, likeness, stands in store.db.execute(query, (QUARANTINED,)):
        found.setdefault(kept, []).append((not stands, item_id, likeness))
    shown = [sorted(members) for members in found.values() if len(members) > 1]
    for members in sorted(shown, key=lambda some: (-len(some), some[0][1])):
        yield [(item_id, likeness) for _, item_id, likeness in members]
