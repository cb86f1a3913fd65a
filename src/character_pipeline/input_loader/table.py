"""Parquet and Arrow tables, alone or as a Hugging Face data set folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item
from character_pipeline.errors import ItemError
from character_pipeline.input_loader import files
from character_pipeline.input_loader.base import Entry, ItemBuilder, failed_item, unlisted_part
from character_pipeline.input_loader.rows import ID_FIELDS, IMAGE_FIELDS, TEXT_FIELDS, RowReader
from character_pipeline.input_loader.text import clean_text

SUFFIXES = frozenset({".parquet", ".arrow", ".feather"})
ARROW_MAGIC = b"ARROW1"
UNREADABLE = (OSError, ValueError, LookupError, TypeError, NotImplementedError)
"""What pyarrow raises for tables that are damaged, or of a kind that it cannot read."""


@dataclass(slots=True)
class TableSource:
    """One item a row; `base` is what relative picture paths start from."""

    uris: tuple[str, ...]
    config: InputLoaderConfig
    base: str = ""
    kind: str = field(default="table", init=False)

    def inventory(self) -> Iterator[Entry]:
        reader = RowReader(self.config, self.base)
        for number, uri in enumerate(self.uris):
            name = uri.rpartition("/")[2]
            try:
                stamp = files.stamp_of(uri)
                reader.check(column_names(uri))
                for group in range(count_groups(uri)):
                    yield from self._rows(reader, number, group, name, stamp)
            except (*UNREADABLE, ItemError) as error:
                yield unlisted_part(name, f"the table cannot be read: {name}", error)

    def _rows(self, reader: RowReader, number: int, group: int, name: str, stamp: str) -> Iterator[Entry]:
        columns = self._key_columns(self.uris[number])
        table = load_group(self.uris[number], group, columns)
        for row in range(table.num_rows):
            cells = {column: table.column(column)[row].as_py() for column in columns}
            key = reader.key(cells, f"{name}#{group}.{row}")
            yield Entry(clean_text(key), f"{number}:{group}:{row}", f"{stamp}:{reader.picture_stamp(cells)}")

    def _key_columns(self, uri: str) -> tuple[str, ...]:
        """The columns that can name a row, and the file of its picture; never those with the bytes of pictures."""
        names = column_names(uri)
        reader = RowReader(self.config, self.base)
        name = reader.field(names, self.config.id_field, ID_FIELDS)
        image = reader.field(names, self.config.image_field, IMAGE_FIELDS)
        path = image if image is not None and is_text_column(uri, image) else None
        return tuple(dict.fromkeys(column for column in (name, path) if column is not None))

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        reader = RowReader(self.config, self.base)
        for entry in entries:
            if entry.problem is not None:
                yield failed_item(entry)
                continue
            number, group, row = map(int, entry.locator.split(":"))
            builder = ItemBuilder(entry.key, self.config.max_text_bytes, entry.known)
            try:
                reader.fill(builder, self._cells(reader, self.uris[number], group, row))
            except ItemError as error:
                builder.fail("read", error)
            except UNREADABLE as error:
                builder.fail("read", ItemError("corrupt_file", str(error)))
            yield builder.build()

    def _cells(self, reader: RowReader, uri: str, group: int, row: int) -> Mapping[str, Any]:
        names = column_names(uri)
        image = reader.field(names, self.config.image_field, IMAGE_FIELDS)
        text = reader.field(names, self.config.text_field, TEXT_FIELDS)
        rating = "rating" if "rating" in names else None
        wanted = tuple(name for name in (image, text, rating) if name is not None) or names[:1]
        table = load_group(uri, group, wanted)
        return {name: table.column(name)[row].as_py() for name in wanted}


@lru_cache(maxsize=64)
def _schema(uri: str) -> Any:
    import pyarrow.parquet

    if uri.lower().endswith(".parquet"):
        with files.open_binary(uri) as file:
            return pyarrow.parquet.read_schema(file)
    return _arrow_table(uri).schema


def column_names(uri: str) -> tuple[str, ...]:
    return tuple(_schema(uri).names)


def is_text_column(uri: str, name: str) -> bool:
    import pyarrow.types

    kind = _schema(uri).field(name).type
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
    texts = (pyarrow.types.is_string, pyarrow.types.is_large_string, pyarrow.types.is_string_view)
    return any(is_text(kind) for is_text in texts)


def count_groups(uri: str) -> int:
    """Row groups of a Parquet file; an Arrow file counts as one, for it is mapped, not read."""
    import pyarrow.parquet

    if not uri.lower().endswith(".parquet"):
        _arrow_table(uri)
        return 1
    with files.open_binary(uri) as file:
        return int(pyarrow.parquet.ParquetFile(file).num_row_groups)


@lru_cache(maxsize=2)
def load_group(uri: str, group: int, columns: tuple[str, ...]) -> Any:
    """One row group with the given columns. The last ones are kept: a shard reads its rows one after another."""
    import pyarrow.parquet

    if not uri.lower().endswith(".parquet"):
        table = _arrow_table(uri)
        return table.select(list(columns)) if columns else table
    with files.open_binary(uri) as file:
        return pyarrow.parquet.ParquetFile(file).read_row_group(group, columns=list(columns))


@lru_cache(maxsize=4)
def _arrow_table(uri: str) -> Any:
    import pyarrow as pa

    if files.is_url(uri):
        with files.open_binary(uri) as file:
            source: Any = pa.BufferReader(file.read())
    else:
        source = pa.memory_map(uri)
    start = source.read(len(ARROW_MAGIC))
    source.seek(0)
    opened = pa.ipc.open_file(source) if start == ARROW_MAGIC else pa.ipc.open_stream(source)
    return opened.read_all()


def forget() -> None:
    """Keep nothing of tables that were read: they may be other ones by now."""
    for kept in (_schema, load_group, _arrow_table):
        kept.cache_clear()
