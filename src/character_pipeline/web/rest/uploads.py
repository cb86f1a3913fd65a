"""Uploaded files as items: pictures with the texts of the same stem, also out of zip archives, of which nothing is ever
unpacked. Names are only names: they become ids, never paths."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, NamedTuple

from character_pipeline.config import PipelineConfig
from character_pipeline.errors import ConfigError
from character_pipeline.input_loader.text import decode_text
from character_pipeline.web.archives import count_members
from character_pipeline.web.rest.problems import shorten
from character_pipeline.web.spool import Sent

UNPACKED = 16
"""How many times as large as a request all that comes out of it may be."""
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
"""What zipfile raises for archives that are damaged, encrypted, or packed in a way that it does not know."""

Read = Callable[[int], bytes]
"""Reads a file, at most so many bytes."""


class Upload(NamedTuple):
    """A file under the name that somebody gave it."""

    name: str
    file: IO[bytes]


class Limits:
    """What may still come out of a request."""

    def __init__(self, config: PipelineConfig) -> None:
        loader, serve = config.input_loader, config.serve
        self.picture, self.text = loader.max_file_bytes, loader.max_text_bytes
        self.left = UNPACKED * serve.max_body_bytes
        self.members = 2 * serve.max_batch_items

    def take(self, name: str, read: Read, most: int) -> bytes:
        """A file that is not larger than `most`; of a larger one, as much as shows that it is."""
        raw = read(min(most, self.left) + 1)
        self.left -= len(raw)
        if self.left < 0:
            raise ConfigError(f"too much comes out of this request, at {shorten(name)}: send less at a time")
        return raw


def read_uploads(uploads: Iterable[Upload], config: PipelineConfig) -> Iterator[Sent]:
    """The items of some files. Raises ConfigError for an archive that cannot be read, and for too much."""
    limits = Limits(config)
    names = Names()
    for upload in uploads:
        if upload.name.lower().endswith(".zip"):
            yield from _read_zip(upload, limits)
        else:
            names.keep(upload.name, upload.file.read)
    yield from _pair(names.files, limits)


class Names:
    """Files by their names; where a name is taken, it gets a number before its ending."""

    def __init__(self) -> None:
        self.files: dict[str, Read] = {}
        self._last: dict[str, int] = {}

    def keep(self, name: str, read: Read) -> None:
        free, stem = name, _stem(name)
        while free in self.files:
            self._last[name] = self._last.get(name, 1) + 1
            free = f"{stem}#{self._last[name]}{name[len(stem) :]}"
        self.files[free] = read


def _read_zip(upload: Upload, limits: Limits) -> Iterator[Sent]:
    try:
        if count_members(upload.file) > limits.members:
            raise ConfigError(f"{shorten(upload.name)} has too many files: send less at a time")
        with zipfile.ZipFile(upload.file) as archive:
            names = Names()
            for member in archive.infolist():
                if not member.is_dir():
                    names.keep(member.filename, _reader(archive, member))
            yield from _pair(names.files, limits)
    except UNREADABLE as error:
        raise ConfigError(f"the archive {shorten(upload.name)} cannot be read: {shorten(str(error))}") from error


def _reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Read:
    def read(most: int) -> bytes:
        with archive.open(member) as file:
            return file.read(most)

    return read


def _pair(files: Mapping[str, Read], limits: Limits) -> Iterator[Sent]:
    """Pictures with their texts, as in a folder; then the texts that belong to no picture."""
    texts = {name for name in files if name.lower().endswith(".txt")}
    used: set[str] = set()
    for name in files:
        if name in texts:
            continue
        beside = next((text for text in (f"{name}.txt", f"{_stem(name)}.txt") if text in texts), None)
        image = limits.take(name, files[name], limits.picture)
        yield Sent(name, _text(beside, files, limits), image)
        used |= {beside} if beside else set()
    for name in sorted(texts - used):
        yield Sent(name, _text(name, files, limits), None)


def _text(name: str | None, files: Mapping[str, Read], limits: Limits) -> str | None:
    return None if name is None else decode_text(limits.take(name, files[name], limits.text))[0]


def _stem(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    stem, dot, _ = base.rpartition(".")
    return folder + slash + (stem if dot else base)
