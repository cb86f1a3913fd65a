"""Pictures that look alike to the model: the nearest of its vectors, by an index in a file beside the database.

The index finds candidates among vectors that it rounds to 8 bits; how alike they are is told by the vectors that the
database has. Where few items may be found, all of them are compared and no index is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.data import STATUSES, Item
from character_pipeline.database.bitmaps import Mask, as_flags, count_bits
from character_pipeline.database.connection import find_place
from character_pipeline.database.following import identity_of, members_of, waiting_shards
from character_pipeline.database.queries import Filter, find_mask, find_numbers, holding
from character_pipeline.database.rows import pack_ranges, unpack_ranges
from character_pipeline.database.store import Store
from character_pipeline.database.vectors import VectorCache
from character_pipeline.errors import ConfigError
from character_pipeline.identity.index_file import lock_index, open_graph, read_index, write_index
from character_pipeline.processing import process_items
from character_pipeline.processing.stages import Stages
from character_pipeline.runs.stored import origin_of

if TYPE_CHECKING:
    from character_pipeline.identity.index_file import Graph

Vector = NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Is told how many items are indexed, of how many."""

ENDING = ".likeness"
FEW = 4_096
"""So many items are compared without an index."""
AT_ONCE = 500
SAVED = 100
"""Shards after which the index is written: what a kill loses."""
SPARE, MOST_CANDIDATES = 32, 4_096
QUARANTINED = STATUSES.index("quarantined")
PICTURES = f"""SELECT r.item, r.content_hash FROM records r
               WHERE r.item BETWEEN ? AND ? AND r.width > 0 AND r.status <> {QUARANTINED} ORDER BY r.item"""


@dataclass(frozen=True, slots=True)
class ModelReader:
    """What turned pictures into vectors: its key, without how pictures were decoded for it; the keys that the database
    has of it; the length of its vectors."""

    key: str
    stored: tuple[str, ...]
    size: int


def find_reader(store: Store) -> ModelReader:
    """The model that came last to the database. Raises ConfigError where no model has read a picture."""
    with closing(find_place(origin_of(store)).connect()) as db:
        # Readers that are no model name themselves with their version: "picture_hash/1".
        keys = [(number, key) for number, key in db.execute("SELECT id, key FROM readers ORDER BY id DESC")
                if "/" not in key]  # fmt: skip
        for number, key in keys:
            query = "SELECT length(vector) FROM vectors WHERE reader = ? ORDER BY rowid DESC LIMIT 1"
            row = db.execute(query, (number,)).fetchone()
            if row is not None:
                base = key.partition("@")[0]
                stored = tuple(sorted(other for _, other in keys if other.partition("@")[0] == base))
                return ModelReader(base, stored, row[0] // 2)
    raise ConfigError(f"no model has read a picture of {store.name}: run charpipe extract with clip_analyzer.enabled")


def embed(stages: Stages, item: Item, reader: ModelReader) -> Vector | None:
    """The vector of a picture that is in no database; None where it cannot be read.

    Raises ConfigError where these stages look at pictures with another model.
    """
    if reader.key not in stages.readers:
        raise ConfigError("the pictures of the database were read by another model than that of the settings")
    fresh = next(process_items([item], stages)).fresh.get(reader.key)
    return None if fresh is None else np.frombuffer(fresh, dtype="<f2").astype(np.float32)


class Neighbours:
    """The pictures of a store, by what its model saw in them. Close it.

    Raises ConfigError for a database on a server, and where no model has read a picture.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.path = Path(f"{store.path}{ENDING}")
        self.reader = find_reader(store)
        self._cache = VectorCache(origin_of(store), dict.fromkeys(self.reader.stored, self.reader.size))
        self._graph: Graph | None = None
        self._taken: set[int] = set()

    def similar(
        self, item_id: str, limit: int = 20, found: Filter | None = None, progress: Progress | None = None
    ) -> list[tuple[str, float]]:
        """The items most like one, the most alike first, without itself, and how alike they are: 1 for the same.

        Args:
            found: only items that this filter lets through.

        Raises ConfigError for an unknown item, or one whose picture was not read.
        """
        query = "SELECT i.id FROM items i JOIN records r ON r.item = i.id WHERE i.item_id = ? AND r.status <> ?"
        row = self.store.db.execute(query, (item_id, QUARANTINED)).fetchone()
        if row is None:
            raise ConfigError(f"no item '{item_id[:200]}' is in {self.store.name}")
        vector = self._vectors([row[0]]).get(row[0])
        if vector is None:
            raise ConfigError(f"the picture of '{item_id[:200]}' was not read by {self.reader.key}")
        return self.near(vector, limit, found, progress, without=row[0])

    def near(
        self,
        vector: Vector,
        limit: int = 20,
        found: Filter | None = None,
        progress: Progress | None = None,
        without: int = 0,
    ) -> list[tuple[str, float]]:
        """The same for a vector, such as `embed` gives; `without` is the number of an item to leave out."""
        asked = found or Filter()
        mask = find_mask(self.store, asked)
        if count_bits(mask) <= FEW:
            return self._ranked(vector, list(find_numbers(self.store, asked)), limit, without)
        self.update(progress)
        return self._ranked(vector, self._candidates(vector, limit, asked, mask), limit, without)

    def _candidates(self, vector: Vector, limit: int, asked: Filter, mask: Mask) -> list[int]:
        """Those that the index takes to be nearest, more than are asked for; wider where few of them are allowed."""
        graph, allowed = self._graph, as_flags(mask)
        assert graph is not None
        count = limit + SPARE
        while True:
            keys = graph.search(vector, min(count, len(graph))).keys.astype(np.int64).tolist()
            kept = holding(self.store, asked, [key for key in keys if key < len(allowed) and allowed[key]])
            if len(kept) > limit or count >= min(len(graph), MOST_CANDIDATES):
                return kept
            count *= 4

    def _ranked(self, vector: Vector, numbers: Sequence[int], limit: int, without: int) -> list[tuple[str, float]]:
        found: list[tuple[float, int]] = []
        for start in range(0, len(numbers), AT_ONCE):
            vectors = self._vectors(numbers[start : start + AT_ONCE])
            vectors.pop(without, None)
            alike = ((-alike, number) for number, alike in cosines(vector, vectors).items())
            found = sorted([*found, *alike])[:limit]
        return [(self._name(number), round(-distance, 4)) for distance, number in found]

    def _name(self, number: int) -> str:
        return str(self.store.db.execute("SELECT item_id FROM items WHERE id = ?", (number,)).fetchone()[0])

    def _vectors(self, numbers: Sequence[int]) -> dict[int, Vector]:
        """The vectors of some items, of those that have one."""
        query = f"SELECT item, content_hash FROM records WHERE width > 0 AND item IN ({', '.join('?' * len(numbers))})"
        return self._read({item: digest.hex() for item, digest in self.store.db.execute(query, numbers)})

    def _read(self, digests: Mapping[int, str]) -> dict[int, Vector]:
        known = self._cache.find(digests.values())
        read = {item: next(iter(known[digest].values())) for item, digest in digests.items() if digest in known}
        return {item: vector.astype(np.float32) for item, vector in read.items()}

    def update(self, progress: Progress | None = None) -> int:
        """Take what was written since into the index; returns the number of items.

        Raises MissingExtraError without usearch, StoreError where the file cannot be written.
        """
        about = {"reader": self.reader.key, "size": self.reader.size, "database": identity_of(self.store)}
        if self._graph is None:
            self._graph, self._taken = self._read_index(about, view=True)
        if not waiting_shards(self.store.db, self._taken):
            return 0
        with lock_index(self.path):  # who waited for another finds what that one made
            self._graph, self._taken = self._read_index(about, view=False)
            return self._extend(self._graph, about, progress)

    def _extend(self, graph: Graph, about: Mapping[str, Any], progress: Progress | None) -> int:
        waiting = waiting_shards(self.store.db, self._taken)
        done, total = 0, sum(items for _, items in waiting)
        for place, (shard, items) in enumerate(waiting, 1):
            self._take(graph, shard)
            self._taken.add(shard)
            done += items
            if place % SAVED == 0 or place == len(waiting):
                write_index(self.path, graph, {**about, "taken": pack_ranges(sorted(self._taken))})
            if progress is not None:
                progress(done, total)
        return total

    def _read_index(self, about: Mapping[str, Any], view: bool) -> tuple[Graph, set[int]]:
        """The index and the shards in it; nothing where there is none, or one of other vectors or another database."""
        read = read_index(self.path, self.reader.size, view)
        if read is None or any(read[1].get(name) != value for name, value in about.items()):
            return open_graph(self.reader.size), set()
        ranges = unpack_ranges(str(read[1].get("taken", "")))
        done = {shard for shard, _ in waiting_shards(self.store.db, ())}
        return read[0], {shard for shard in done if any(first <= shard <= last for first, last in ranges)}

    def _take(self, graph: Graph, shard: int) -> None:
        """Put the items of a shard into the index; those that are there are replaced."""
        spans = members_of(self.store.db, shard)
        rows = [row for span in spans for row in self.store.db.execute(PICTURES, span)]
        for start in range(0, len(rows), AT_ONCE):
            vectors = self._read({item: digest.hex() for item, digest in rows[start : start + AT_ONCE]})
            if old := [number for number in vectors if number in graph]:
                graph.remove(np.array(old, dtype=np.uint64))
            if vectors:
                keys = np.array(list(vectors), dtype=np.uint64)
                # One thread: several would put them in by turns, and the index would be another each time.
                graph.add(keys, np.stack(list(vectors.values())), threads=1)

    def close(self) -> None:
        self._cache.close()


def similar(
    store: Store, item_id: str, limit: int = 20, found: Filter | None = None, progress: Progress | None = None
) -> list[tuple[str, float]]:
    """The items whose pictures are most like that of one; see `Neighbours.similar`."""
    with closing(Neighbours(store)) as neighbours:
        return neighbours.similar(item_id, limit, found, progress)


def cosines(vector: Vector, others: Mapping[int, Vector]) -> dict[int, float]:
    """How alike a vector is to others."""
    if not others:
        return {}
    table = np.stack(list(others.values()))
    lengths = np.linalg.norm(table, axis=1) * np.linalg.norm(vector)
    return dict(zip(others, (table @ vector / np.maximum(lengths, 1e-9)).tolist(), strict=True))
