"""What the store asks of a connection and of the place that it leads to, whatever database is there.

SQL is written once, as SQLite understands it; another connection translates what its server says differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from character_pipeline.config import is_server
from character_pipeline.errors import StoreError


class DatabaseError(StoreError):
    """A server refused a statement, or no longer answers."""


class Cursor(Protocol):
    """The answer to a statement."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def fetchmany(self, size: int = ..., /) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """One connection; outside a transaction each statement counts at once."""

    def execute(self, query: str, marks: Any = ..., /) -> Cursor: ...
    def executemany(self, query: str, rows: Iterable[Any], /) -> Cursor: ...
    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], keys: int = 1) -> None:
        """Write many rows; each replaces one that is the same in the first `keys` columns. No two of them are."""
        ...

    def close(self) -> None: ...


class Place(Protocol):
    """Where a database is.

    Attributes:
        name: what people are shown; no password is in it.
        address: what opens it again, in any process.
        path: its file, if it is one.
    """

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def path(self) -> Path | None: ...
    def connect(self, writable: bool = False) -> Connection:
        """Open it. Raises StoreError when it is not there, or cannot be opened."""
        ...

    def lock(self, db: Connection) -> AbstractContextManager[None]:
        """Be the one who runs on it. Raises StoreError when someone else does."""
        ...


def find_place(address: str | Path, frozen: bool = False) -> Place:
    """The place that a path or the URL of a server names. `frozen`: nobody writes to it meanwhile."""
    if isinstance(address, str) and is_server(address):
        from character_pipeline.database.postgres import PostgresPlace

        return PostgresPlace(address)
    from character_pipeline.database.sqlite import SqlitePlace

    return SqlitePlace(Path(address), frozen)
