"""WebDataset archives: tar files in which the members of one item share a name up to its first dot."""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, cast

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item
from character_pipeline.errors import ItemError
from character_pipeline.input_loader import files
from character_pipeline.input_loader.base import Entry, ItemBuilder, failed_item, unlisted_part
from character_pipeline.input_loader.images import IMAGE_SUFFIXES
from character_pipeline.input_loader.rows import TEXT_FIELDS, as_text, with_rating
from character_pipeline.input_loader.text import name_of

TEXT_ENDINGS = (".txt", ".caption", ".tags")
SUFFIXES = frozenset({".tar", ".tgz"})
UNREADABLE = (OSError, EOFError, tarfile.TarError, zlib.error)


@dataclass(slots=True)
class TarSource:
    """Items are the pictures of the archives, each with the text of the same key; nothing is ever unpacked."""

    uris: tuple[str, ...]
    config: InputLoaderConfig
    kind: str = field(default="tar", init=False)

    def inventory(self) -> Iterator[Entry]:
        for number, uri in enumerate(self.uris):
            prefix = f"{uri.rpartition('/')[2].rpartition('.')[0]}/" if len(self.uris) > 1 else ""
            try:
                stamp = files.stamp_of(uri)
                with _open(uri) as file:
                    yield from self._members(file, number, prefix, stamp)
            except (*UNREADABLE, ItemError) as error:
                name = uri.rpartition("/")[2]
                yield unlisted_part(f"{prefix}{name}", f"the archive cannot be read to its end: {name}", error)

    def _members(self, file: IO[bytes], number: int, prefix: str, stamp: str) -> Iterator[Entry]:
        key, parts = "", dict[str, list[int]]()
        try:
            for member in _headers(file):
                stem, suffix = split_key(member.name)
                if stem != key:
                    yield from _group(key, parts, number, prefix, stamp)
                    key, parts = stem, {}
                parts[suffix] = [member.offset_data, member.size]
        except UNREADABLE:
            yield from _group(key, parts, number, prefix, stamp)  # it came before the break
            raise
        yield from _group(key, parts, number, prefix, stamp)

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        opened: dict[int, IO[bytes]] = {}
        try:
            for entry in entries:
                if entry.problem is not None:
                    yield failed_item(entry)
                    continue
                number, image, text, meta = json.loads(entry.locator)
                builder = ItemBuilder(entry.key, self.config.max_text_bytes, entry.known)
                self._fill(builder, opened, number, image, text, meta)
                yield builder.build()
        finally:
            for file in opened.values():
                file.close()

    def _fill(self, builder: ItemBuilder, opened: dict[int, IO[bytes]], number: int, *places: Any) -> None:
        image, text, meta = places
        try:
            if number not in opened:
                opened[number] = _open(self.uris[number])
            file = opened[number]
            if image is not None and not builder.known:
                builder.image = _slice(file, image, self.config.max_file_bytes)
            words = _slice(file, text, self.config.max_text_bytes) if text is not None else None
            builder.add_text(_describe(words, _metadata(file, meta, self.config.max_text_bytes)))
        except UNREADABLE as error:
            kind = "io_error" if isinstance(error, OSError) else "corrupt_file"
            builder.fail("read", ItemError(kind, str(error)))
        except ItemError as error:
            builder.fail("read", error)


def _headers(file: IO[bytes]) -> Iterator[tarfile.TarInfo]:
    """The members that are files. Raises ReadError where the archive does not end as one has to: tarfile takes any
    damaged header but the first for the end."""
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined] # tarfile keeps every member it has seen
            if member.isfile():
                yield member
        file.seek(archive.offset)
        if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError(f"a damaged header at byte {archive.offset:,}")


def split_key(name: str) -> tuple[str, str]:
    """A member's key and ending: the name is split at the first dot of its last part."""
    folder, slash, base = name.rpartition("/")
    stem, dot, ending = base.partition(".")
    return folder + slash + stem, (dot + ending).lower()


def _group(key: str, parts: dict[str, list[int]], number: int, prefix: str, stamp: str) -> Iterator[Entry]:
    """One entry for each picture of a key, or one for its text where it has no picture."""
    images = [suffix for suffix in parts if "." + suffix.rpartition(".")[2] in IMAGE_SUFFIXES]
    text = next((parts[ending] for ending in TEXT_ENDINGS if ending in parts), None)
    meta = parts.get(".json")
    if not images and text is None and meta is None:
        return
    alone = next((ending for ending in (*TEXT_ENDINGS, ".json") if ending in parts), "")
    for suffix in images or [alone]:
        image = parts[suffix] if suffix in images else None
        name = name_of(f"{prefix}{key}{suffix}")
        yield Entry(name, json.dumps([number, image, text, meta]), f"{stamp}:{(image or text or meta or [0])[0]}")


def _slice(file: IO[bytes], place: Sequence[int], limit: int) -> bytes:
    offset, size = place
    if size > limit:
        raise ItemError("file_too_large", f"{size:,} bytes; allowed are {limit:,}")
    file.seek(offset)
    raw = file.read(size)
    if len(raw) < size:
        raise ItemError("corrupt_file", "the archive breaks off inside this item")
    return raw


def _metadata(file: IO[bytes], place: Sequence[int] | None, limit: int) -> dict[str, Any]:
    if place is None:
        return {}
    raw = _slice(file, place, limit)
    with suppress(ValueError, RecursionError):
        row = json.loads(raw)
        return row if isinstance(row, dict) else {}
    raise ItemError("bad_row", "the item's .json is no JSON")


def _describe(text: bytes | None, meta: dict[str, Any]) -> str | bytes | None:
    name = next((name for name in TEXT_FIELDS if meta.get(name)), None)
    words = text if text is not None else as_text(meta[name]) if name else None
    return with_rating(words, meta.get("rating"))


def _open(uri: str) -> IO[bytes]:
    file = files.open_binary(uri)
    if uri.lower().endswith((".tgz", ".gz")):
        unpacked = gzip.GzipFile(fileobj=file)
        unpacked.myfileobj = file  # type: ignore[assignment] # so that closing the one closes the other
        return cast(IO[bytes], unpacked)
    return file
