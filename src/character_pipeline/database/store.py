"""The SQLite store: one writer, any number of readers. Opens, migrates, and commits shards whole."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from character_pipeline.data import PictureFacts
from character_pipeline.database.bitmaps import add_sums, index_rows, indexed, replace_bits
from character_pipeline.database.codes import RECORD_COLUMNS, AttributeCodes, known_to, read_codes, register_codes
from character_pipeline.database.migrations import MIGRATIONS, migrate, read_version
from character_pipeline.database.rows import Rows
from character_pipeline.database.vectors import write_vectors
from character_pipeline.errors import ConfigError, StoreError
from character_pipeline.vocabulary import Vocabulary, load_vocabulary

BUSY_SECONDS = 30
CACHE_KIB = 32_768
WAL_PAGES = 16_384
"""Pages in the write-ahead log before they are moved into the database: many pages change often."""


class Store:
    """A database file. `writable=False` opens an existing one for reading beside a running writer; without a
    vocabulary it is read with that of its last run. `frozen`: nobody writes to it meanwhile, so that it can be read on
    disks that several machines share.

    Raises StoreError when the file is no database of ours, is missing, or cannot be opened.
    """

    def __init__(
        self, path: str | Path, vocabulary: Vocabulary | None = None, writable: bool = True, frozen: bool = False
    ) -> None:
        self.path = Path(path)
        self.died_before = False
        self.frozen = frozen
        self.db = self._open(writable)
        try:
            if not writable and read_version(self.db) < len(MIGRATIONS):
                self._upgrade()
            self.vocabulary = vocabulary or known_to(self.db, self._last_vocabulary())
            if writable:
                self._prepare()
            self.codes: tuple[AttributeCodes, ...] = read_codes(self.db, self.vocabulary)
        except ConfigError:
            self.db.close()
            raise
        except sqlite3.OperationalError as error:
            self.db.close()
            raise StoreError(f"the database cannot be opened: {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            self.db.close()
            raise StoreError(f"not a database of this program: {self.path}: {error}") from error

    def _open(self, writable: bool) -> sqlite3.Connection:
        if not writable and not self.path.is_file():
            raise StoreError(f"there is no database at {self.path}: make one with charpipe extract DATASET")
        try:
            if writable:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            mode = "rwc" if writable else "ro&immutable=1" if self._is_frozen() else "ro"
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the database cannot be opened: {self.path}: {error}") from error

    def _upgrade(self) -> None:
        """Bring a database of an older version up to date, and open it for reading again."""
        self.db.close()
        self.db = self._open(writable=True)
        if self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'records'").fetchone() is None:
            raise sqlite3.DatabaseError("it has no records")
        migrate(self.db)
        self.db.close()
        self.db = self._open(writable=False)

    def _is_frozen(self) -> bool:
        """Whether nobody writes to the database, so that SQLite itself need not write beside it."""
        log = Path(f"{self.path}-wal")  # readers leave an empty one behind
        frozen = self.frozen or not os.access(self.path.parent, os.W_OK)
        return frozen and not (log.exists() and log.stat().st_size)

    def _last_vocabulary(self) -> Vocabulary:
        row = self.db.execute("SELECT config FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        path = json.loads(row[0])["vocabulary"]["path"] if row else None
        return load_vocabulary(Path(path)) if path else load_vocabulary()

    def _prepare(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self.db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        migrate(self.db)
        with self.transaction():
            register_codes(self.db, self.vocabulary)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one who runs on this database. Raises StoreError when someone else does."""
        from filelock import FileLock, Timeout

        lock = FileLock(f"{self.path}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            message = f"another run is writing to {self.path}: wait for it to end, or choose another output"
            raise StoreError(message) from error
        except OSError as error:
            raise StoreError(f"the database cannot be opened for writing: {self.path}: {error}") from error
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        self.db.close()

    def begin_run(self, fingerprint: str, config: str, environment: str) -> int:
        """Note a new run; runs that were left running were killed, perhaps by an item that kills its process."""
        with self.transaction() as db:
            self.died_before = db.execute("UPDATE runs SET state = 'killed' WHERE state = 'running'").rowcount > 0
            row = (time.time(), "running", fingerprint, config, environment)
            insert = "INSERT INTO runs(started, state, fingerprint, config, environment) VALUES (?, ?, ?, ?, ?)"
            return int(db.execute(insert, row).lastrowid or 0)

    def end_run(self, run: int, state: str, statistics: str) -> None:
        with self.transaction() as db:
            update = "UPDATE runs SET finished = ?, state = ?, statistics = ? WHERE id = ?"
            db.execute(update, (time.time(), state, statistics, run))

    def commit_shard(self, shard: int, rows: Rows) -> None:
        """Write the rows of a shard, and that it is done, in one transaction."""
        with self.transaction() as db:
            before = self._forget(rows.items)
            add_sums(db, [(row[1], row[3], row[8]) for row in rows.records])
            db.executemany(self._insert_record(), rows.records)
            db.executemany("INSERT OR REPLACE INTO details VALUES (?, ?, ?, ?, ?, ?)", rows.details)
            db.executemany("INSERT INTO errors VALUES (?, ?, ?, ?, ?, ?)", rows.errors)
            replace_bits(db, before, index_rows(self.codes, [indexed(row) for row in rows.records]))
            write_vectors(db, rows.vectors)
            db.execute("UPDATE shards SET state = 'done' WHERE id = ?", (shard,))

    def _insert_record(self) -> str:
        columns = [*RECORD_COLUMNS, *(f'"{attribute.key}"' for attribute in self.codes)]
        return f"INSERT OR REPLACE INTO records({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"

    def _forget(self, numbers: Sequence[int]) -> list[int]:
        """Take an earlier run's records of these items out of errors and sums; returns those that have one."""
        again = set(numbers)
        query = "SELECT item, status, confidence, seconds FROM records WHERE item BETWEEN ? AND ?"
        before = [row for row in self.db.execute(query, _span(numbers)) if row[0] in again]
        self.db.executemany("DELETE FROM errors WHERE item = ?", [row[:1] for row in before])
        add_sums(self.db, [row[1:] for row in before], -1)
        return [row[0] for row in before]

    def known_pictures(self, numbers: Sequence[int], max_pixels: int) -> dict[int, tuple[str, PictureFacts]]:
        """Content hash and facts of the items whose picture was decoded before, is still small enough, and whose
        files have not changed."""
        query = """SELECT r.item, r.content_hash, r.width, r.height, r.format FROM records r
                   JOIN items i ON i.id = r.item
                   WHERE r.item BETWEEN ? AND ? AND r.width > 0 AND r.stamp = i.stamp
                     AND r.width * r.height <= ?"""
        asked = set(numbers)
        rows = (row for row in self.db.execute(query, (*_span(numbers), max_pixels)) if row[0] in asked)
        return {number: (digest.hex(), PictureFacts(*facts)) for number, digest, *facts in rows}


def _span(numbers: Sequence[int]) -> tuple[int, int]:
    return (min(numbers), max(numbers)) if numbers else (0, -1)
