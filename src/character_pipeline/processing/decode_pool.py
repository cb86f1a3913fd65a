"""Who decodes pictures: threads of this process, or processes beside it.

Threads are enough for runs, which have a process a processor anyhow. A service has one process, in which Python's lock
lets only one thread at a time do what Pillow does not; and what strangers send may kill whoever decodes it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from character_pipeline.data import PictureFacts
from character_pipeline.errors import ItemError
from character_pipeline.extractors.base import PictureReader
from character_pipeline.extractors.small_picture import SmallPicture
from character_pipeline.input_loader import ImageOptions, load_image
from character_pipeline.processing.children import start_children, stop_children

if TYPE_CHECKING:
    from PIL import Image

Readers = Mapping[str, PictureReader]
log = logging.getLogger("character_pipeline")


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


class DecodePool(Protocol):
    """Decodes pictures beside whoever asks for them."""

    def submit(self, raw: bytes, readers: Readers, keep: bool) -> Future[Decoded]:
        """Begin with a picture, for some of the readers; `keep`: whether the whole is needed. The answer may be an
        ItemError."""
        ...

    def again(self, raw: bytes, readers: Readers, keep: bool) -> Decoded:
        """A picture whose answer was a BrokenExecutor. Raises ItemError."""
        ...

    def close(self) -> None: ...


class DecodeThreads:
    """A DecodePool of this process."""

    def __init__(self, options: ImageOptions, threads: int = 1) -> None:
        self.options = options
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    def submit(self, raw: bytes, readers: Readers, keep: bool) -> Future[Decoded]:
        return self._pool.submit(decode, raw, self.options, readers, keep)

    def again(self, raw: bytes, readers: Readers, keep: bool) -> Decoded:
        return decode(raw, self.options, readers, keep)

    def close(self) -> None:
        """Wait for the pictures in work, drop the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class DecodeProcesses:
    """A DecodePool of other processes, for many at once. A picture that kills its process costs itself alone.

    The processes start when the first picture comes, and each once more when one of them died.

    Args:
        readers: all that will ever be asked to prepare a picture.
    """

    def __init__(self, options: ImageOptions, readers: Readers, processes: int) -> None:
        self.options = options
        self.readers = dict(readers)
        self.processes = processes
        self._pool: Executor | None = None
        self._changing = threading.Lock()

    def submit(self, raw: bytes, readers: Readers, keep: bool) -> Future[Decoded]:
        with self._changing:
            if self._pool is None:
                self._pool = self._start(self.processes)
            try:
                return self._pool.submit(_decode_here, raw, tuple(readers), keep)
            except BrokenExecutor:
                log.warning("a process that decodes pictures died; others are started")
                stop_children(self._pool)
                self._pool = self._start(self.processes)
                return self._pool.submit(_decode_here, raw, tuple(readers), keep)

    def again(self, raw: bytes, readers: Readers, keep: bool) -> Decoded:
        """By itself, in a process of its own: where it kills that too, it is to blame."""
        pool = self._start(1)
        try:
            return pool.submit(_decode_here, raw, tuple(readers), keep).result()
        except BrokenExecutor as error:
            what = "the process that decoded this picture died (killed, or out of memory)"
            raise ItemError("worker_died", what) from error
        finally:
            stop_children(pool)

    def _start(self, processes: int) -> Executor:
        return start_children(processes, _begin, self.options, self.readers)

    def close(self) -> None:
        with self._changing:
            if self._pool is not None:
                stop_children(self._pool)
                self._pool = None


_own: tuple[ImageOptions, Readers] = ImageOptions(), {}
"""What a process that decodes was started with."""


def _begin(options: ImageOptions, readers: Readers) -> None:
    global _own  # noqa: PLW0603 - the state of a process that decodes
    _own = options, readers


def _decode_here(raw: bytes, keys: tuple[str, ...], keep: bool) -> Decoded:
    options, readers = _own
    return decode(raw, options, {key: readers[key] for key in keys}, keep)


def decode(raw: bytes, options: ImageOptions, readers: Readers, keep: bool) -> Decoded:
    """Decode one picture and let its readers prepare what they need. Raises ItemError."""
    start = time.thread_time()
    picture = load_image(raw, options)
    facts = PictureFacts(picture.width, picture.height, picture.format)
    found = Decoded(facts, picture.image if keep else None)
    small = SmallPicture(picture.image)
    for key, reader in readers.items():
        try:
            if hasattr(reader, "prepare_small"):
                found.prepared[key] = reader.prepare_small(small)
            elif hasattr(reader, "prepare"):
                found.prepared[key] = reader.prepare(picture.image)
        except Exception as error:  # noqa: BLE001 - recorded as a row's problem by who reads
            found.failures[key] = error
    found.seconds = time.thread_time() - start
    return found
