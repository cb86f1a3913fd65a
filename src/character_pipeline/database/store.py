"""The store: one writer, any number of readers. Opens, migrates, and commits shards whole."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from character_pipeline.data import PictureFacts
from character_pipeline.database.bitmaps import add_sums, index_rows, indexed, replace_bits
from character_pipeline.database.codes import RECORD_COLUMNS, AttributeCodes, known_to, read_codes, register_codes
from character_pipeline.database.connection import Connection, find_place
from character_pipeline.database.migrations import MIGRATIONS, migrate, read_version
from character_pipeline.database.pace import add_pace
from character_pipeline.database.rows import Rows
from character_pipeline.database.vectors import write_vectors
from character_pipeline.errors import ConfigError, StoreError
from character_pipeline.vocabulary import Vocabulary, load_vocabulary

DETAIL_COLUMNS = ("item", "text", "notes", "decided", "gates", "dealing")
ERROR_COLUMNS = ("item", "number", "stage", "kind", "message", "run")


class Store:
    """A database: a file, or `postgresql://user@host/database`. `writable=False` opens an existing one for reading
    beside a running writer; without a vocabulary it is read with that of its last run. `frozen`: nobody writes to it
    meanwhile, so that a file can be read on disks that several machines share.

    Raises StoreError when it is no database of ours, is missing, or cannot be opened.
    """

    def __init__(
        self, place: str | Path, vocabulary: Vocabulary | None = None, writable: bool = True, frozen: bool = False
    ) -> None:
        self.place = find_place(place, frozen)
        self.died_before = False
        with self._opening() as opened:
            self.db = opened(writable)
            if not writable and read_version(self.db) < len(MIGRATIONS):
                self._upgrade(opened)
            self.vocabulary = vocabulary or known_to(self.db, self._last_vocabulary())
            if writable:
                self._prepare()
            self.codes: tuple[AttributeCodes, ...] = read_codes(self.db, self.vocabulary)

    @contextmanager
    def _opening(self) -> Iterator[Callable[[bool], Connection]]:
        """Gives what connects. When anything fails, no connection stays open, and the error says of which database."""
        made: list[Connection] = []

        def connect(writable: bool) -> Connection:
            made.append(self.place.connect(writable))
            return made[-1]

        try:
            yield connect
        except BaseException as error:
            for db in made:
                db.close()
            if isinstance(error, sqlite3.OperationalError):
                raise StoreError(f"the database cannot be opened: {self.name}: {error}") from error
            if isinstance(error, sqlite3.DatabaseError):
                raise StoreError(f"not a database of this program: {self.name}: {error}") from error
            raise

    @property
    def name(self) -> str:
        """What people are shown of where it is."""
        return self.place.name

    @property
    def address(self) -> str:
        """What opens it again, in any process; with the password, if one was given."""
        return self.place.address

    @property
    def path(self) -> Path:
        """Its file. Raises ConfigError where it is none."""
        if self.place.path is None:
            raise ConfigError(f"this needs a database that is a file: {self.name} is on a server")
        return self.place.path

    def _upgrade(self, connect: Callable[[bool], Connection]) -> None:
        """Bring a database of an older version up to date, and open it for reading again."""
        if self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'records'").fetchone() is None:
            raise StoreError(f"not a database of this program: {self.name}: it has no records")
        self.db.close()
        try:
            self.db = connect(True)
            migrate(self.db)
        except sqlite3.OperationalError as error:
            hint = "an older version made it, and it is brought up to date once, where it can be written: copy it there"
            raise StoreError(f"the database cannot be read as it is: {self.name}: {error}; {hint}") from error
        self.db.close()
        self.db = connect(False)

    def _last_vocabulary(self) -> Vocabulary:
        row = self.db.execute("SELECT config FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        path = json.loads(row[0])["vocabulary"]["path"] if row else None
        return load_vocabulary(Path(path)) if path else load_vocabulary()

    def _prepare(self) -> None:
        migrate(self.db)
        with self.transaction():
            register_codes(self.db, self.vocabulary)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def lock(self) -> AbstractContextManager[None]:
        """Be the one who runs on this database. Raises StoreError when someone else does."""
        return self.place.lock(self.db)

    def close(self) -> None:
        self.db.close()

    def begin_run(self, fingerprint: str, config: str, environment: str) -> int:
        """Note a new run; runs that were left running were killed, perhaps by an item that kills its process."""
        with self.transaction() as db:
            self.died_before = db.execute("UPDATE runs SET state = 'killed' WHERE state = 'running'").rowcount > 0
            row = (time.time(), "running", fingerprint, config, environment)
            insert = "INSERT INTO runs(started, state, fingerprint, config, environment) VALUES (?, ?, ?, ?, ?)"
            return int(db.execute(f"{insert} RETURNING id", row).fetchone()[0])

    def end_run(self, run: int, state: str, statistics: str) -> None:
        with self.transaction() as db:
            update = "UPDATE runs SET finished = ?, state = ?, statistics = ? WHERE id = ?"
            db.execute(update, (time.time(), state, statistics, run))

    def commit_shard(self, shard: int, rows: Rows, seconds: Mapping[str, float] | None = None) -> None:
        """Write the rows of a shard, and that it is done, in one transaction.

        Args:
            seconds: what its work took, by part.
        """
        with self.transaction() as db:
            before = self._forget(rows.items)
            add_sums(db, [(row[1], row[3], row[8]) for row in rows.records])
            db.put("records", [*RECORD_COLUMNS, *(f'"{attribute.key}"' for attribute in self.codes)], rows.records)
            db.put("details", DETAIL_COLUMNS, rows.details)
            db.put("errors", ERROR_COLUMNS, rows.errors, keys=2)
            replace_bits(db, before, index_rows(self.codes, [indexed(row) for row in rows.records]))
            write_vectors(db, rows.vectors)
            if rows.records:
                add_pace(db, rows.records[0][RECORD_COLUMNS.index("run")], len(rows.items), seconds or {})
            db.execute("UPDATE shards SET state = 'done' WHERE id = ?", (shard,))

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
