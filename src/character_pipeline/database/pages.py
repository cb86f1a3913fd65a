"""Results page by page, by the numbers of their items: the last page is as quick as the first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from character_pipeline.data import ExtractionResult
from character_pipeline.database.bitmaps import STATUS, Mask, mask_of, read_mask
from character_pipeline.database.queries import Filter, find_numbers
from character_pipeline.database.reader import ResultReader
from character_pipeline.database.store import Store


@dataclass(frozen=True, slots=True)
class Page:
    """Some results; `after` is the number of the item with which the next page goes on, None on the last one."""

    results: list[ExtractionResult]
    after: int | None


def read_page(store: Store, found: Filter, after: int, limit: int, evidence: bool = False) -> Page:
    """The results of a filter whose numbers are above `after`. Quarantined items never are among them."""
    if after:
        found.within.append(_beyond(after, read_mask(store.db, STATUS, ())))
    numbers = list(islice(find_numbers(store, found), limit + 1))
    if not numbers:  # a server takes no empty list
        return Page([], None)
    shown = numbers[:limit]
    reader = ResultReader(store.db, store.vocabulary, evidence)
    rows = reader.read(f"WHERE i.id IN ({', '.join('?' * len(shown))}) ORDER BY i.id", shown)
    return Page(list(rows), shown[-1] if len(numbers) > limit else None)


def _beyond(number: int, like: Mask) -> Mask:
    flags = np.zeros(like.size * 8, dtype=np.bool_)
    flags[number + 1 :] = True
    return np.packbits(flags, bitorder="little").reshape(like.shape)


def only_of_source(store: Store, found: Filter, uri: str) -> None:
    """Let only the items of one source through."""
    row = store.db.execute("SELECT id, prefix FROM sources WHERE uri = ?", (uri,)).fetchone()
    number, prefix = row or (0, "")
    if prefix:  # by the index of ids: those of one source lie side by side
        last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = store.db.execute("SELECT id FROM items WHERE item_id >= ? AND item_id < ?", (prefix, last))
    else:
        rows = store.db.execute("SELECT id FROM items WHERE source = ?", (number,))
    found.within.append(mask_of((row[0] for row in rows), read_mask(store.db, STATUS, ())))
