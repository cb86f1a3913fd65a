from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from PIL import Image

from character_pipeline import Item
from character_pipeline.data import Processed
from character_pipeline.errors import ItemError
from character_pipeline.extractors.color_regions import RegionReader
from character_pipeline.extractors.picture_quality import QualityReader
from character_pipeline.input_loader import ImageOptions
from character_pipeline.input_loader.base import content_hash
from character_pipeline.processing import process_items
from character_pipeline.processing.decode_pool import DecodeProcesses, DecodeThreads
from character_pipeline.testing import FakeLooker, FakeReader
from tests.conftest import picture_bytes
from tests.processing.test_flow import hair, make_stages, picture_item

DEADLY = (13, 13)
READERS = {reader.key: reader for reader in (RegionReader(), QualityReader())}


class Fragile(FakeReader):
    """Kills the process in which it prepares a picture of the size DEADLY."""

    def prepare(self, picture: Image.Image) -> Image.Image:
        if picture.size == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        return picture.resize((1, 1), Image.Resampling.BOX)


FRAGILE = make_stages(FakeLooker(Fragile()))


@pytest.fixture(scope="module")
def processes() -> Iterator[DecodeProcesses]:
    pool = DecodeProcesses(ImageOptions(), FRAGILE.readers | READERS, 2)
    yield pool
    pool.close()


def test_processes_find_what_threads_find(processes: DecodeProcesses) -> None:
    threads = DecodeThreads(ImageOptions())
    for raw in (picture_bytes("JPEG", (300, 200)), picture_bytes(color="red", size=(40, 50))):
        for keep in (True, False):
            one, other = (pool.submit(raw, READERS, keep).result() for pool in (threads, processes))
            assert one.facts == other.facts
            assert (one.whole is None, other.whole is None) == (not keep, not keep)
            assert one.prepared.keys() == READERS.keys()
            assert all((one.prepared[key] == other.prepared[key]).all() for key in READERS)
    threads.close()


def test_what_is_no_picture_has_the_same_error(processes: DecodeProcesses) -> None:
    whole = picture_bytes("JPEG", (300, 200))
    for raw in (b"no picture", whole[: len(whole) // 2]):
        with pytest.raises(ItemError) as found:
            processes.submit(raw, READERS, False).result()
        with pytest.raises(ItemError) as expected:
            DecodeThreads(ImageOptions()).again(raw, READERS, False)
        assert (found.value.kind, str(found.value)) == (expected.value.kind, str(expected.value))


def test_a_picture_that_kills_costs_itself_alone(processes: DecodeProcesses) -> None:
    def run(names: str) -> list[Processed]:
        items = [picture_item(name, "red", size=DEADLY if name == "x" else (9, 9)) for name in names]
        return list(process_items(items, FRAGILE, pool=processes))

    done = run("abxcxd")
    assert [hair(one) for one in done] == ["Red", "Red", None, "Red", None, "Red"]
    kinds = [[problem.kind for problem in one.result.attributes.errors] for one in done]
    assert kinds == [[], [], ["worker_died"], [], ["worker_died"], []]
    assert [hair(one) for one in run("ef")] == ["Red", "Red"]


def test_no_more_than_memory_allows_waits_decoded(processes: DecodeProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("character_pipeline.processing.decoding.PIXELS_AHEAD", 100)
    items = [Item(str(n), None, raw, content_hash(raw, None)) for n in range(5) for raw in [picture_bytes(size=(9, 9))]]
    assert len(list(process_items(items, FRAGILE, pool=processes))) == len(items)
