"""One item of a finished database again, from where it came: its picture, as far as it is still the same."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from character_pipeline.config import InputLoaderConfig, PipelineConfig
from character_pipeline.data import STATUSES, Item, Problem
from character_pipeline.database.store import Store
from character_pipeline.input_loader import Entry, open_source
from character_pipeline.runs.stored import KIND, origin_of

QUERY = """
SELECT i.item_id, i.locator, i.problem, s.uri, s.kind, r.content_hash, r.width FROM items i
JOIN sources s ON s.id = i.source JOIN records r ON r.item = i.id
WHERE i.item_id = ? AND i.gone = 0 AND r.status <> ?
"""


def read_picture(store: Store, item_id: str) -> bytes | None:
    """The bytes of an item's picture; None where there is none, it is gone or changed, or the item is quarantined.

    Raises CharpipeError or OSError where its source cannot be opened.
    """
    row = store.db.execute(QUERY, (item_id, STATUSES.index("quarantined"))).fetchone()
    if row is None or not row[-1]:
        return None
    _, locator, problem, uri, kind, digest, _ = row
    if kind == KIND:
        with closing(Store(origin_of(store), writable=False)) as origin:
            return read_picture(origin, item_id)
    wrong = Problem(*json.loads(problem)) if problem else None
    item = _read(uri, Entry(item_id, locator, "", wrong), _settings(store))
    return item.image if item.content_hash == digest.hex() else None


def _read(uri: str, entry: Entry, config: InputLoaderConfig) -> Item:
    return next(iter(open_source(uri, config).read([entry])))


def _settings(store: Store) -> InputLoaderConfig:
    """How the last run read its sources."""
    row: Any = store.db.execute("SELECT config FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return PipelineConfig.model_validate(json.loads(row[0])).input_loader if row else InputLoaderConfig()
