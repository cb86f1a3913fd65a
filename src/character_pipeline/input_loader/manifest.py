"""Manifests: JSONL, CSV and TSV with a path or a text in each row, and text files with one description a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import IO, Any
from zlib import crc32

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item, Problem
from character_pipeline.errors import ConfigError, ItemError
from character_pipeline.input_loader import files
from character_pipeline.input_loader.base import Entry, ItemBuilder, failed_item
from character_pipeline.input_loader.rows import RowReader
from character_pipeline.input_loader.text import clean_text, decode_text

BOM = b"\xef\xbb\xbf"
DELIMITERS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = frozenset({".jsonl", ".ndjson", ".csv", ".tsv", ".txt"})


@dataclass(slots=True)
class ManifestSource:
    """One item a row. Rows are found again by their place in the file."""

    uri: str
    config: InputLoaderConfig
    kind: str = field(default="manifest", init=False)

    @property
    def name(self) -> str:
        return self.uri.rpartition("/")[2]

    def inventory(self) -> Iterator[Entry]:
        rows = _Rows(self.uri, self.config)
        with files.open_utf8(self.uri) as file:
            for number, (start, raw) in enumerate(rows.find(file), 1):
                key, stamp, problem = f"{self.name}#{number}", "", None
                try:
                    key, stamp = rows.identify(raw, key)
                except ItemError as error:
                    problem = Problem("read", error.kind, clean_text(str(error)))
                mark = f"{len(raw)}:{crc32(raw)}"
                yield Entry(clean_text(key), f"{start}:{mark}", f"{mark}:{stamp}", problem)

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        rows = _Rows(self.uri, self.config)
        with files.open_utf8(self.uri) as file:
            for entry in entries:
                if entry.problem is not None:
                    yield failed_item(entry)
                    continue
                start, length, mark = map(int, entry.locator.split(":"))
                file.seek(start)
                raw = file.read(length)
                yield rows.item(entry, raw) if crc32(raw) == mark else _changed_item(entry)


def _changed_item(entry: Entry) -> Item:
    """The item of a row that is no longer where the inventory found it; the next run finds it again."""
    problem = Problem("read", "io_error", "the manifest changed while it was read")
    return failed_item(replace(entry, problem=problem))


class _Rows:
    """The rows of one manifest: where they are, and what they say."""

    def __init__(self, uri: str, config: InputLoaderConfig) -> None:
        self.limit = config.max_text_bytes
        self.suffix = "." + uri.rpartition(".")[2].lower()
        self.delimiter = DELIMITERS.get(self.suffix)
        self.mark = (self.delimiter or ",").encode()
        self.reader = RowReader(config, uri.rpartition("/")[0])
        self.header = _header(uri, self.delimiter) if self.delimiter else ()
        if self.header:
            self.reader.check(self.header)

    def find(self, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
        """Each row's place and bytes; of a row that is longer than allowed, only its beginning."""
        rows = self._records(file) if self.delimiter else _lines(file, self.limit + 2)
        return ((start, raw) for start, raw in rows if raw.removeprefix(BOM).strip())

    def _records(self, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
        """The records of a CSV file below its header: a quoted field may hold line breaks."""
        place, held, quoted = 0, b"", False
        for start, line in _lines(file, self.limit + 2):
            place, held = (place, held + line) if held else (start, line)
            quoted = _ends_in_quotes(line.removeprefix(BOM), self.mark, quoted)
            if not quoted or len(held) > self.limit:
                if place:
                    yield place, held
                held, quoted = b"", False
        if held and place:
            yield place, held

    def identify(self, raw: bytes, otherwise: str) -> tuple[str, str]:
        """The id that a row states, and the state of its picture file. Raises ItemError for a row that cannot be
        understood."""
        if len(raw) > self.limit:
            raise ItemError("text_too_large", f"the row has more than {self.limit:,} bytes")
        if self.suffix == ".txt":
            return otherwise, ""
        row = self._parse(raw)
        return self.reader.key(row, otherwise), self.reader.picture_stamp(row)

    def item(self, entry: Entry, raw: bytes) -> Item:
        builder = ItemBuilder(entry.key, self.limit, entry.known)
        try:
            if self.suffix == ".txt":
                builder.add_text(raw.removeprefix(BOM).strip())
            else:
                self.reader.fill(builder, self._parse(raw))
        except ItemError as error:
            builder.fail("read", error)
        return builder.build()

    def _parse(self, raw: bytes) -> Mapping[str, Any]:
        text, _ = decode_text(raw.removeprefix(BOM))
        if self.delimiter:
            return _parse_csv(text, self.header, self.delimiter)
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ItemError("bad_row", f"no JSON: {error}") from error
        if not isinstance(row, dict):
            raise ItemError("bad_row", f"a JSON object was expected, not {type(row).__name__}")
        return row


@lru_cache(maxsize=16)
def _header(uri: str, delimiter: str) -> tuple[str, ...]:
    with files.open_utf8(uri) as file:
        first = file.readline(2**20).removeprefix(BOM)
    try:
        return tuple(_cells(decode_text(first)[0], delimiter))
    except csv.Error as error:
        name = uri.rpartition("/")[2]
        raise ConfigError(f"the header of {name} is no CSV: {error}. Lines have to end in \\n or \\r\\n") from error


def _parse_csv(text: str, header: tuple[str, ...], delimiter: str) -> Mapping[str, Any]:
    try:
        cells = _cells(text, delimiter)
    except csv.Error as error:
        raise ItemError("bad_row", f"no CSV: {error}") from error
    if len(cells) != len(header):
        raise ItemError("bad_row", f"{len(cells)} fields; the header has {len(header)}")
    return dict(zip(header, cells, strict=True))


def _cells(record: str, delimiter: str) -> list[str]:
    """The fields of one record, given whole: the reader takes each string that it is given for a line of its own."""
    return next(csv.reader([record], delimiter=delimiter, strict=True), [])


def _ends_in_quotes(line: bytes, delimiter: bytes, quoted: bool) -> bool:
    """Whether a quoted field goes on in the next line. A quote opens a field only where the field begins."""
    place = 0
    while quoted or b'"' in line:
        if not quoted and line[place : place + 1] == b'"':
            quoted, place = True, place + 1
        if quoted:
            place = line.find(b'"', place)
            if place < 0:
                return True
            place += 1
            if line[place : place + 1] == b'"':
                place += 1
                continue
            quoted = False
        place = line.find(delimiter, place) + 1
        if not place:
            break
    return False


def _lines(file: IO[bytes], limit: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their places; of a line, no more than `limit` bytes are held and the rest is passed over."""
    start = 0
    while line := file.readline(limit):
        held, size = line, len(line)
        while not line.endswith(b"\n") and len(line) == limit:
            line = file.readline(limit)
            size += len(line)
        yield start, held
        start += size


def forget() -> None:
    """Keep nothing of manifests that were read: they may be other ones by now."""
    _header.cache_clear()
