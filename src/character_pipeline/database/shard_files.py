"""Finished shards as files: what a worker elsewhere hands to the one that writes the database, and what survives both.

A shard is one Parquet file, written aside and renamed, so that it is there whole or not at all; the vectors of its
pictures are in a second one that is there before it. What the shard was made of is in its metadata: a file that is left
from other settings, or from an inventory that has changed, is told from one that is wanted.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from character_pipeline.database.codes import RECORD_COLUMNS
from character_pipeline.database.rows import Rows
from character_pipeline.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

ABOUT = b"character_pipeline"
PREFIX = "charpipe-shard-"
"""Files are removed by their names, and a folder may hold numbered shards of somebody's data set."""
WHOLE_SHARD = re.compile(rf"{PREFIX}(\d+)\.parquet")
DETAILS = ("text", "notes", "decided", "gates", "dealing")
VECTORS = ("content_hash", "reader", "vector")
WHOLE, REAL = frozenset({"fingerprint", "format"}), frozenset({"confidence", "seconds"})


class ShardFiles:
    """The finished shards in a folder, which may be an fsspec URL that several machines share.

    Raises StoreError when the folder cannot be used.
    """

    def __init__(self, folder: str) -> None:
        import fsspec

        self.folder = folder
        self.system, self.root = fsspec.core.url_to_fs(folder)

    def write(self, shard: int, rows: Rows, keys: Sequence[str], about: Mapping[str, Any]) -> None:
        """Write the rows of a shard. The keys are those of the attributes, in the order of the cells."""
        with self._errors():
            self.system.makedirs(self.root, exist_ok=True)
            if rows.vectors:
                columns = zip(*rows.vectors, strict=True)
                self._write(_name(shard, "vectors"), _table(dict(zip(VECTORS, columns, strict=True)), {}))
            told = {**about, "errors": rows.errors, "items": rows.items, "vectors": len(rows.vectors)}
            self._write(_name(shard), _table(_columns(rows, keys), told))

    def read(self, shard: int, about: Mapping[str, Any]) -> tuple[Rows, dict[str, Any]] | None:
        """The rows of a shard and what else was said of it; None when it is not there, or is not what `about` says."""
        with self._errors():
            told = self._read_about(_name(shard))
            if told is None or any(told.get(name) != value for name, value in about.items()):
                return None
            rows = _rows(self._read(_name(shard)), told)
            if told["vectors"]:
                rows.vectors = [tuple(row.values()) for row in self._read(_name(shard, "vectors")).to_pylist()]
            return rows, told

    def remove(self, shard: int) -> None:
        with self._errors():
            for name in (_name(shard), _name(shard, "vectors")):
                if self.system.exists(self._path(name)):
                    self.system.rm_file(self._path(name))

    def finished(self) -> list[int]:
        """The shards that are there, in their order."""
        with self._errors():
            if not self.system.exists(self.root):
                return []
            self.system.invalidate_cache(self.root)
            names = (posixpath.basename(str(path)) for path in self.system.ls(self.root, detail=False))
            return sorted(int(found[1]) for name in names if (found := WHOLE_SHARD.fullmatch(name)))

    def _path(self, name: str) -> str:
        return posixpath.join(self.root, name)

    def _write(self, name: str, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        aside = self._path(f".{name}.{os.getpid()}.{uuid.uuid4().hex}.part")
        try:
            with self.system.open(aside, "wb") as file:
                pq.write_table(table, file, compression="zstd")
            self.system.mv(aside, self._path(name))
        finally:
            if self.system.exists(aside):
                self.system.rm_file(aside)

    def _read(self, name: str) -> pa.Table:
        import pyarrow.parquet as pq

        with self.system.open(self._path(name), "rb") as file:
            return pq.read_table(file)

    def _read_about(self, name: str) -> dict[str, Any] | None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.system.exists(self._path(name)):
            return None
        try:
            with self.system.open(self._path(name), "rb") as file:
                told = pq.read_schema(file).metadata or {}
            return dict(json.loads(told[ABOUT]))
        except (pa.ArrowInvalid, KeyError, ValueError):
            return None  # not ours, or broken: it is done again

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"the finished shards in {self.folder} cannot be used: {error}") from error


def _name(shard: int, kind: str = "") -> str:
    return f"{PREFIX}{shard:08}{f'.{kind}' if kind else ''}.parquet"


def _table(columns: Mapping[str, Sequence[Any]], about: Mapping[str, Any]) -> pa.Table:
    import pyarrow as pa

    arrays = {name: pa.array(values, _type(name)) for name, values in columns.items()}
    return pa.table(arrays).replace_schema_metadata({ABOUT: json.dumps(about).encode()})


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name in {"content_hash", "vector"}:
        return pa.binary()
    if name in WHOLE or name in DETAILS[:-1] or name == "reader":
        return pa.string()
    return pa.float64() if name in REAL else pa.int64()


def _columns(rows: Rows, keys: Sequence[str]) -> dict[str, Sequence[Any]]:
    """The records and their details side by side; cells have the names of their attributes with a sign before."""
    names = [*RECORD_COLUMNS, *(f"={key}" for key in keys)]
    records = zip(*rows.records, strict=True) if rows.records else ([] for _ in names)
    details = zip(*(row[1:] for row in rows.details), strict=True) if rows.details else ([] for _ in DETAILS)
    return dict(zip(names, map(list, records), strict=True)) | dict(zip(DETAILS, map(list, details), strict=True))


def _rows(table: pa.Table, told: Mapping[str, Any]) -> Rows:
    columns = [column.to_pylist() for column in table.columns]
    whole = list(zip(*columns, strict=True))
    records = [row[: -len(DETAILS)] for row in whole]
    details = [(row[0], *row[-len(DETAILS) :]) for row in whole]
    return Rows(list(told["items"]), records, details, [tuple(row) for row in told["errors"]])
