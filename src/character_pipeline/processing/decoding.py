"""Pictures are decoded in threads, ahead of whoever reads them, and never more of them than memory allows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from character_pipeline.data import PictureFacts
from character_pipeline.extractors.base import PictureReader
from character_pipeline.extractors.small_picture import SmallPicture
from character_pipeline.input_loader import ImageOptions, load_image
from character_pipeline.input_loader.images import count_pixels

if TYPE_CHECKING:
    from PIL import Image

PIXELS_AHEAD = 64 * 2**20
"""Pixels that are decoded, or about to be, and not yet read: 192 MiB. A larger picture goes alone."""


@dataclass(slots=True)
class Decoded:
    """A picture for its readers: what each prepared by itself, or why it could not, and the whole where it is needed.

    Attributes:
        seconds: of a processor that it took.
    """

    facts: PictureFacts
    whole: Image.Image | None
    prepared: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(slots=True)
class Ticket:
    """A picture that is on its way.

    Attributes:
        readers: those that shall read it, by their key.
        keep: whether the whole picture is needed.
        released: whether it was forgotten.
    """

    raw: bytes
    pixels: int
    readers: Mapping[str, PictureReader]
    keep: bool
    future: Future[Decoded] | None = None
    released: bool = False

    @property
    def light(self) -> bool:
        """Whether it holds no pixels in memory any more that count."""
        return self.released or (not self.keep and self.future is not None and self.future.done())


class Decoder:
    """Decodes pictures in the order in which they are added; they are taken and released in the same order.

    Threads are enough, for Pillow lets other threads run while it decodes. How far they run ahead is decided in the
    one thread that also takes the pictures, by the sizes in their headers: no thread ever waits for memory.
    """

    def __init__(self, options: ImageOptions, threads: int = 1) -> None:
        self.options = options
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Ticket] = deque()
        self._flying: deque[Ticket] = deque()
        self._held = 0

    def add(self, raw: bytes, readers: Mapping[str, PictureReader], keep: bool) -> Ticket:
        """Have a picture decoded as soon as there is room. Raises ItemError where its header says that it is none."""
        whole = keep or any(not hasattr(reader, "prepare") for reader in readers.values())
        ticket = Ticket(raw, count_pixels(raw, self.options), readers, whole)
        self._waiting.append(ticket)
        self.advance()
        return ticket

    def advance(self) -> None:
        """Begin with whatever there is room for by now."""
        # From the front only: they become light nearly in this order, and looking at all of them takes long.
        while self._flying and self._flying[0].light:
            self._held -= self._flying.popleft().pixels
        while self._waiting and (not self._flying or self._held + self._waiting[0].pixels <= PIXELS_AHEAD):
            self._begin(self._waiting.popleft())

    def _begin(self, ticket: Ticket) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="decode")
        ticket.future = self._pool.submit(decode, ticket, self.options)
        self._flying.append(ticket)
        self._held += ticket.pixels

    def take(self, ticket: Ticket) -> Decoded:
        """The decoded picture, when it is ready. Raises ItemError."""
        if ticket.future is None:
            self.advance()
        assert ticket.future is not None, "a picture was taken before those ahead of it were released"
        found = ticket.future.result()
        self.advance()
        return found

    def release(self, tickets: Sequence[Ticket]) -> None:
        """Forget pictures that were taken."""
        for ticket in tickets:
            ticket.released = True
        self.advance()

    def close(self) -> None:
        """Wait for the pictures in work, drop the rest."""
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def decode(ticket: Ticket, options: ImageOptions) -> Decoded:
    """Decode one picture and let its readers prepare what they need. Raises ItemError."""
    start = time.thread_time()
    picture = load_image(ticket.raw, options)
    facts = PictureFacts(picture.width, picture.height, picture.format)
    found = Decoded(facts, picture.image if ticket.keep else None)
    small = SmallPicture(picture.image)
    for key, reader in ticket.readers.items():
        try:
            if hasattr(reader, "prepare_small"):
                found.prepared[key] = reader.prepare_small(small)
            elif hasattr(reader, "prepare"):
                found.prepared[key] = reader.prepare(picture.image)
        except Exception as error:  # noqa: BLE001 - recorded as a row's problem by who reads
            found.failures[key] = error
    found.seconds = time.thread_time() - start
    return found
