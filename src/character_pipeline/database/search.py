"""Full-text search on the tags and texts of a database, by an index in a file of its own beside it.

The index holds words and the numbers of items, no texts; it is made when it is first asked, and brought up to date
whenever it is asked again. What it finds is a bitmap, which goes together with any other filter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from character_pipeline.data import STATUSES
from character_pipeline.database.bitmaps import BLOCK, BYTES, Mask
from character_pipeline.database.following import identity_of, members_of, waiting_shards
from character_pipeline.database.ledger import hash64
from character_pipeline.database.queries import Filter
from character_pipeline.database.sqlite import BUSY_SECONDS
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, StoreError

ENDING = ".words"
FORMAT = "1"
VERSIONS = 40
"""The number of a document is that of its item and, above so many bits, how often its text has changed."""
ITEM = (1 << VERSIONS) - 1
AT_ONCE = 20
"""Shards in a transaction: what a kill loses."""
MOST_TEXTS = 1_000
"""Texts that are held at once."""
MOST_SIGNS, MOST_WORDS = 1_000, 20
LEAST_PREFIX = 2
"""One letter would begin most of all words."""
QUARANTINED = STATUSES.index("quarantined")
TEXTS = f"""SELECT r.item, CASE r.status WHEN {QUARANTINED} THEN NULL ELSE d.text END FROM records r
            JOIN details d ON d.item = r.item WHERE r.item BETWEEN ? AND ?"""
TABLES = {
    "about": "CREATE TABLE about(name TEXT PRIMARY KEY, value TEXT)",
    "taken": "CREATE TABLE taken(shard INTEGER PRIMARY KEY)",
    # digest: 64 bits of a hash of the text, 0 for none
    "entries": "CREATE TABLE entries(item INTEGER PRIMARY KEY, version INTEGER, digest INTEGER)",
    # documents whose item has another text by now: an index without texts cannot take them out
    "stale": "CREATE TABLE stale(document INTEGER PRIMARY KEY)",
    # parts: the words of tags, each by itself
    "texts": """CREATE VIRTUAL TABLE texts USING fts5(text, parts, content='', columnsize=0,
                  tokenize="unicode61 tokenchars '_'")""",
}

Progress = Callable[[int, int], None]
"""Is told how many items are indexed, of how many."""


def add_text(store: Store, found: Filter, text: str, progress: Progress | None = None) -> None:
    """Let a filter ask for words of texts; see `parse_words`. Brings the index up to date first.

    Raises ConfigError for a database on a server, and where no words are given; StoreError where the index cannot be
    written.
    """
    wanted, unwanted = parse_words(text)
    with closing(TextIndex(store)) as index:
        index.update(progress)
        found.within.append(index.find(wanted, unwanted))


def parse_words(text: str) -> tuple[str, str]:
    """What is typed, as two queries of the index: what must be there, and what must not; "" for nothing.

    Words are separated by spaces or commas and must all be there, "-word" must not, "word*" is how one begins. A word
    is found by itself and within tags; one with underscores is a tag, or the same words in a row. Nothing else has a
    meaning: all signs of the query language are taken as letters between words.

    Raises ConfigError where there is no word to search for, too many, or a word of which hardly anything is given.
    """
    words = "".join(sign if sign.isprintable() else " " for sign in text).replace(",", " ").split()
    if len(text) > MOST_SIGNS or len(words) > MOST_WORDS:
        raise ConfigError(f"a search has at most {MOST_SIGNS:,} signs and {MOST_WORDS} words")
    asked = [word for word in words if any(sign.isalnum() for sign in word)]
    wanted = " AND ".join(_asked(word) for word in asked if not word.startswith("-"))
    unwanted = " OR ".join(_asked(word[1:]) for word in asked if word.startswith("-"))
    short = next((word for word in asked if word.endswith("*") and len(word.strip("-*")) < LEAST_PREFIX), None)
    if short is not None:
        raise ConfigError(f"the beginning of a word has at least {LEAST_PREFIX} letters; given: '{short}'")
    if not asked:
        raise ConfigError("a search is made of words, such as: blue_eyes school* -hat")
    return wanted, unwanted


def _asked(word: str) -> str:
    """A word as a query of the index."""
    prefix = "*" if word.endswith("*") else ""
    plain = word.rstrip("*").replace('"', " ")
    if "_" not in plain.strip("_"):
        return f'"{plain}"{prefix}'
    return f'{{text}} : ("{plain}"{prefix} OR "{plain.replace("_", " ")}"{prefix})'


class TextIndex:
    """The index of a store. Close it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.path = Path(f"{store.path}{ENDING}")
        self.db = self._open()

    def _open(self) -> sqlite3.Connection:
        with self._naming():
            db = self._connect()
            try:
                return self._prepared(db)
            except sqlite3.Error as error:
                db.close()
                if isinstance(error, sqlite3.OperationalError):
                    raise
            for ending in ("", "-wal", "-shm"):  # no SQLite file at all
                Path(f"{self.path}{ending}").unlink(missing_ok=True)
            return self._prepared(self._connect())

    def _prepared(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """With its tables; those of another database that was here are made anew."""
        about = {"format": FORMAT, "database": identity_of(self.store)}
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if _about(db) != about:
            with _all_or_nothing(db):
                if _about(db) != about:  # nobody was faster
                    _make_tables(db, about)
        return db

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Says of an error which file it is about, and that nothing is lost with it."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            hint = "it can be deleted, and is made anew by the next search"
            raise StoreError(f"the index of texts cannot be used: {self.path}: {error} ({hint})") from error

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)

    def update(self, progress: Progress | None = None) -> int:
        """Take what was written since; returns the number of items. A kill loses little, and the next call goes on."""
        with self._naming():
            return self._update(progress)

    def _update(self, progress: Progress | None) -> int:
        taken = {row[0] for row in self.db.execute("SELECT shard FROM taken")}
        waiting = waiting_shards(self.store.db, taken)
        done, total = 0, sum(items for _, items in waiting)
        for start in range(0, len(waiting), AT_ONCE):
            part = waiting[start : start + AT_ONCE]
            self._take([shard for shard, _ in part])
            done += sum(items for _, items in part)
            if progress is not None:
                progress(done, total)
        return total

    def _take(self, shards: Sequence[int]) -> None:
        with _all_or_nothing(self.db):
            for shard in shards:
                if self.db.execute("INSERT OR IGNORE INTO taken VALUES (?)", (shard,)).rowcount:
                    for first, last in members_of(self.store.db, shard):
                        for start in range(first, last + 1, MOST_TEXTS):
                            self._index(start, min(start + MOST_TEXTS - 1, last))

    def _index(self, first: int, last: int) -> None:
        """Index the items with these numbers whose text is new."""
        query = "SELECT item, version, digest FROM entries WHERE item BETWEEN ? AND ?"
        known = {item: (version, digest) for item, version, digest in self.db.execute(query, (first, last))}
        documents = []
        for item, text in self.store.db.execute(TEXTS, (first, last)):
            version, before = known.get(item, (-1, 0))
            digest = hash64(text) if text else 0
            if digest == before:
                continue
            if before:
                self.db.execute("INSERT INTO stale VALUES (?)", (version << VERSIONS | item,))
            self.db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (item, version + 1, digest))
            if digest:
                documents.append((version + 1 << VERSIONS | item, text, _parts(text)))
        # In the order of their numbers: otherwise the index writes what it has collected before each.
        self.db.executemany("INSERT INTO texts(rowid, text, parts) VALUES (?, ?, ?)", sorted(documents))

    def find(self, wanted: str, unwanted: str = "") -> Mask:
        """The items with what is wanted and without what is not, as `parse_words` gives them."""
        last = self.store.db.execute("SELECT max(id) FROM items").fetchone()[0] or 0
        with self._naming():
            return self._find(wanted, unwanted, last)

    def _find(self, wanted: str, unwanted: str, last: int) -> Mask:
        flags = np.full((last // BLOCK + 1) * BLOCK, not wanted, dtype=np.bool_)
        for query, holds in ((wanted, True), (unwanted, False)):
            items = self._items(query) if query else np.empty(0, np.int64)
            flags[items[items < len(flags)]] = holds
        return np.packbits(flags, bitorder="little").reshape(-1, BYTES)

    def _items(self, query: str) -> NDArray[np.int64]:
        documents = np.fromiter(self._numbers("SELECT rowid FROM texts WHERE texts MATCH ?", query), dtype=np.int64)
        stale = np.fromiter(self._numbers("SELECT document FROM stale"), dtype=np.int64)
        current = documents[~np.isin(documents, stale)] if len(stale) else documents
        return np.asarray(current & ITEM)

    def _numbers(self, query: str, *marks: str) -> Iterator[int]:
        return (row[0] for row in self.db.execute(query, marks))

    def close(self) -> None:
        self.db.close()


@contextmanager
def _all_or_nothing(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _make_tables(db: sqlite3.Connection, about: dict[str, str]) -> None:
    for name, statement in TABLES.items():
        db.execute(f"DROP TABLE IF EXISTS {name}")
        db.execute(statement)
    db.executemany("INSERT INTO about VALUES (?, ?)", about.items())


def _about(db: sqlite3.Connection) -> dict[str, str]:
    """What an index says of itself; a new one says nothing."""
    there = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone() is not None
    return dict(db.execute("SELECT name, value FROM about")) if there else {}


def _parts(text: str) -> str:
    return " ".join([word for word in text.replace(",", " ").split() if "_" in word]).replace("_", " ")
