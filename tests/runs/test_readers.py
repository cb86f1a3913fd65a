"""Runs and their readers: what they are told, how they are introduced, what the report says of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from character_pipeline.cli.report import picture_lines, textless_text
from character_pipeline.models.machine import count_cores, memory_bytes
from character_pipeline.runs.local import count_workers
from character_pipeline.testing import FakeLooker, FakeReader
from tests.runs.test_pictures import open_pipeline


class OnDevice(FakeReader):
    exclusive = True


class Heavy(FakeReader):
    weight = memory_bytes() // 5


class TooHeavy(FakeReader):
    weight = memory_bytes()


@pytest.mark.parametrize(
    ("asked", "items", "readers", "wanted"),
    [
        (0, 100, [], 1),
        (0, 100, [FakeReader()], 1),
        (0, 5_000, [], 1),
        (0, 5_000, [FakeReader()], count_cores()),
        (0, 5_000, [Heavy()], 1),
        (3, 100, [OnDevice()], 3),
        (0, 1_000_000, [FakeReader()], count_cores()),
        (0, 1_000_000, [FakeReader(), OnDevice()], 1),
        (0, 1_000_000, [Heavy(), FakeReader()], 1),
        (0, 1_000_000, [TooHeavy()], 1),
        (2, 1_000_000, [TooHeavy()], 2),
    ],
)
def test_as_many_workers_as_processors_where_devices_and_memory_allow(
    asked: int, items: int, readers: list[FakeReader], wanted: int
) -> None:
    assert count_workers(asked, items, readers) == wanted


class Threaded(FakeReader):
    threads = 0

    def describe(self) -> str:
        return f"{self.threads} threads"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reader_is_told_its_share_of_the_processors(folder: Path, workers: int) -> None:
    with open_pipeline(folder.parent, FakeLooker(Threaded()), run={"workers": workers}) as pipeline:
        spoke = pipeline.run(folder, limit=5).speakers
    assert spoke == {"fake_reader/1": f"{max(1, count_cores() // workers)} threads"}


class Introducing(FakeReader):
    """Notes in which process it was introduced."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self.log = log

    def introduce(self) -> None:
        with self.log.open("a") as file:
            file.write(f"{os.getpid()}\n")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reader_is_introduced_once_and_here(folder: Path, workers: int) -> None:
    log = folder.parent / "log"
    run = {"workers": workers, "shard_size": 4}
    with open_pipeline(folder.parent, FakeLooker(Introducing(log)), run=run) as pipeline:
        pipeline.run(folder)
    assert log.read_text() == f"{os.getpid()}\n"


def test_a_reader_that_read_nothing_is_not_introduced(folder: Path) -> None:
    log = folder.parent / "log"
    with open_pipeline(folder.parent, FakeLooker(Introducing(log))) as pipeline:
        pipeline.extract_from_text("girl, glasses")
        assert not log.exists()
        pipeline.extract_from_image(folder / "00.png")
    assert log.read_text() == f"{os.getpid()}\n"


def test_the_report_says_what_the_pictures_added(folder: Path) -> None:
    with open_pipeline(folder.parent) as pipeline:
        first, second = pipeline.run(folder), pipeline.run(folder)
    pictures, values = picture_lines(first)
    assert pictures.startswith("pictures: 23 read (")
    assert pictures.endswith("/s), 1 taken from the cache; by fake reader on paper")
    said, seen = first.counts["text_values"], first.counts["picture_values"]
    assert values == f"values: {said} that texts say, {seen} that only pictures say"
    assert textless_text(first) == "10; described from the picture alone"
    assert (picture_lines(second), textless_text(second)) == ([], "")
