"""A finished database as a source: its items are decided again from their texts and vectors, and no file is opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from character_pipeline.config import is_server, without_password
from character_pipeline.data import Item, PictureFacts
from character_pipeline.database.connection import Connection, find_place
from character_pipeline.database.reader import read_problems
from character_pipeline.database.store import Store
from character_pipeline.database.vectors import VectorCache
from character_pipeline.errors import ConfigError
from character_pipeline.input_loader import Entry

KIND = "database"
RAW = frozenset({"read", "text", "image", "worker"})
"""The stages whose problems lie in the files: they stay, however an item is decided."""
AT_ONCE = 500
INVENTORY = """
SELECT i.item_id, i.id, i.stamp, r.run, r.retry FROM items i JOIN records r ON r.item = i.id
WHERE i.gone = 0 ORDER BY i.id
"""
ITEMS = """
SELECT i.id, i.item_id, r.content_hash, r.width, r.height, r.format, r.retry, d.text, d.notes
FROM items i JOIN records r ON r.item = i.id JOIN details d ON d.item = i.id WHERE i.id IN ({marks})
"""


@dataclass(slots=True)
class StoredItems:
    """The items of a database that have a record.

    Attributes:
        address: the database.
        vectors: the database with what was read in their pictures: the same, or the one that it was decided from.
        sizes, suffix: see `VectorCache`.
    """

    address: str
    vectors: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    suffix: str = ""
    kind: str = field(default=KIND, init=False)

    def inventory(self) -> Iterator[Entry]:
        with closing(_connect(self.address)) as db:
            for item_id, number, *stamp in db.execute(INVENTORY):
                yield Entry(item_id, str(number), ":".join(map(str, stamp)))

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        cache = VectorCache(self.vectors, self.sizes, self.suffix)
        with closing(_connect(self.address)) as db, closing(cache):
            waiting = iter(entries)
            while chunk := list(islice(waiting, AT_ONCE)):
                items = _read(db, [int(entry.locator) for entry in chunk])
                found = cache.find(item.content_hash for item in items.values() if item.facts)
                for entry in chunk:
                    item = items[int(entry.locator)]
                    yield replace(item, item_id=entry.key, readings=found.get(item.content_hash, {}))


def open_stored(store: Store, sizes: Mapping[str, int], suffix: str) -> StoredItems:
    """The items of a store, to be decided by stages whose readers give vectors of these sizes.

    Raises ConfigError when a reader has no vectors there: it would have to look at the pictures.
    """
    vectors = origin_of(store)
    with closing(_connect(vectors)) as db:
        known = {row[0] for row in db.execute("SELECT key FROM readers")}
        pictures = db.execute("SELECT 1 FROM records WHERE width > 0 LIMIT 1").fetchone() is not None
    missing = [key for key in sizes if key + suffix not in known]
    if missing and pictures:
        raise ConfigError(
            f"no picture of {without_password(vectors)} was read by {', '.join(missing)}: "
            "these settings need the pictures again, so run charpipe extract with them"
        )
    return StoredItems(_absolute(store), vectors, sizes, suffix)


def _absolute(store: Store) -> str:
    return store.address if store.place.path is None else str(store.path.absolute())


def origin_of(store: Store) -> str:
    """The database that pictures were read into: a database that was decided from another has no vectors."""
    place, seen = _absolute(store), set[str]()
    while place not in seen:
        seen.add(place)
        with closing(_connect(place)) as db:
            row = db.execute("SELECT uri FROM sources WHERE kind = ?", (KIND,)).fetchone()
        if row is None:
            return place
        place = str(row[0])
    raise ConfigError(f"{store.name} was decided from itself: its source is {without_password(place)}")


def _connect(address: str) -> Connection:
    if not is_server(address) and not Path(address).is_file():
        raise ConfigError(f"the database {address} is not there; it has what was read in the pictures")
    return find_place(address).connect()


def _read(db: Connection, numbers: Sequence[int]) -> dict[int, Item]:
    query = ITEMS.format(marks=", ".join("?" * len(numbers)))
    return {row[0]: _item(db, *row) for row in db.execute(query, numbers)}


def _item(db: Connection, number: int, item_id: str, digest: bytes, *rest: Any) -> Item:
    width, height, kind, retry, text, notes = rest
    problems = tuple(problem for problem in read_problems(db, number) if problem.stage in RAW) if retry else ()
    facts = PictureFacts(width, height, kind) if width else None
    return Item(item_id, text, None, digest.hex(), problems, tuple(json.loads(notes or "[]")), facts=facts)
