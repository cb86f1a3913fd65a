"""The raw layer: what picture readers found in a content, whatever is decided from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.database.connection import Connection, find_place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = dict[str, NDArray[np.float16]]

AT_ONCE = 500
"""Hashes in one query; SQLite allows some thousand marks."""

VectorRow = tuple[bytes, str, bytes]
"""Content hash, key of the reader, vector."""


def write_vectors(db: Connection, rows: Sequence[VectorRow]) -> None:
    """Write vectors inside a transaction of the caller; one that is there is replaced."""
    keys = {key for _, key, _ in rows}
    insert = "INSERT INTO readers(key) VALUES (?) ON CONFLICT(key) DO NOTHING"
    db.executemany(insert, [(key,) for key in sorted(keys)])
    numbers = _reader_numbers(db) if rows else {}
    last = {(digest, numbers[key]): vector for digest, key, vector in rows}
    columns = ("content_hash", "reader", "vector")
    db.put("vectors", columns, [(*place, vector) for place, vector in last.items()], keys=2)


def _reader_numbers(db: Connection) -> dict[str, int]:
    return {key: number for number, key in db.execute("SELECT id, key FROM readers")}


def read_all(db: Connection, reader: str, size: int) -> Iterator[tuple[bytes, NDArray[np.float16]]]:
    """What a reader found in each content, by rising hash, however pictures were decoded for it; each content once."""
    numbers = sorted((key, number) for key, number in _reader_numbers(db).items() if key.split("@")[0] == reader)
    if not numbers:
        return
    order = " ".join(f"WHEN {number} THEN {place}" for place, (_, number) in enumerate(numbers))
    query = f"""SELECT content_hash, vector FROM vectors WHERE reader IN ({_marks(numbers)})
                ORDER BY content_hash, CASE reader {order} END"""
    last = None
    for digest, blob in db.execute(query, [number for _, number in numbers]):
        vector = read_vector(blob, size) if digest != last else None
        if vector is not None:
            last = digest
            yield digest, vector


class VectorCache:
    """Reads the vectors of a database, beside its writer and in any process. Opens it when first asked.

    Args:
        sizes: the length of the vectors of each reader, by its key.
        suffix: what follows the keys in the database.
    """

    def __init__(self, address: str | Path, sizes: Mapping[str, int], suffix: str = "") -> None:
        self.address = address
        self.sizes = sizes
        self.suffix = suffix

    @cached_property
    def _db(self) -> Connection:
        return find_place(self.address).connect()

    def find(self, digests: Iterable[str]) -> dict[str, Vectors]:
        """What is known of these contents, by hash (hexadecimal) and key. A vector that is broken is not known."""
        asked = list(dict.fromkeys(digests))
        numbers = _reader_numbers(self._db) if asked and self.sizes else {}
        readers = {number: key for key in self.sizes if (number := numbers.get(key + self.suffix)) is not None}
        found: dict[str, Vectors] = {}
        for start in range(0, len(asked) if readers else 0, AT_ONCE):
            for digest, reader, blob in self._rows(asked[start : start + AT_ONCE], readers):
                vector = read_vector(blob, self.sizes[readers[reader]])
                if vector is not None:
                    found.setdefault(digest.hex(), {})[readers[reader]] = vector
        return found

    def _rows(self, digests: Sequence[str], readers: Mapping[int, str]) -> Iterable[tuple[bytes, int, bytes]]:
        query = f"""SELECT content_hash, reader, vector FROM vectors
                    WHERE content_hash IN ({_marks(digests)}) AND reader IN ({_marks(readers)})"""
        return self._db.execute(query, [*map(bytes.fromhex, digests), *readers])

    def close(self) -> None:
        if "_db" in self.__dict__:
            self._db.close()


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def read_vector(blob: object, size: int) -> NDArray[np.float16] | None:
    """A stored vector, or None where the blob is none of this size with finite numbers."""
    import numpy as np

    if not isinstance(blob, bytes) or len(blob) != 2 * size:
        return None
    vector = np.frombuffer(blob, dtype="<f2").astype(np.float16, copy=False)
    return vector if np.isfinite(vector).all() else None
