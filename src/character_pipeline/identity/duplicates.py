"""Finds the pictures of a database that are copies of each other, from what was read in them; no picture is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from character_pipeline.data import STATUSES, Status
from character_pipeline.database.connection import Connection, find_place
from character_pipeline.database.identity import Copy, write_duplicates
from character_pipeline.database.queries import QUARANTINED
from character_pipeline.database.store import Store
from character_pipeline.database.vectors import read_all
from character_pipeline.errors import ConfigError
from character_pipeline.extractors.picture_hash import HashReader
from character_pipeline.extractors.picture_quality import FIELDS, QualityReader
from character_pipeline.identity.clusters import Candidate, best, unite
from character_pipeline.identity.likeness import Hashes, find_pairs, likeness, shapely
from character_pipeline.runs.stored import origin_of

THRESHOLD = 0.98
"""Measured by benchmarks/identity.py: nearly all copies are more alike than that, and no other pictures of characters
are, be they of the same one."""
STATUS_ORDER: tuple[Status, ...] = ("ok", "partial", "ambiguous", "no_character", "failed")
AT_ONCE = 500
PICTURES = """SELECT r.item, r.content_hash FROM records r JOIN items i ON i.id = r.item
  WHERE i.gone = 0 AND r.width > 0 AND r.status <> ?"""
MEMBERS = """SELECT r.item, i.item_id, r.status, r.width * r.height, r.content_hash
  FROM records r JOIN items i ON i.id = r.item WHERE r.item IN ({marks})"""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found.

    Attributes:
        pictures: how many were compared; one that is quarantined is not.
        unread: those of them that have no hash: of these, only copies with the same content are found.
        clusters, copies: the clusters, and their members without those that stand for them.
        exact: copies with the same content as what stands for them.
    """

    pictures: int
    unread: int
    clusters: int
    copies: int
    exact: int


@dataclass(slots=True)
class _Contents:
    """The different contents, by rising hash: which items have each, and what was read in it, where it was."""

    items: dict[bytes, list[int]]
    hashes: Hashes
    places: dict[bytes, int] = field(default_factory=dict)


def find_duplicates(store: Store, threshold: float = THRESHOLD, exact: bool = False) -> Duplicates:
    """Find the copies among the pictures of a database and write them down there.

    Args:
        threshold: pictures that are so much alike are copies, also mirrored.
        exact: only those with the same content are.

    Raises ConfigError where no picture has a hash, MissingExtraError without usearch; neither with `exact`.
    """
    with store.lock(), closing(_open(store)) as vectors:
        contents = _read_contents(store, vectors, exact)
        groups = list(contents.items.values()) if exact else _near(contents, threshold)
        grouped = [group for group in groups if len(group) > 1]
        copies = list(_copies(store, vectors, grouped, contents))
        pictures = sum(map(len, contents.items.values()))
        unread = sum(len(items) for digest, items in contents.items.items() if digest not in contents.places)
        same = sum(copy.likeness == 1.0 and copy.item != copy.kept for copy in copies)
        found = Duplicates(pictures, unread, len(grouped), len(copies) - len(grouped), same)
        write_duplicates(store, copies, {"threshold": None if exact else threshold, "pictures": pictures})
    return found


def _open(store: Store) -> Connection:
    """The database that pictures were read into."""
    return find_place(origin_of(store)).connect()


def _read_contents(store: Store, vectors: Connection, exact: bool) -> _Contents:
    items: dict[bytes, list[int]] = {}
    for item, digest in store.db.execute(PICTURES, (QUARANTINED,)):
        items.setdefault(digest, []).append(item)
    contents = _Contents(items, np.empty((0 if exact else len(items), HashReader.size), dtype=np.float16))
    for digest, vector in () if exact else read_all(vectors, HashReader.key, HashReader.size):
        if digest in items:
            contents.hashes[len(contents.places)] = vector
            contents.places[digest] = len(contents.places)
    if items and not exact and not contents.places:
        raise ConfigError(
            f"no picture of {store.path} has a hash: run charpipe extract again with picture_analyzers.hash = true, "
            "or look for copies with the same content alone: charpipe dedupe --exact"
        )
    contents.hashes = contents.hashes[: len(contents.places)]
    return contents


def _near(contents: _Contents, threshold: float) -> list[list[int]]:
    """The items of each group of contents that are alike; those of one content are a group at least."""
    shown = np.flatnonzero(shapely(contents.hashes))
    # What has the same hash is one to the index: it finds its way badly among many equals.
    hashes, same = np.unique(contents.hashes[shown], axis=0, return_inverse=True)
    pairs = find_pairs(hashes, threshold)
    group = np.arange(len(hashes))
    for members in unite(len(hashes), zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)):
        group[members] = members[0]
    names: dict[int, int] = dict(zip(shown.tolist(), group[same.ravel()].tolist(), strict=True))
    found: dict[int | bytes, list[int]] = {}
    for digest, items in contents.items.items():
        name = names.get(contents.places.get(digest, -1), digest)
        found.setdefault(name, []).extend(items)
    return list(found.values())


def _copies(store: Store, vectors: Connection, groups: Sequence[Sequence[int]], contents: _Contents) -> Iterator[Copy]:
    sharpness = _sharpness(vectors, contents.items.keys()) if groups else {}
    for group in groups:
        rows = [
            row for start in range(0, len(group), AT_ONCE) for row in _members(store, group[start : start + AT_ONCE])
        ]
        digests = {row[0]: row[4] for row in rows}
        kept = best(_candidate(row, sharpness.get(row[4], 0.0)) for row in rows).item
        for item, digest in digests.items():
            yield Copy(item, kept, _likeness(contents, digest, digests[kept]))


def _members(store: Store, items: Sequence[int]) -> list[tuple[int, str, int, int, bytes]]:
    query = MEMBERS.format(marks=", ".join("?" * len(items)))
    return store.db.execute(query, tuple(items)).fetchall()


def _candidate(row: tuple[int, str, int, int, bytes], sharpness: float) -> Candidate:
    item, item_id, status, pixels, _ = row
    return Candidate(item, item_id, STATUS_ORDER.index(STATUSES[status]), pixels, sharpness)


def _sharpness(vectors: Connection, wanted: Set[bytes]) -> Mapping[bytes, float]:
    place = FIELDS.index("sharpness")
    read = read_all(vectors, QualityReader.key, QualityReader.size)
    return {digest: float(vector[place]) for digest, vector in read if digest in wanted}


def _likeness(contents: _Contents, digest: bytes, other: bytes) -> float:
    """1 for the same content alone."""
    if digest == other:
        return 1.0
    first, second = (contents.hashes[[contents.places[one]]] for one in (digest, other))
    return min(float(likeness(first, second)[0]), 0.9999)
