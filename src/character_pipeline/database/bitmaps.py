"""Which items have which value, as bitmaps: any combination of filters is counted and paged in milliseconds.

A bitmap has one bit an item and is kept in blocks; where no item of a block has the value there is no block. Each is
written with its records, in the same transaction, and so are the numbers of its bits and the sums for statistics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.database.codes import RECORD_COLUMNS, AttributeCodes
from character_pipeline.database.connection import Connection

BLOCK = 4096
"""Items in a block: so few that a shard rewrites little, so many that five million make a thousand rows a value."""
BYTES = BLOCK // 8
STATUS, PEOPLE = -1, -2
"""Stand for an attribute's number; the codes are those of the columns."""
ANSWERED = 0
"""The code of an attribute under which every item stands that has a value or a state other than unknown."""

Key = tuple[int, int, int]
"""Attribute, code, block."""
Bits = dict[Key, int]
"""The bits of some items, as one number a block."""
Mask = NDArray[np.uint8]
"""A whole bitmap, shape (blocks, BYTES)."""
Row = Sequence[int | None]
"""Of a record: item, status, people, and the cells of its attributes."""


def indexed(row: Sequence[Any]) -> Sequence[Any]:
    """What is indexed of a row with RECORD_COLUMNS and cells: item, status, people, the cells."""
    return (*row[:3], *row[len(RECORD_COLUMNS) :])


def index_rows(codes: Sequence[AttributeCodes], rows: Sequence[Row]) -> Bits:
    """The bits of some records; each row has as many cells as there are codes."""
    if not rows:
        return {}
    columns = np.array([[cell or 0 for cell in row] for row in rows], dtype=np.int64).T
    items, status, people, *cells = columns
    found = [*_by_code(STATUS, status, items, zero=True), *_by_code(PEOPLE, people, items, zero=True)]
    for attribute, column in zip(codes, cells, strict=True):
        found.append((attribute.number, ANSWERED, items[column != 0]))
        found += _by_bit(attribute.number, column, items) if attribute.many else []
        single = np.where(column > 0, 0, column) if attribute.many else column
        found += _by_code(attribute.number, single, items)
    return {key: bits for attribute, code, members in found for key, bits in _blocks(attribute, code, members)}


Members = tuple[int, int, NDArray[np.int64]]


def _by_code(
    attribute: int, column: NDArray[np.int64], items: NDArray[np.int64], zero: bool = False
) -> Iterator[Members]:
    for code in np.unique(column).tolist():
        if code or zero:
            yield attribute, code, items[column == code]


def _by_bit(attribute: int, column: NDArray[np.int64], items: NDArray[np.int64]) -> Iterator[Members]:
    masks = np.maximum(column, 0)
    for bit in range(int(np.bitwise_or.reduce(masks)).bit_length()):
        yield attribute, bit + 1, items[(masks >> bit & 1).astype(np.bool_)]


def _blocks(attribute: int, code: int, members: NDArray[np.int64]) -> Iterator[tuple[Key, int]]:
    places = members // BLOCK
    for block in np.unique(places).tolist():
        flags = np.zeros(BLOCK, dtype=np.bool_)
        flags[members[places == block] % BLOCK] = True
        yield (attribute, code, block), int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def replace_bits(db: Connection, items: Sequence[int], new: Bits) -> None:
    """Clear all bits of some items, and set the new ones, inside a transaction of the caller."""
    old = {place: bits for (_, _, place), bits in _blocks(0, 0, np.array(items, dtype=np.int64))}
    known = db.execute("SELECT attribute, code FROM tallies").fetchall() if old else []
    counts: Counter[tuple[int, int]] = Counter()
    changed: Bits = {}
    for key in sorted({(*pair, place) for pair in known for place in old} | new.keys()):
        before = _read_block(db, key)
        after = before & ~old.get(key[2], 0) | new.get(key, 0)
        if after != before:
            changed[key] = after
            counts[key[:2]] += after.bit_count() - before.bit_count()
    _write_blocks(db, changed)
    update = """INSERT INTO tallies(attribute, code, items) VALUES (?, ?, ?)
                ON CONFLICT(attribute, code) DO UPDATE SET items = tallies.items + excluded.items"""
    db.executemany(update, [(*key, count) for key, count in counts.items()])


def add_sums(db: Connection, rows: Iterable[tuple[Any, ...]], sign: int = 1) -> None:
    """Add the confidence and the seconds of records to the sums of their status; a row is these three, status first."""
    sums: dict[int, list[float]] = {}
    for status, confidence, seconds in rows:
        of_status = sums.setdefault(status, [0.0, 0.0])
        of_status[0] += sign * (confidence or 0.0)
        of_status[1] += sign * (seconds or 0.0)
    update = """INSERT INTO sums(status, confidence, seconds) VALUES (?, ?, ?) ON CONFLICT(status) DO UPDATE
                SET confidence = sums.confidence + excluded.confidence, seconds = sums.seconds + excluded.seconds"""
    db.executemany(update, [(status, *pair) for status, pair in sums.items()])


def _read_block(db: Connection, key: Key) -> int:
    query = "SELECT bits FROM bitmaps WHERE attribute = ? AND code = ? AND block = ?"
    row = db.execute(query, key).fetchone()
    return int.from_bytes(row[0], "little") if row else 0


def _write_blocks(db: Connection, changed: Bits) -> None:
    insert = """INSERT INTO bitmaps(attribute, code, block, bits) VALUES (?, ?, ?, ?)
                ON CONFLICT(attribute, code, block) DO UPDATE SET bits = excluded.bits"""
    db.executemany(insert, [(*key, bits.to_bytes(BYTES, "little")) for key, bits in changed.items()])


def read_mask(db: Connection, attribute: int, codes: Iterable[int]) -> Mask:
    """The items that have one of the codes; of those that are written meanwhile, some or none."""
    last = db.execute("SELECT max(id) FROM items").fetchone()[0] or 0
    mask = np.zeros((last // BLOCK + 1, BYTES), dtype=np.uint8)
    asked = list(codes)
    if not asked:
        return mask
    query = f"SELECT block, bits FROM bitmaps WHERE attribute = ? AND code IN ({', '.join('?' * len(asked))})"
    for block, bits in db.execute(query, (attribute, *asked)):
        if block < len(mask):
            mask[block] |= np.frombuffer(bits, dtype=np.uint8)
    return mask


def mask_of(numbers: Iterable[int], like: Mask) -> Mask:
    """A bitmap of the shape of another with the bits of these items, without those that came after it was read."""
    flags = np.zeros(like.size * 8, dtype=np.bool_)
    items = np.fromiter(numbers, dtype=np.int64)
    flags[items[items < len(flags)]] = True
    return np.packbits(flags, bitorder="little").reshape(like.shape)


def fitted(mask: Mask, like: Mask) -> Mask:
    """A bitmap in the shape of another, which may know of more or fewer items."""
    found = np.zeros_like(like)
    found[: len(mask)] = mask[: len(like)]
    return found


def as_flags(mask: Mask) -> NDArray[np.bool_]:
    """A flag for each item, by its number."""
    return np.unpackbits(mask.ravel(), bitorder="little").astype(np.bool_)


def count_bits(mask: Mask) -> int:
    return int(np.bitwise_count(mask).sum())


def members(mask: Mask, skip: int = 0) -> Iterator[list[int]]:
    """The items whose bits are set, rising, a block at a time, without the first `skip`."""
    ends = np.cumsum(np.bitwise_count(mask).sum(axis=1))
    for block in range(int(np.searchsorted(ends, skip, side="right")), len(mask)):
        before = int(ends[block - 1]) if block else 0
        found = np.flatnonzero(np.unpackbits(mask[block], bitorder="little")) + block * BLOCK
        if numbers := found[max(skip - before, 0) :].tolist():
            yield numbers


def read_tallies(db: Connection) -> dict[int, dict[int, int]]:
    """How many items have each code, by attribute."""
    found: dict[int, dict[int, int]] = {}
    for attribute, code, items in db.execute("SELECT attribute, code, items FROM tallies WHERE items > 0"):
        found.setdefault(attribute, {})[code] = items
    return found
