"""SQLite: a file, with one writer and any number of readers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from character_pipeline.database.connection import Connection
from character_pipeline.errors import LockedError, StoreError

BUSY_SECONDS = 30
CACHE_KIB = 32_768
WAL_PAGES = 16_384
"""Pages in the write-ahead log before they are moved into the database: many pages change often."""
WRITING = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    f"cache_size = -{CACHE_KIB}",
    f"wal_autocheckpoint = {WAL_PAGES}",
)


class SqliteConnection(sqlite3.Connection):
    """A connection that writes many rows at once."""

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], keys: int = 1) -> None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self.executemany(f"INSERT OR REPLACE INTO {table}({names}) VALUES ({marks})", rows)


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    """A database file. `frozen`: nobody writes to it meanwhile, so that it can be read on disks that several machines
    share."""

    path: Path
    frozen: bool = False

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def address(self) -> str:
        return str(self.path)

    def connect(self, writable: bool = False) -> SqliteConnection:
        if not writable and not self.path.is_file():
            raise StoreError(f"there is no database at {self.path}: make one with charpipe extract DATASET")
        try:
            if writable:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            db = self._open("rwc" if writable else "ro&immutable=1" if self._is_frozen() else "ro")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the database cannot be opened: {self.path}: {error}") from error
        try:
            for setting in WRITING if writable else ():
                db.execute(f"PRAGMA {setting}")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _open(self, mode: str) -> SqliteConnection:
        return sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_SECONDS,
            check_same_thread=False,
            factory=SqliteConnection,
        )

    def _is_frozen(self) -> bool:
        """Whether nobody writes to the database, so that SQLite itself need not write beside it."""
        log = Path(f"{self.path}-wal")  # readers leave an empty one behind
        frozen = self.frozen or not os.access(self.path.parent, os.W_OK)
        return frozen and not (log.exists() and log.stat().st_size)

    @contextmanager
    def lock(self, db: Connection) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(f"{self.path}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            message = f"another run is writing to {self.path}: wait for it to end, or choose another output"
            raise LockedError(message) from error
        except OSError as error:
            raise StoreError(f"the database cannot be opened for writing: {self.path}: {error}") from error
        try:
            yield
        finally:
            lock.release()
