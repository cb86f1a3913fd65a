"""The tables, as numbered steps. A database is brought up to date when it is opened, each step in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from character_pipeline.database.bitmaps import BLOCK, add_sums, index_rows, replace_bits
from character_pipeline.database.codes import AttributeCodes
from character_pipeline.database.connection import Connection
from character_pipeline.errors import StoreError


def first_tables(db: Connection) -> None:
    """Version 1. Where a column holds a code, the table vocabulary (or the order in data.py) says what it means."""
    for statement in (
        "CREATE TABLE sources(id INTEGER PRIMARY KEY, uri TEXT UNIQUE, kind TEXT, prefix TEXT UNIQUE)",
        """CREATE TABLE runs(id INTEGER PRIMARY KEY, started REAL, finished REAL, state TEXT, fingerprint TEXT,
             config TEXT, environment TEXT, statistics TEXT)""",
        # stamp: 64 bits of a hash; seen: the run whose inventory met the item last; gone: no longer in its source
        """CREATE TABLE items(id INTEGER PRIMARY KEY, item_id TEXT NOT NULL UNIQUE, source INTEGER NOT NULL,
             locator TEXT, stamp INTEGER, problem TEXT, seen INTEGER, gone INTEGER NOT NULL DEFAULT 0)""",
        # members: item numbers as ranges, "1-1000,1003"; never changed once written
        "CREATE TABLE shards(id INTEGER PRIMARY KEY, run INTEGER, members TEXT, items INTEGER, state TEXT)",
        "CREATE INDEX shards_pending ON shards(id) WHERE state = 'pending'",
        # retry: 0 nothing is wrong, 1 a passing problem, 2 a lasting one
        """CREATE TABLE records(item INTEGER PRIMARY KEY, status INTEGER, people INTEGER, confidence REAL,
             fingerprint TEXT, run INTEGER, stamp INTEGER, retry INTEGER, seconds REAL, content_hash BLOB,
             width INTEGER, height INTEGER, format TEXT)""",
        "CREATE INDEX records_status ON records(status)",
        "CREATE INDEX records_retry ON records(retry) WHERE retry > 0",
        # decided and gates: JSON, see rows.py; decided holds each attribute that has evidence
        "CREATE TABLE details(item INTEGER PRIMARY KEY, text TEXT, notes TEXT, decided TEXT, gates TEXT)",
        # the values of attributes that have many, for queries; the bit masks in records say the same
        """CREATE TABLE many(attribute INTEGER, code INTEGER, item INTEGER,
             PRIMARY KEY(attribute, code, item)) WITHOUT ROWID""",
        """CREATE TABLE errors(item INTEGER, number INTEGER, stage TEXT, kind TEXT, message TEXT, run INTEGER,
             PRIMARY KEY(item, number)) WITHOUT ROWID""",
        """CREATE TABLE vocabulary(attribute TEXT, value TEXT, code INTEGER,
             PRIMARY KEY(attribute, value)) WITHOUT ROWID""",
        # the raw layer of the cache: what an extractor computed from a content, whatever is decided from it
        """CREATE TABLE raw_scores(content_hash BLOB, extractor TEXT, scores BLOB,
             PRIMARY KEY(content_hash, extractor)) WITHOUT ROWID""",
        """CREATE TABLE embeddings(content_hash BLOB, model TEXT, vector BLOB,
             PRIMARY KEY(content_hash, model)) WITHOUT ROWID""",
    ):
        db.execute(statement)


def picture_vectors(db: Connection) -> None:
    """Version 2. What picture readers found, by the content of the picture, as little-endian float16."""
    for statement in (
        "DROP TABLE raw_scores",
        "DROP TABLE embeddings",
        "CREATE TABLE readers(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
        # Rows lie in the order of insertion, nearly that of the items: hashes are random, and a table sorted by them
        # would rewrite a page of a kilobyte's rows for each new one and scatter what a shard reads again.
        "CREATE TABLE vectors(content_hash BLOB, reader INTEGER, vector BLOB)",
        "CREATE UNIQUE INDEX vectors_of ON vectors(content_hash, reader)",
    ):
        db.execute(statement)


def feedback(db: Connection) -> None:
    """Version 3. What people say is true, by the id of the item: it outlives the records. The newest row on an
    attribute counts; `value` is JSON, a value, a list of values, or null where nothing is true or visible."""
    db.execute(
        """CREATE TABLE feedback(id INTEGER PRIMARY KEY, item_id TEXT NOT NULL, attribute TEXT NOT NULL, value TEXT,
             author TEXT, given REAL)"""
    )
    db.execute("CREATE INDEX feedback_of ON feedback(item_id, attribute)")


def bitmaps(db: Connection) -> None:
    """Version 4. Bitmaps instead of an index for each attribute, and the numbers of statistics: see bitmaps.py."""
    for statement in (
        """CREATE TABLE bitmaps(attribute INTEGER, code INTEGER, block INTEGER, bits BLOB,
             PRIMARY KEY(attribute, code, block)) WITHOUT ROWID""",
        """CREATE TABLE tallies(attribute INTEGER, code INTEGER, items INTEGER,
             PRIMARY KEY(attribute, code)) WITHOUT ROWID""",
        "CREATE TABLE sums(status INTEGER PRIMARY KEY, confidence REAL, seconds REAL)",
        "CREATE INDEX items_gone ON items(id) WHERE gone = 1",
        "CREATE INDEX errors_kind ON errors(kind, item)",
        "DROP INDEX records_status",
    ):
        db.execute(statement)
    _index_records(db)
    for key, _ in _attributes(db):
        db.execute(f'DROP INDEX IF EXISTS "records_{key}"')
    db.execute("DROP TABLE many")


def _index_records(db: Connection) -> None:
    """Index what is there. Which attributes have many values is told from the table that is dropped."""
    many = {row[0] for row in db.execute("SELECT DISTINCT attribute FROM many")}
    codes = [AttributeCodes(number, key, key, number in many, {}) for key, number in _attributes(db)]
    columns = ", ".join(["item", "status", "people", *(f'"{one.key}"' for one in codes)])
    last = db.execute("SELECT max(item) FROM records").fetchone()[0] or 0
    for first in range(0, last + 1, BLOCK):
        span = (first, first + BLOCK - 1)
        rows = db.execute(f"SELECT {columns} FROM records WHERE item BETWEEN ? AND ?", span).fetchall()
        replace_bits(db, [], index_rows(codes, rows))
        sums = "SELECT status, confidence, seconds FROM records WHERE item BETWEEN ? AND ?"
        add_sums(db, db.execute(sums, span).fetchall())


def _attributes(db: Connection) -> list[tuple[str, int]]:
    """The key and the number of each attribute that has a column."""
    return db.execute("SELECT attribute, code FROM vocabulary WHERE value = '' ORDER BY code").fetchall()


def dealings(db: Connection) -> None:
    """Version 5. How a policy dealt with an item, as bits, see rl_optimizer/choices.py; NULL where none did."""
    db.execute("ALTER TABLE details ADD COLUMN dealing INTEGER")


def policies(db: Connection) -> None:
    """Version 6. Adopted policies: files as they were, checked whenever they are read; one at most is current."""
    db.execute(
        """CREATE TABLE policies(id INTEGER PRIMARY KEY, adopted REAL, digest TEXT NOT NULL UNIQUE, labels INTEGER,
             gate TEXT, file BLOB, current INTEGER NOT NULL)"""
    )


def identity(db: Connection) -> None:
    """Version 7. Which pictures are copies of which, and what the pictures of a character have in common."""
    for statement in (
        # what: "duplicates" or "profiles"; about: JSON, what they were made with
        "CREATE TABLE identity(what TEXT PRIMARY KEY, made REAL, about TEXT)",
        # every member of a cluster; kept: the item that stands for it, also for itself
        "CREATE TABLE duplicates(item INTEGER PRIMARY KEY, kept INTEGER NOT NULL, likeness REAL NOT NULL)",
        "CREATE INDEX duplicates_of ON duplicates(kept)",
        # votes: JSON, by attribute and value the number of items that say so
        "CREATE TABLE profiles(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, items INTEGER, votes TEXT)",
        # votes: JSON, by attribute the values that the item, or the copy that stands for it, added to its profile
        "CREATE TABLE profile_members(item_id TEXT PRIMARY KEY, profile INTEGER NOT NULL, votes TEXT)",
        "CREATE INDEX profile_members_of ON profile_members(profile)",
    ):
        db.execute(statement)


def service(db: Connection) -> None:
    """Version 8. What a service was asked to do in the background, and the keys that let someone ask."""
    for statement in (
        # name: what people call it; source: its name in sources; options: JSON; idempotency: the key that the request
        # came with, digest: names its content; stopping: whether it is to be cancelled; failures: JSON, errors by kind
        """CREATE TABLE jobs(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
             source TEXT NOT NULL, options TEXT NOT NULL, idempotency TEXT UNIQUE, digest TEXT NOT NULL,
             stopping INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, started REAL, ended REAL,
             total INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0,
             per_second REAL NOT NULL DEFAULT 0, failures TEXT NOT NULL DEFAULT '{}', error TEXT)""",
        "CREATE TABLE api_keys(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, created REAL)",
    ):
        db.execute(statement)


def pace(db: Connection) -> None:
    """Version 9. How many items were written in each minute of a run; seconds: JSON, by part of the work."""
    db.execute(
        """CREATE TABLE pace(run INTEGER, minute INTEGER, items INTEGER, seconds TEXT,
             PRIMARY KEY(run, minute)) WITHOUT ROWID"""
    )


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    first_tables,
    picture_vectors,
    feedback,
    bitmaps,
    dealings,
    policies,
    identity,
    service,
    pace,
)


def read_version(db: Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: Connection) -> None:
    """Bring a database to the newest version. Raises StoreError when it was written by a newer program."""
    version = read_version(db)
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the database has version {version}, this program knows up to {len(MIGRATIONS)}: "
            "update it with pip install -U character-pipeline"
        )
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        db.execute("BEGIN IMMEDIATE")
        try:
            if read_version(db) >= number:  # another process was faster
                db.execute("ROLLBACK")
                continue
            step(db)
            db.execute(f"PRAGMA user_version = {number}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
