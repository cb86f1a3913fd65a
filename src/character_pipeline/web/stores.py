"""Connections to the store for many threads: any number that read, and one that writes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from character_pipeline.database.store import Store
from character_pipeline.errors import StoreError
from character_pipeline.vocabulary import Vocabulary

MOST_IDLE = 8
"""Connections that are kept for the next who reads."""


class Stores:
    """The store of a service. What is being written by a run is seen when it is committed."""

    def __init__(self, address: str, vocabulary: Vocabulary) -> None:
        self.address = address
        self.vocabulary = vocabulary
        self._idle: list[Store] = []
        self._writer: Store | None = None
        self._lock = threading.RLock()

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """A store for one thread at a time. Raises StoreError where it cannot be opened."""
        try:
            store = self._idle.pop()
        except IndexError:
            store = Store(self.address, self.vocabulary, writable=False)
        try:
            yield store
        except (StoreError, sqlite3.Error):
            store.close()
            self._close_idle()  # a server that went away took them along
            raise
        except BaseException:
            self._keep(store)
            raise
        self._keep(store)

    def _keep(self, store: Store) -> None:
        if len(self._idle) < MOST_IDLE:
            self._idle.append(store)
        else:
            store.close()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """The one store that writes beside runs; others wait for it. Raises StoreError where it cannot be opened."""
        with self._lock:
            if self._writer is None:
                self._writer = Store(self.address, self.vocabulary)
            try:
                yield self._writer
            except (StoreError, sqlite3.Error):
                self._writer.close()
                self._writer = None
                raise

    def close(self) -> None:
        with self._lock:
            self._close_idle()
            if self._writer is not None:
                self._writer.close()
            self._writer = None
