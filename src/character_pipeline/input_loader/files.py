"""Local files and fsspec URLs behind the few verbs that the sources need."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from character_pipeline.errors import ConfigError, ItemError
from character_pipeline.input_loader.images import os_problem
from character_pipeline.input_loader.text import encoding_of


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A directory entry: `folder` and `name` may hold surrogates for bytes that are not valid Unicode."""

    folder: str
    name: str
    size: int
    changed: int
    problem: str | None = None
    lost: bool = False
    """A folder that could not be listed."""


def is_url(uri: str) -> bool:
    return "://" in uri or "::" in uri


def join(folder: str, name: str) -> str:
    """A path below a folder. Of a chained URL (zip://inside::/some.zip) the first part is the path."""
    first, chained, rest = folder.partition("::")
    if chained and "://" in first:
        return join(first, name) + chained + rest
    return f"{folder}{'' if folder.endswith('://') else '/'}{name}" if folder else name


def walk(root: str) -> Iterator[FoundFile]:
    """Every file below a folder, streamed; paths are relative to it. Links to folders are followed once."""
    return _walk_remote(root) if is_url(root) else _walk_local(root)


def _walk_local(root: str) -> Iterator[FoundFile]:
    waiting = [""]
    seen: set[tuple[int, int]] = set()
    while waiting:
        folder = waiting.pop()
        path = join(root, folder) if folder else root
        try:
            place = os.stat(path)  # noqa: PTH116
            if (place.st_dev, place.st_ino) in seen:
                continue
            seen.add((place.st_dev, place.st_ino))
            with os.scandir(path) as entries:
                for entry in entries:
                    found = _inspect(folder, entry)
                    if found.problem == "not_a_file" and entry.is_dir():
                        waiting.append(join(folder, entry.name))
                    yield found
        except OSError as error:
            parent, _, name = folder.rpartition("/")
            yield FoundFile(parent, name or ".", 0, 0, os_problem(error, name).kind, lost=True)


def _inspect(folder: str, entry: os.DirEntry[str]) -> FoundFile:
    try:
        found = entry.stat()
    except OSError as error:
        return FoundFile(folder, entry.name, 0, 0, os_problem(error, entry.name).kind)
    problem = None if stat.S_ISREG(found.st_mode) else "not_a_file"
    return FoundFile(folder, entry.name, found.st_size, found.st_mtime_ns, problem)


def _walk_remote(root: str) -> Iterator[FoundFile]:
    system, base = _filesystem(root)
    for folder, _, files in system.walk(base, detail=True):
        inside = folder.removeprefix(base.rstrip("/")).strip("/")
        for name, info in files.items():
            yield FoundFile(inside, name, int(info.get("size") or 0), _change_of(info))


CHANGE_MARKS = ("mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "md5Hash", "CRC", "created")
"""Where the systems behind URLs say when a file changed, or what is in it."""


def _change_of(info: Mapping[str, Any]) -> int:
    """A number that is the same for an unchanged file in every process."""
    return crc32("|".join(f"{info[name]}" for name in CHANGE_MARKS if info.get(name)).encode())


def _filesystem(uri: str) -> tuple[Any, str]:
    import fsspec.core

    first, chained, rest = uri.partition("::")
    protocol, inside, path = first.partition("://")
    try:
        if chained and inside:
            return _archive(f"{protocol}://::{rest}"), path
        system, base = fsspec.core.url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"this address cannot be opened: {uri}: {error}") from error
    return system, str(base)


@lru_cache(maxsize=8)
def _archive(uri: str) -> Any:
    """The inside of an archive; kept, for it is closed with the last reference to it."""
    import fsspec.core

    return fsspec.core.url_to_fs(uri, skip_instance_cache=True)[0]


def forget() -> None:
    """Keep nothing of archives that were opened: they may be other ones by now."""
    _archive.cache_clear()


def kind_of(uri: str) -> str:
    """ "folder", "file" or "missing"."""
    if is_url(uri):
        system, base = _filesystem(uri)
        return "folder" if system.isdir(base) else "file" if system.exists(base) else "missing"
    path = Path(uri)
    return "folder" if path.is_dir() else "file" if path.exists() else "missing"


def open_binary(uri: str) -> IO[bytes]:
    """A seekable file. Raises ItemError with the kind of what went wrong."""
    with _typed(uri):
        if is_url(uri):
            system, base = _filesystem(uri)
            file: IO[bytes] = system.open(base, "rb")
            return file
        if not stat.S_ISREG(os.stat(uri).st_mode):  # noqa: PTH116
            raise ItemError("not_a_file", f"not a plain file: {Path(uri).name!r}")
        return open(uri, "rb")  # noqa: PTH123


@contextmanager
def _typed(uri: str) -> Iterator[None]:
    """Turns what goes wrong with a file into an ItemError: a path in a data set may be anything."""
    try:
        yield
    except ItemError:
        raise
    except OSError as error:
        raise os_problem(error, uri.rpartition("/")[2]) from error
    except ConfigError as error:
        raise ItemError("bad_row", str(error)) from error
    except Exception as error:
        # A local path that is none (surrogates) raises ValueError; the systems behind URLs raise types of their own.
        kind = "io_error" if is_url(uri) else "not_found"
        raise ItemError(kind, f"{type(error).__name__}: {error}"[:300]) from error


def read_bytes(uri: str, limit: int) -> bytes:
    """The bytes of a file. Raises ItemError, of kind file_too_large when there are more than `limit`."""
    with open_binary(uri) as file, _typed(uri):
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise ItemError("file_too_large", f"more than {limit:,} bytes")
    return raw


def open_utf8(uri: str) -> IO[bytes]:
    """A text file as UTF-8 bytes without a byte order mark, seekable; UTF-16 is transcoded in memory."""
    file = open_binary(uri)
    encoding = encoding_of(file.read(4))
    file.seek(0)
    if encoding in {"utf-8", "utf-8-sig"}:
        return file  # the mark stays: offsets are those of the file, and readers strip it from the first line
    with file:
        return io.BytesIO(file.read().decode(encoding, "replace").encode())


def stamp_of(uri: str) -> str:
    """Size and time of change of a file, as text."""
    if is_url(uri):
        system, base = _filesystem(uri)
        info = system.info(base)
        return f"{info.get('size')}:{_change_of(info)}"
    found = os.stat(uri)  # noqa: PTH116
    return f"{found.st_size}:{found.st_mtime_ns}"
