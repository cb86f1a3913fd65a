"""Where items come from: folders, archives, tables, manifests, single files; local or any fsspec URL."""

from __future__ import annotations

import glob
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item
from character_pipeline.errors import ConfigError
from character_pipeline.input_loader import archive, files, manifest, table
from character_pipeline.input_loader.archive import TarSource
from character_pipeline.input_loader.base import Entry, Source, content_hash
from character_pipeline.input_loader.folder import FolderSource
from character_pipeline.input_loader.images import IMAGE_SUFFIXES, ImageOptions, Picture, load_image
from character_pipeline.input_loader.manifest import ManifestSource
from character_pipeline.input_loader.table import TableSource
from character_pipeline.input_loader.text import name_of

__all__ = ["Entry", "ImageOptions", "Picture", "Source", "content_hash", "load_image", "load_item", "open_source"]

LOOK_AT = 20_000
"""How many files of a folder are looked at to tell what it is."""
MOST_SHARDS = 1_000_000


def open_source(uri: str, config: InputLoaderConfig | None = None) -> Source:
    """The source behind a path, a shard pattern or an fsspec URL.

    Raises ConfigError when nothing is there or its kind is not known.
    """
    config = config or InputLoaderConfig()
    for room in (files, table, manifest):
        room.forget()
    uri = uri if files.is_url(uri) else str(Path(uri).absolute())
    several = expand(uri)
    if len(several) > 1 or several[0] != uri:
        return _tables_or_tars(several, config, "")
    kind = files.kind_of(uri)
    if kind == "missing":
        raise ConfigError(f"there is no such dataset: {uri}. Give a folder, a file, a shard pattern or an fsspec URL")
    return _open_folder(uri.rstrip("/"), config) if kind == "folder" else _open_file(uri, config)


def expand(uri: str) -> tuple[str, ...]:
    """The files of a shard pattern, in order: "train-{000..127}.tar", "train-*.tar"; anything else is itself."""
    span = re.search(r"\{(\d+)\.\.(\d+)\}", uri)
    if span:
        first, last = span[1], span[2]
        names = (
            uri[: span.start()] + str(n).zfill(len(first)) + uri[span.end() :] for n in range(int(first), int(last) + 1)
        )
        return tuple(itertools.islice(names, MOST_SHARDS)) or (uri,)
    if files.is_url(uri) or not re.search(r"[*?]", uri) or Path(uri).exists():
        return (uri,)
    return tuple(sorted(glob.glob(uri))) or (uri,)  # noqa: PTH207


def _open_folder(uri: str, config: InputLoaderConfig) -> Source:
    """A folder of pictures, or of tables, or of archives; pictures and texts win."""
    tables: list[str] = []
    tars: list[str] = []
    for found in itertools.islice(files.walk(uri), LOOK_AT):
        suffix = "." + found.name.rpartition(".")[2].lower()
        path = files.join(uri, files.join(found.folder, found.name))
        if suffix in IMAGE_SUFFIXES or suffix == ".txt":
            return FolderSource(uri, config)
        if suffix in table.SUFFIXES:
            tables.append(path)
        elif suffix in archive.SUFFIXES:
            tars.append(path)
    if tables:
        return TableSource(tuple(sorted(tables)), config, uri)
    return TarSource(tuple(sorted(tars)), config) if tars else FolderSource(uri, config)


def _open_file(uri: str, config: InputLoaderConfig) -> Source:
    suffix = "." + uri.rpartition(".")[2].lower()
    if suffix in IMAGE_SUFFIXES:
        return SingleSource(uri, config)
    if suffix in manifest.SUFFIXES:
        return ManifestSource(uri, config)
    return _tables_or_tars((uri,), config, uri.rpartition("/")[0])


def _tables_or_tars(uris: tuple[str, ...], config: InputLoaderConfig, base: str) -> Source:
    suffix = "." + uris[0].rpartition(".")[2].lower()
    if suffix in table.SUFFIXES:
        return TableSource(uris, config, base)
    if suffix in archive.SUFFIXES or uris[0].lower().endswith(".tar.gz"):
        return TarSource(uris, config)
    known = sorted(IMAGE_SUFFIXES | manifest.SUFFIXES | table.SUFFIXES | archive.SUFFIXES)
    raise ConfigError(f"not a kind of dataset that is known: {uris[0]}. Known endings: {' '.join(known)}")


@dataclass(slots=True)
class SingleSource:
    """One picture, with the text of the same stem beside it."""

    uri: str
    config: InputLoaderConfig
    kind: str = field(default="single", init=False)

    def inventory(self) -> Iterator[Entry]:
        folder, _, name = self.uri.rpartition("/")
        stem = name.rpartition(".")[0]
        sidecar = next((n for n in (f"{name}.txt", f"{stem}.txt") if files.kind_of(f"{folder}/{n}") == "file"), None)
        stamps = [files.stamp_of(f"{folder}/{n}") for n in (name, sidecar) if n is not None]
        yield Entry(name_of(name), json.dumps({"image": name, "text": sidecar}), "|".join(stamps))

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        return FolderSource(self.uri.rpartition("/")[0] or "/", self.config).read(entries)


def load_item(path: str, config: InputLoaderConfig | None = None) -> Item:
    """One picture with its sidecar, or one text file as a whole, as an item."""
    uri = str(Path(path).absolute())
    source = SingleSource(uri, config or InputLoaderConfig())
    entries = list(source.inventory())
    if Path(uri).suffix.lower() not in IMAGE_SUFFIXES:
        name = uri.rpartition("/")[2]
        entries = [Entry(name_of(name), json.dumps({"image": None, "text": name}), "")]
    return next(source.read(entries))
