"""Attributes as numbers: one column each in the table of records."""

from __future__ import annotations

from dataclasses import dataclass, replace

from character_pipeline.data import EMPTY, AttributeValue
from character_pipeline.database.connection import Connection
from character_pipeline.errors import ConfigError
from character_pipeline.vocabulary import Attribute, Vocabulary

STATE_CODES = {"not_visible": -1, "conflicting": -2, "not_applicable": -3}
CODE_STATES = {code: state for state, code in STATE_CODES.items()}
MOST_VALUES = 62
"""A bit mask of so many values fits an integer of SQLite."""
RECORD_COLUMNS = (
    "item",
    "status",
    "people",
    "confidence",
    "fingerprint",
    "run",
    "stamp",
    "retry",
    "seconds",
    "content_hash",
    "width",
    "height",
    "format",
)
RESERVED = frozenset({*RECORD_COLUMNS, "item_id", "safety", EMPTY, "notes", "text"})


@dataclass(frozen=True, slots=True, eq=False)
class AttributeCodes:
    """The numbers of one attribute. A column holds the code of its value, or the sum of 2**(code - 1) of its values
    where it has many; a state below zero; NULL for unknown."""

    number: int
    key: str
    label: str
    many: bool
    codes: dict[str, int]

    def encode(self, decided: AttributeValue) -> int | None:
        if decided.state != "known":
            return STATE_CODES.get(decided.state)
        if not self.many:
            return self.codes[decided.values[0]]
        return sum(1 << (self.codes[value] - 1) for value in decided.values)

    def decode(self, cell: int | None) -> tuple[str, tuple[str, ...]]:
        """The state and the values that a cell stands for."""
        if cell is None or cell < 0:
            return CODE_STATES.get(cell or 0, "unknown"), ()
        if self.many:
            return "known", tuple(value for value, code in self.codes.items() if cell >> (code - 1) & 1)
        return "known", tuple(value for value, code in self.codes.items() if code == cell)


def read_codes(db: Connection, vocabulary: Vocabulary) -> tuple[AttributeCodes, ...]:
    """The codes of every attribute of the vocabulary; a code that was given once stays."""
    stored: dict[str, dict[str, int]] = {}
    for key, value, code in db.execute("SELECT attribute, value, code FROM vocabulary"):
        stored.setdefault(key, {})[value] = code
    return tuple(
        _codes(number, attribute, stored.get(attribute.key, {}))
        for number, attribute in enumerate(vocabulary.attributes.values())
    )


def _codes(number: int, attribute: Attribute, stored: dict[str, int]) -> AttributeCodes:
    number = stored.get("", number)
    codes = {value: stored[value] for value in attribute.values if value in stored}
    return AttributeCodes(number, attribute.key, attribute.label, attribute.many, codes)


def known_to(db: Connection, vocabulary: Vocabulary) -> Vocabulary:
    """The attributes and values that the database has codes for: data files may have grown since it was written."""
    codes = set(db.execute("SELECT attribute, value FROM vocabulary"))
    attributes = {
        key: replace(attribute, values=tuple(value for value in attribute.values if (key, value) in codes))
        for key, attribute in vocabulary.attributes.items()
        if (key, "") in codes
    }
    return replace(vocabulary, attributes=attributes)


def register_codes(db: Connection, vocabulary: Vocabulary) -> None:
    """Give codes and columns to what is new in the vocabulary. Runs inside a transaction of the caller."""
    columns = {row[1] for row in db.execute("PRAGMA table_info(records)")}
    for attribute in vocabulary.attributes.values():
        _register(db, attribute, columns)


def _register(db: Connection, attribute: Attribute, columns: set[str]) -> None:
    key = attribute.key
    if not key.isidentifier() or key in RESERVED or len(attribute.values) > MOST_VALUES:
        raise ConfigError(
            f"attribute '{key}': the key must be a plain name, none of {', '.join(sorted(RESERVED))}, "
            f"and have at most {MOST_VALUES} values"
        )
    known = dict(db.execute("SELECT value, code FROM vocabulary WHERE attribute = ?", (key,)))
    if "" not in known:
        used = db.execute("SELECT count(*) FROM vocabulary WHERE value = ''").fetchone()[0]
        db.execute("INSERT INTO vocabulary VALUES (?, '', ?)", (key, used))
    fresh = [value for value in attribute.values if value not in known]
    start = max((code for value, code in known.items() if value), default=0) + 1
    rows = [(key, value, code) for code, value in enumerate(fresh, start)]
    db.executemany("INSERT INTO vocabulary VALUES (?, ?, ?)", rows)
    if key not in columns:
        db.execute(f'ALTER TABLE records ADD COLUMN "{key}" INTEGER')
