"""Pictures are decoded ahead of whoever reads them, and never more of them than memory allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass

from character_pipeline.input_loader import ImageOptions
from character_pipeline.input_loader.images import count_pixels
from character_pipeline.processing.decode_pool import Decoded, DecodePool, Readers

PIXELS_AHEAD = 64 * 2**20
"""Pixels that are decoded, or about to be, and not yet read: 192 MiB. A larger picture goes alone."""


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
    readers: Readers
    keep: bool
    future: Future[Decoded] | None = None
    released: bool = False

    @property
    def light(self) -> bool:
        """Whether it holds no pixels in memory any more that count."""
        return self.released or (not self.keep and self.future is not None and self.future.done())


class Decoder:
    """Decodes pictures in the order in which they are added; they are taken and released in the same order.

    How far the pool runs ahead is decided in the one thread that also takes the pictures, by the sizes in their
    headers: none of those who decode ever waits for memory.
    """

    def __init__(self, options: ImageOptions, pool: DecodePool) -> None:
        self.options = options
        self.pool = pool
        self._waiting: deque[Ticket] = deque()
        self._flying: deque[Ticket] = deque()
        self._held = 0

    def add(self, raw: bytes, readers: Readers, keep: bool) -> Ticket:
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
        ticket.future = self.pool.submit(ticket.raw, ticket.readers, ticket.keep)
        self._flying.append(ticket)
        self._held += ticket.pixels

    def take(self, ticket: Ticket) -> Decoded:
        """The decoded picture, when it is ready. Raises ItemError."""
        if ticket.future is None:
            self.advance()
        assert ticket.future is not None, "a picture was taken before those ahead of it were released"
        try:
            found = ticket.future.result()
        except BrokenExecutor:
            found = self.pool.again(ticket.raw, ticket.readers, ticket.keep)
        self.advance()
        return found

    def release(self, tickets: Sequence[Ticket]) -> None:
        """Forget pictures that were taken."""
        for ticket in tickets:
            ticket.released = True
        self.advance()

    def close(self) -> None:
        """Forget the pictures that wait, and those in work."""
        self._waiting.clear()
        self._flying.clear()
