"""What people say is true of items: corrections, kept beside the records and turned into truth to learn from."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from character_pipeline.data import STATUSES
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError

MOST_TEXT = 1_000
"""Characters of an item's id or an author's name."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One statement: these values of this attribute (its label) are true and visible, or none is."""

    number: int
    item_id: str
    label: str
    values: tuple[str, ...]
    author: str
    given: float


def give_feedback(store: Store, item_id: str, attribute: str, values: Sequence[str], author: str = "") -> Feedback:
    """Write down what is true of an attribute of an item; no values: none is true or visible.

    Args:
        attribute: its key or label.
        values: of the vocabulary, in any case; one at most where the attribute has one.

    Raises ConfigError for an item that is unknown or quarantined, and for an unknown attribute or value, naming the
    nearest one.
    """
    known = store.vocabulary.attribute(attribute)
    chosen = tuple(dict.fromkeys(store.vocabulary.value(known, value) for value in values))
    if len(chosen) > 1 and not known.many:
        raise ConfigError(f"{known.label} has one value; given: {', '.join(chosen)}")
    if len(author) > MOST_TEXT:
        raise ConfigError(f"an author's name has at most {MOST_TEXT:,} characters")
    if not _is_shown(store, item_id):
        raise ConfigError(f"no item '{item_id[:200]}' is in {store.name}. To see them: charpipe query {store.name}")
    given = time.time()
    row = (item_id, known.key, json.dumps(chosen), author, given)
    insert = "INSERT INTO feedback(item_id, attribute, value, author, given) VALUES(?,?,?,?,?) RETURNING id"
    with store.transaction() as db:
        number = int(db.execute(insert, row).fetchone()[0])
    return Feedback(number, item_id, known.label, chosen, author, given)


def _is_shown(store: Store, item_id: str) -> bool:
    query = """SELECT 1 FROM items i LEFT JOIN records r ON r.item = i.id
               WHERE i.item_id = ? AND (r.status IS NULL OR r.status <> ?)"""
    return store.db.execute(query, (item_id, STATUSES.index("quarantined"))).fetchone() is not None


def undo_feedback(store: Store, number: int | None = None) -> Feedback | None:
    """Take back one statement, by default the newest; what was said before it counts again. None: there is none."""
    which = "id = ?" if number is not None else "id = (SELECT MAX(id) FROM feedback)"
    asked = (number,) if number is not None else ()
    row = store.db.execute(f"DELETE FROM feedback WHERE {which} RETURNING *", asked).fetchone()
    return None if row is None else _feedback(store, row)


def all_feedback(store: Store) -> Iterator[Feedback]:
    """Every statement, in the order in which they were given; those on attributes that are no more are left out."""
    for row in store.db.execute("SELECT * FROM feedback ORDER BY id"):
        if row[2] in store.vocabulary.attributes:
            yield _feedback(store, row)


def feedback_on(store: Store, item_id: str) -> list[Feedback]:
    """What counts of one item: of each attribute the newest statement."""
    rows = store.db.execute("SELECT * FROM feedback WHERE item_id = ? ORDER BY id", (item_id,))
    newest = {row[2]: _feedback(store, row) for row in rows if row[2] in store.vocabulary.attributes}
    return list(newest.values())


def newest_feedback(store: Store, limit: int) -> list[Feedback]:
    """The newest statements, newest first, without those on items that are quarantined by now."""
    query = """SELECT f.* FROM feedback f JOIN items i ON i.item_id = f.item_id JOIN records r ON r.item = i.id
               WHERE r.status <> ? ORDER BY f.id DESC LIMIT ?"""
    rows = store.db.execute(query, (STATUSES.index("quarantined"), limit))
    return [_feedback(store, row) for row in rows if row[2] in store.vocabulary.attributes]


def count_feedback(store: Store) -> int:
    """How many statements there are."""
    return int(store.db.execute("SELECT count(*) FROM feedback").fetchone()[0])


def _feedback(store: Store, row: Sequence[Any]) -> Feedback:
    number, item_id, key, value, author, given = row
    attribute = store.vocabulary.attributes.get(key)
    return Feedback(number, item_id, attribute.label if attribute else key, tuple(json.loads(value)), author, given)


def feedback_as_truth(store: Store) -> list[dict[str, Any]]:
    """Lines of truth, one an item: of each attribute the newest statement. See `evaluation.truth` for the keys."""
    newest: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in all_feedback(store):
        newest.setdefault(one.item_id, {})[one.label] = one.values
    return [_line(store, item_id, said) for item_id, said in newest.items()]


def _line(store: Store, item_id: str, said: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    many = {attribute.label for attribute in store.vocabulary.attributes.values() if attribute.many}
    true = {label: list(values) if label in many else values[0] for label, values in said.items() if values}
    return {"item_id": item_id, "people": "single", "labels": list(said), "attributes": true}
