"""Where the items of a batch wait: a table of its own for each, under a name of ours, never one of a request."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from character_pipeline.config import InputLoaderConfig, PipelineConfig, is_server
from character_pipeline.errors import ConfigError, StoreError
from character_pipeline.input_loader.table import TableSource
from character_pipeline.input_loader.text import clean_text

PREFIX = "batch-"
MOST_ROWS = 500
MOST_BYTES = 16 * 2**20
"""Rows and bytes of a row group, which is read whole."""


class Sent(NamedTuple):
    """An item as somebody sent it."""

    item_id: str
    text: str | None
    image: bytes | None


@dataclass(frozen=True, slots=True)
class Staged:
    """Items that wait: what they are called together, how many there are, and what names their content."""

    name: str
    items: int
    digest: str


class Spool:
    """The folder of a database in which batches wait. One service at a time uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = FileLock(str(folder / "lock"), timeout=0)

    def open(self) -> None:
        """Raises StoreError where another service uses it, or it cannot be made."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"another service works on this database: {self.folder} is in use. End it first"
            ) from error
        except OSError as error:
            raise StoreError(f"batches cannot be kept in {self.folder}: {error}. Set serve.spool_path") from error

    def close(self) -> None:
        self.lock.release()

    def stage(self, items: Iterable[Sent], most: int) -> Staged:
        """Write items down. Raises ConfigError where there are none, or more than `most`."""
        name = PREFIX + secrets.token_hex(8)
        digest, count = hashlib.sha256(), 0
        with self._writing(name) as write:
            for sent in items:
                count += 1
                if count > most:
                    raise ConfigError(f"a batch has at most {most:,} items (serve.max_batch_items)")
                digest.update(repr([*sent[:2], hashlib.sha256(sent.image or b"").digest()]).encode())
                write(sent)
            if not count:
                raise ConfigError("the batch has no items: send at least one")
        return Staged(name, count, digest.hexdigest())

    @contextmanager
    def _writing(self, name: str) -> Iterator[Any]:
        aside = self.folder / f"{name}.part"
        try:
            with _Writer(aside) as writer:
                yield writer.add
            aside.replace(self._path(name))
        except OSError as error:
            raise StoreError(
                f"the batch cannot be kept: {error.strerror or 'writing failed'}. Is the disk full?"
            ) from error
        finally:
            aside.unlink(missing_ok=True)

    def source(self, name: str, loader: InputLoaderConfig) -> TableSource:
        """The items of a batch. Raises StoreError where they are gone."""
        path = self._path(name)
        if not path.is_file():
            raise StoreError("the items of this batch are gone from the folder where they waited: send them again")
        usual = {"text_field": None, "image_field": None, "id_field": None}
        return TableSource((str(path),), loader.model_copy(update=usual))

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def keep_only(self, names: Iterable[str]) -> None:
        """Remove what nothing needs any more."""
        kept = {self._path(name) for name in names}
        for path in self.folder.glob(f"{PREFIX}*"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"


class _Writer:
    """Writes items as a Parquet table, some at a time."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {"item_id": pa.string(), "text": pa.string(), "image": pa.binary()}
        self.schema = pa.schema(list(columns.items()))
        self.file = pq.ParquetWriter(path, self.schema, compression="zstd")
        self.rows: list[dict[str, Any]] = []
        self.held = 0

    def __enter__(self) -> _Writer:
        return self

    def add(self, sent: Sent) -> None:
        text = None if sent.text is None else clean_text(sent.text)
        self.rows.append({"item_id": clean_text(sent.item_id), "text": text, "image": sent.image})
        self.held += len(sent.image or b"") + len(sent.text or "")
        if len(self.rows) >= MOST_ROWS or self.held >= MOST_BYTES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self.rows:
            self.file.write_table(pa.Table.from_pylist(self.rows, schema=self.schema))
        self.rows, self.held = [], 0

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self.file.close()


def spool_of(config: PipelineConfig) -> Spool:
    """The spool that the settings name. Raises ConfigError where they name none and there is no folder beside the
    database."""
    if config.serve.spool_path is not None:
        return Spool(Path(config.serve.spool_path))
    if is_server(config.database.db_path):
        raise ConfigError("a database on a server has no folder beside it: set serve.spool_path, where batches wait")
    return Spool(Path(config.database.db_path).absolute().with_suffix(".batches"))
