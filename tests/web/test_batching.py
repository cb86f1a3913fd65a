from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from character_pipeline import CharacterAttributes, Item
from character_pipeline.errors import BusyError
from character_pipeline.web.batching import Batcher


class Describer:
    """Answers with the item's own id; fails on the item "bad", and can be held."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[str]]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, strategy: str, items: Sequence[Item]) -> list[CharacterAttributes]:
        self.go.wait(10)
        names = [item.item_id for item in items]
        self.batches.append((strategy, names))
        if "bad" in names:
            raise RuntimeError("this item is bad")
        return [CharacterAttributes({}, item_id=name) for name in names]


def held_batcher(describe: Describer, size: int = 4, most: int = 100) -> tuple[Batcher, Future[CharacterAttributes]]:
    """A batcher whose thread is busy with a first item until `describe.go` is set."""
    describe.go.clear()
    batcher = Batcher(describe, size, 0.0, most)
    first = batcher.submit(Item("first"), "usual")
    end = time.monotonic() + 10
    while batcher.depth and time.monotonic() < end:
        time.sleep(0.001)
    return batcher, first


def test_everyone_gets_the_own_answer() -> None:
    describe = Describer()
    batcher = Batcher(describe, 8, 0.005, 1000)
    names = [f"item-{number}" for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda name: batcher.submit(Item(name), "usual").result(10).item_id, names))
    batcher.close()
    assert found == names
    assert max(len(batch) for _, batch in describe.batches) > 1


def test_what_waits_goes_together_by_strategy() -> None:
    describe = Describer()
    batcher, first = held_batcher(describe)
    answers = [batcher.submit(Item(str(n)), "odd" if n % 2 else "usual") for n in range(6)]
    describe.go.set()
    assert [answer.result(10).item_id for answer in [first, *answers]] == ["first", *"012345"]
    batcher.close()
    assert describe.batches == [("usual", ["first"]), ("usual", ["0", "2"]), ("odd", ["1", "3"]), ("usual", ["4"]),
                                ("odd", ["5"])]  # fmt: skip


def test_the_first_waits_for_others() -> None:
    describe = Describer()
    batcher = Batcher(describe, 2, 10.0, 100)
    start = time.monotonic()
    answers = [batcher.submit(Item(name), "usual") for name in "ab"]
    assert [answer.result(5).item_id for answer in answers] == ["a", "b"]
    assert time.monotonic() - start < 5
    batcher.close()
    assert describe.batches == [("usual", ["a", "b"])]


def test_an_error_stays_with_its_item() -> None:
    describe = Describer()
    batcher, _ = held_batcher(describe)
    answers = [batcher.submit(Item(name), "usual") for name in ("a", "bad", "b")]
    describe.go.set()
    assert answers[0].result(10).item_id == "a"
    assert answers[2].result(10).item_id == "b"
    with pytest.raises(RuntimeError, match="bad"):
        answers[1].result(10)
    batcher.close()


def test_too_many_are_sent_away_and_those_who_left_are_not_served() -> None:
    describe = Describer()
    batcher, _ = held_batcher(describe, most=2)
    left, stays = (batcher.submit(Item(name), "usual") for name in ("left", "stays"))
    with pytest.raises(BusyError, match="queue_size"):
        batcher.submit(Item("more"), "usual")
    assert left.cancel()
    describe.go.set()
    assert stays.result(10).item_id == "stays"
    assert batcher.submit(Item("later"), "usual").result(10).item_id == "later"
    batcher.close()
    assert "left" not in [name for _, names in describe.batches for name in names]


def test_closing_tells_those_who_wait() -> None:
    describe = Describer()
    batcher, first = held_batcher(describe)
    waiting = batcher.submit(Item("waiting"), "usual")
    threading.Timer(0.05, describe.go.set).start()
    batcher.close()
    assert first.result(10).item_id == "first"
    with pytest.raises(BusyError, match="shutting down"):
        waiting.result(10)
    with pytest.raises(BusyError, match="shutting down"):
        batcher.submit(Item("late"), "usual")
