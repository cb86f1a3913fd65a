"""Single items of many callers, gathered into batches for the model; each caller gets its own answer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from character_pipeline.data import CharacterAttributes, Item
from character_pipeline.errors import BusyError

Process = Callable[[str, Sequence[Item]], Sequence[CharacterAttributes]]
"""Describes items with a strategy: one answer an item, in their order."""


@dataclass(slots=True)
class Asked:
    """An item that waits, the strategy that it is to be decided with, and who waits for it."""

    item: Item
    strategy: str
    answer: Future[CharacterAttributes] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)


class Batcher:
    """A thread or two process what any number of threads ask for. The first item of a batch waits for others until the
    batch is full or `wait` seconds are over; what came while all were at work goes at once.

    Args:
        size: items that are processed together.
        most: items that may wait.
        lanes: batches in work at a time; with two, the pictures of one are opened while the model looks at the other's.
    """

    def __init__(self, process: Process, size: int, wait: float, most: int, lanes: int = 1) -> None:
        self.process = process
        self.size = size
        self.wait = wait
        self.most = most
        self._waiting: deque[Asked] = deque()
        self._changed = threading.Condition()
        self._gathering = threading.Lock()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name="batches", daemon=True) for _ in range(lanes)]
        for thread in self._threads:
            thread.start()

    @property
    def depth(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    def submit(self, item: Item, strategy: str) -> Future[CharacterAttributes]:
        """Ask for an item. Raises BusyError where too many wait already, or the batcher is closed."""
        asked = Asked(item, strategy)
        with self._changed:
            if self._closed:
                raise BusyError("the service is shutting down: ask again when it is back")
            if len(self._waiting) >= self.most:
                raise BusyError(f"{self.most} items wait already, as many as serve.queue_size allows: ask again soon")
            self._waiting.append(asked)
            self._changed.notify()
        return asked.answer

    def _work(self) -> None:
        while batch := self._gather():
            for strategy in dict.fromkeys(asked.strategy for asked in batch):
                self._answer(strategy, [asked for asked in batch if asked.strategy == strategy])

    def _gather(self) -> list[Asked]:
        """The next batch; nothing when the batcher is closed."""
        with self._gathering, self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._waiting and not self._closed:
                left = self._waiting[0].since + self.wait - time.monotonic()
                self._changed.wait_for(lambda: len(self._waiting) >= self.size or self._closed, timeout=left)
            return [] if self._closed else [self._waiting.popleft() for _ in range(min(self.size, self.depth))]

    def _answer(self, strategy: str, batch: Sequence[Asked]) -> None:
        wanted = [asked for asked in batch if asked.answer.set_running_or_notify_cancel()]
        if wanted:
            self._describe(strategy, wanted)

    def _describe(self, strategy: str, batch: Sequence[Asked]) -> None:
        """Answer all; where they fail together, each by itself, so that nobody gets the error of another."""
        try:
            found = self.process(strategy, [asked.item for asked in batch])
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            if len(batch) > 1:
                for asked in batch:
                    self._describe(strategy, [asked])
            else:
                batch[0].answer.set_exception(error)
            return
        for asked, answer in zip(batch, found, strict=True):
            asked.answer.set_result(answer)

    def close(self) -> None:
        """Finish the batch in work; whoever still waits is told that the service is shutting down."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for asked in self._waiting:
            if asked.answer.set_running_or_notify_cancel():
                asked.answer.set_exception(BusyError("the service is shutting down: ask again when it is back"))
        self._waiting.clear()
