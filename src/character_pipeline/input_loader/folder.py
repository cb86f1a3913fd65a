"""A folder of pictures with sidecar texts of the same stem."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from os import fsdecode, fsencode
from typing import Any

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item, Problem
from character_pipeline.errors import ItemError
from character_pipeline.input_loader import files
from character_pipeline.input_loader.base import Entry, ItemBuilder, failed_item
from character_pipeline.input_loader.images import IMAGE_SUFFIXES
from character_pipeline.input_loader.text import name_of

# The pairing is done by SQLite in a temporary file, so that a flat folder of millions costs no memory.
TABLES = """
PRAGMA cache_size = -65536;
CREATE TABLE images(folder BLOB, name BLOB, stem BLOB, stamp TEXT, problem TEXT, lost INTEGER);
CREATE TABLE texts(folder BLOB, stem BLOB, name BLOB, stamp TEXT, problem TEXT);
"""
INDEXES = """
CREATE INDEX texts_stem ON texts(folder, stem);
CREATE INDEX images_stem ON images(folder, stem);
CREATE INDEX images_name ON images(folder, name);
"""
PAIRS = """
SELECT i.folder, i.name, i.stamp, i.problem, i.lost, t.name, t.stamp
FROM images i LEFT JOIN texts t ON t.rowid = coalesce(
    (SELECT min(s.rowid) FROM texts s WHERE s.folder = i.folder AND s.stem = i.name),
    (SELECT min(s.rowid) FROM texts s WHERE s.folder = i.folder AND s.stem = i.stem))
UNION ALL
SELECT t.folder, NULL, t.stamp, t.problem, 0, t.name, t.stamp FROM texts t
WHERE NOT EXISTS (SELECT 1 FROM images i WHERE i.folder = t.folder AND i.stem = t.stem)
  AND NOT EXISTS (SELECT 1 FROM images i WHERE i.folder = t.folder AND i.name = t.stem)
ORDER BY 1, 2, 6
"""


@dataclass(slots=True)
class FolderSource:
    """Items are the pictures, each with the text of the same stem, and the texts that belong to no picture."""

    uri: str
    config: InputLoaderConfig
    kind: str = field(default="folder", init=False)

    def inventory(self) -> Iterator[Entry]:
        with sqlite3.connect("") as listing:
            listing.executescript(TABLES)
            self._list(listing)
            listing.executescript(INDEXES)
            for row in listing.execute(PAIRS):
                yield _entry(*row)
        listing.close()

    def _list(self, listing: sqlite3.Connection) -> None:
        for found in files.walk(self.uri):
            stem, dot, ending = found.name.rpartition(".")
            suffix = (dot + ending).lower()
            stamp = f"{found.size}:{found.changed}"
            place = (fsencode(found.folder), fsencode(stem), fsencode(found.name))
            if suffix in IMAGE_SUFFIXES or found.lost:
                row = (place[0], place[2], place[1], stamp, found.problem, found.lost)
                listing.execute("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?)", row)
            elif suffix == ".txt":
                listing.execute("INSERT INTO texts VALUES (?, ?, ?, ?, ?)", (*place, stamp, found.problem))

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        for entry in entries:
            if entry.problem is not None and entry.problem.stage != "image":
                yield failed_item(entry)
                continue
            place = json.loads(entry.locator)
            builder = ItemBuilder(entry.key, self.config.max_text_bytes, entry.known)
            if entry.problem is not None:
                builder.problems = (entry.problem,)
            elif place["image"] is not None and not entry.known:
                self._read_image(builder, place["image"])
            if place["text"] is not None:
                self._read_text(builder, place["text"])
            yield builder.build()

    def _read_image(self, builder: ItemBuilder, path: str) -> None:
        try:
            builder.image = files.read_bytes(files.join(self.uri, path), self.config.max_file_bytes)
        except ItemError as error:
            builder.fail("image", error)

    def _read_text(self, builder: ItemBuilder, path: str) -> None:
        try:
            builder.add_text(files.read_bytes(files.join(self.uri, path), self.config.max_text_bytes))
        except ItemError as error:
            kind = "text_too_large" if error.kind == "file_too_large" else error.kind
            builder.fail("text", ItemError(kind, f"{name_of(path)}: {error}"))


def _entry(  # noqa: PLR0913, PLR0917 - the columns of PAIRS
    folder: bytes, image: bytes | None, stamp: str, problem: str | None, lost: int, text: bytes | None, mark: Any
) -> Entry:
    inside = fsdecode(folder)
    image_path = None if image is None else files.join(inside, fsdecode(image))
    text_path = None if text is None else files.join(inside, fsdecode(text))
    key = name_of(image_path or text_path or "")
    locator = json.dumps({"image": image_path, "text": text_path})
    stage = "text" if image is None else "image"
    wrong = None if problem is None else Problem(stage, problem, f"{key}: {PROBLEM_WORDS.get(problem, problem)}")
    return Entry(key, locator, f"{stamp}|{mark or ''}", wrong, part=bool(lost))


PROBLEM_WORDS = {
    "not_a_file": "not a plain file",
    "not_found": "a link that points nowhere",
    "permission_denied": "may not be read",
    "io_error": "cannot be inspected",
}
