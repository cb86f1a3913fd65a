"""PostgreSQL: a server that takes the place of the file, spoken to in the SQL that SQLite understands."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from character_pipeline.config import without_password
from character_pipeline.database.connection import Connection, DatabaseError
from character_pipeline.errors import LockedError, MissingExtraError, StoreError

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

LOCK = "hashtext('character_pipeline'), hashtext(current_schema())"
WRITE_LOCK = "hashtext('character_pipeline writes'), hashtext(current_schema())"
BUSY_SECONDS = 30
LOCK_SECONDS = 2.0
"""A server may take so long to see that a run was killed."""
CONNECT_SECONDS = 10
SILENT_SECONDS = 60
"""After so long a server asks whether a machine that says nothing is still there."""
NAMED = "table_schema = current_schema() AND table_name"
SAID_DIFFERENTLY: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"PRAGMA user_version = (\d+)", r"UPDATE charpipe_version SET number = \1"),
        (r"PRAGMA user_version", "SELECT number FROM charpipe_version"),
        (
            r"PRAGMA table_info\((\w+)\)",
            rf"SELECT ordinal_position, column_name FROM information_schema.columns WHERE {NAMED} = '\1'",
        ),
        (r"sqlite_master WHERE name", f"information_schema.tables WHERE {NAMED}"),
        # a table has no order of insertion to go back in; where one row is asked for so, any will do
        (r" ORDER BY rowid DESC LIMIT 1", " LIMIT 1"),
        # a missing confidence is nothing, as in SQLite; the path is written alike
        (r"json_extract\((.+?), \?\)", r"jsonb_path_query_first(\1::jsonb, ?::jsonpath)::double precision"),
    )
)
DEFINED_DIFFERENTLY: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        # Numbers without gaps, as SQLite gives them: a sequence would skip those of rows that were there.
        (r"TABLE (\w+)\(id INTEGER PRIMARY KEY", r"TABLE \1(id BIGINT PRIMARY KEY DEFAULT charpipe_next_id('\1')"),
        (r"\bINTEGER\b", "BIGINT"),
        (r"\bREAL\b", "DOUBLE PRECISION"),
        (r"\bBLOB\b", "BYTEA"),
        (r"\bTEXT\b", 'TEXT COLLATE "C"'),  # sorted by signs, whatever language the server speaks
        (r"\) WITHOUT ROWID", ")"),
    )
)
FIRST = (
    """CREATE FUNCTION charpipe_next_id(name TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
       DECLARE found BIGINT; BEGIN EXECUTE 'SELECT coalesce(max(id), 0) + 1 FROM ' || quote_ident(name) INTO found;
       RETURN found; END $$""",
    "CREATE TABLE charpipe_version(number BIGINT NOT NULL)",
    "INSERT INTO charpipe_version VALUES (0)",
)


@lru_cache(maxsize=512)
def translate(query: str) -> str:
    """A statement as psycopg takes it."""
    rules = SAID_DIFFERENTLY
    if query.lstrip().startswith(("CREATE TABLE", "ALTER TABLE")):
        rules += DEFINED_DIFFERENTLY
    for pattern, said in rules:
        query = pattern.sub(said, query)
    query = query.replace("%", "%%").replace("?", "%s")
    return re.sub(r"(?<![:\w]):([a-z_]+)", r"%(\1)s", query)


class PostgresConnection:
    """A connection to a server. Every error of it is a DatabaseError."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.raw = connection

    def execute(self, query: str, marks: Any = (), /) -> psycopg.Cursor[Any]:
        if query == "BEGIN IMMEDIATE":
            self.execute("BEGIN")
            query = f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"
        given = marks if isinstance(marks, dict) else tuple(map(_holdable, marks))
        return self._try(lambda: self.raw.execute(cast(Any, translate(query)), given))

    def executemany(self, query: str, rows: Iterable[Any], /) -> psycopg.Cursor[Any]:
        cursor = self.raw.cursor()
        self._try(lambda: cursor.executemany(cast(Any, translate(query)), list(rows)))
        return cursor

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], keys: int = 1) -> None:
        if rows:
            self._try(lambda: self._put(table, columns, rows, keys))

    def _put(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], keys: int) -> None:
        """Take out what is replaced, and stream the rest in."""
        names = [f"k{number}" for number in range(keys)]
        same = " AND ".join(f"t.{column} = old.{name}" for column, name in zip(columns, names, strict=False))
        arrays = ", ".join(["%s"] * keys)
        delete = f"DELETE FROM {table} t USING unnest({arrays}) AS old({', '.join(names)}) WHERE {same}"
        self.raw.execute(cast(Any, delete), [[row[place] for row in rows] for place in range(keys)])
        into = cast(Any, f"COPY {table}({', '.join(columns)}) FROM STDIN")
        with self.raw.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)

    def _try(self, act: Callable[[], T]) -> T:
        import psycopg

        try:
            return act()
        except psycopg.Error as error:
            gone = "the server no longer answers: " if self.raw.closed else ""
            raise DatabaseError(f"{gone}{_said(error)}") from error

    def close(self) -> None:
        self.raw.close()


def _holdable(mark: Any) -> Any:
    """A mark that a server takes: no text with NUL is in a database, so one is like no other."""
    return mark.replace("\0", "\ufffd") if isinstance(mark, str) and "\0" in mark else mark


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A schema of a database on a server: that which new tables of this connection are made in."""

    address: str = field(repr=False)
    path: None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return without_password(self.address)

    def connect(self, writable: bool = False) -> PostgresConnection:
        db = PostgresConnection(self._open())
        try:
            self._begin(db, writable)
        except BaseException:
            db.close()
            raise
        return db

    def _open(self) -> psycopg.Connection:
        try:
            import psycopg
        except ImportError as error:
            raise MissingExtraError("a database on a server", "postgres") from error
        from psycopg.conninfo import conninfo_to_dict

        try:
            given = conninfo_to_dict(self.address)
        except psycopg.Error:
            given = {}
        if not given or self.address.count("@") > 1:
            # What the library says of it, or takes for the host, may be a part of the password.
            raise StoreError(
                f"the address of the database is not understood: {self.name}: it is written "
                "postgresql://user@host:port/database, with %XX for signs such as @, / and : in names and passwords"
            )
        usual = {"connect_timeout": CONNECT_SECONDS, "application_name": "charpipe"}
        try:
            return psycopg.connect(**cast(Any, {**usual, **given, "client_encoding": "utf8"}), autocommit=True)
        except psycopg.Error as error:
            raise DatabaseError(f"the database cannot be opened: {self.name}: {_said(error)}") from error

    def _begin(self, db: PostgresConnection, writable: bool) -> None:
        query = "SELECT current_schema(), to_regclass('charpipe_version'), current_setting('server_encoding')"
        schema, version, encoding = db.execute(query).fetchall()[0]
        if schema is None:
            raise StoreError(f"{self.name} names no schema that is there: make it with CREATE SCHEMA")
        if encoding != "UTF8":
            raise StoreError(f"{self.name} holds texts as {encoding}: make a database WITH ENCODING 'UTF8'")
        if not writable:
            if version is None:
                raise StoreError(f"there is no database of this program at {self.name}: charpipe extract makes one")
            db.execute("SET default_transaction_read_only = on")
            return
        db.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        if version is None:
            self._make(db)

    def _make(self, db: PostgresConnection) -> None:
        """What migrations rest on."""
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'charpipe_version'").fetchone() is None:
            for statement in FIRST:
                db.execute(statement)
        db.execute("COMMIT")

    @contextmanager
    def lock(self, db: Connection) -> Iterator[None]:
        db.execute(f"SET tcp_keepalives_idle = {SILENT_SECONDS}")
        end = time.monotonic() + LOCK_SECONDS
        while not db.execute(f"SELECT pg_try_advisory_lock({LOCK})").fetchone()[0]:
            if time.monotonic() > end:
                message = f"another run is writing to {self.name}: wait for it to end, or choose another schema"
                raise LockedError(message)
            time.sleep(0.1)
        try:
            yield
        finally:
            if not cast(PostgresConnection, db).raw.closed:
                db.execute(f"SELECT pg_advisory_unlock({LOCK})")
