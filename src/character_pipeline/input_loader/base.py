"""What every source of items offers: an inventory of its entries, and the items of some of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from character_pipeline.data import Item, Problem
from character_pipeline.errors import ItemError
from character_pipeline.input_loader.images import os_problem
from character_pipeline.input_loader.text import clean_text, decode_text


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an inventory.

    Attributes:
        key: the item's id within its source.
        locator: what the source needs to read the item again; any text.
        stamp: differs when the item's bytes differ.
        problem: what is already known to be wrong with it.
        known: the content hash of a picture that has not changed and need not be read again.
        part: stands for a part of the source that could not be listed: a folder, an archive, a table.
    """

    key: str
    locator: str
    stamp: str
    problem: Problem | None = None
    known: str = ""
    part: bool = False


class Source(Protocol):
    """A folder, archive, table or manifest. Holds no open files, so that it can be sent to another process."""

    kind: str

    def inventory(self) -> Iterator[Entry]:
        """All entries, in an order that is fixed for unchanged data; memory does not grow with their number."""
        ...

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        """The item of each entry, in their order. What cannot be read is an item with a problem."""
        ...


@dataclass(slots=True)
class ItemBuilder:
    """Collects the parts of one item; a part that cannot be read becomes a problem of the item."""

    key: str
    max_text_bytes: int
    known: str = ""
    text: str | None = None
    image: bytes | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def fail(self, stage: str, error: ItemError) -> None:
        self.problems = (*self.problems, Problem(stage, error.kind, clean_text(str(error))))

    def add_text(self, raw: bytes | str | None) -> None:
        if raw is None:
            return
        size = len(raw)
        if size > self.max_text_bytes:
            message = f"the text has {size:,} bytes; allowed are {self.max_text_bytes:,}"
            self.fail("text", ItemError("text_too_large", message))
        elif isinstance(raw, bytes):
            self.text, self.notes = decode_text(raw)
        else:
            self.text = clean_text(raw)

    def build(self) -> Item:
        digest = self.known or content_hash(self.image, self.text)
        return Item(self.key, self.text, self.image, digest, self.problems, self.notes)


def content_hash(image: bytes | None, text: str | None) -> str:
    """The SHA-256 that names the content in the cache: of the picture's bytes, or of the text where there is none."""
    raw = image if image is not None else (text or "").encode()
    return hashlib.sha256(raw).hexdigest()


def unlisted_part(key: str, what: str, error: Exception) -> Entry:
    """The entry of an archive or table that cannot be listed, or not to its end."""
    kind = "corrupt_file"
    if isinstance(error, ItemError):
        kind = error.kind
    elif isinstance(error, OSError) and error.errno is not None:  # libraries raise OSError without one for bad data
        kind = os_problem(error, key).kind
    return Entry(f"{key}#unreadable", "", "", Problem("read", kind, clean_text(f"{what}: {error}")), part=True)


def failed_item(entry: Entry) -> Item:
    """The item of an entry that is known to be wrong."""
    assert entry.problem is not None
    return Item(entry.key, problems=(entry.problem,))
