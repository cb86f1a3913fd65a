from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from character_pipeline import Evidence, Item
from character_pipeline.config import PipelineConfig, RunConfig
from character_pipeline.data import PictureFacts, Processed
from character_pipeline.errors import MissingExtraError
from character_pipeline.extractors.base import Need, PipelineStage
from character_pipeline.input_loader import load_image
from character_pipeline.input_loader.base import content_hash
from character_pipeline.processing import Meter, Stages, decode_pool, decoding, flow, process_items
from character_pipeline.testing import FakeExtractor, FakeLooker, FakeReader
from character_pipeline.vocabulary import load_vocabulary
from tests.conftest import WORDS, picture_bytes

VOCABULARY = load_vocabulary()
COLORS = ["red", "lime", "blue"]
SAFETY = {"kid": ("safety", "minor"), "adult_content": ("safety", "sexual")}


def make_stages(*stages: PipelineStage, batch_size: int = 4) -> Stages:
    return Stages(PipelineConfig(run=RunConfig(batch_size=batch_size)), VOCABULARY, stages)


def picture_item(name: str, color: object, text: str | None = None, size: tuple[int, int] = (8, 6)) -> Item:
    raw = picture_bytes(color=color, size=size)
    return Item(name, text, raw, content_hash(raw, text))


def hair(done: Processed) -> str | None:
    return done.result.attributes.attributes["Hair Color"].value


class Preparing(FakeReader):
    """Needs only a small part of a picture."""

    def prepare(self, picture: Image.Image) -> Image.Image:
        return picture.resize((1, 1), Image.Resampling.BOX)


class Counting(FakeReader):
    """Knows how many pictures it was given at once."""

    at_once = 3

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        self.given.append(len(pictures))
        return super().read(pictures)


ITEMS = st.lists(
    st.tuples(
        st.sampled_from([*COLORS, "white", "", "broken", "black"]),
        st.sampled_from([None, "girl", "hat, girl", "kid, adult_content"]),
    ),
    max_size=12,
)


def build(parts: Sequence[tuple[str, str | None]]) -> list[Item]:
    items = [picture_item(f"{n}", color or "red", text) for n, (color, text) in enumerate(parts) if color != "broken"]
    items += [Item("b", text, b"GIF89a broken", "00") for color, text in parts if color == "broken"]
    return items + [Item("t", text, content_hash="11") for color, text in parts if not color]


@settings(max_examples=40, deadline=None)
@given(ITEMS, st.integers(1, 9), st.integers(1, 3), st.integers(100, 10_000), st.booleans())
def test_results_depend_neither_on_batches_nor_on_threads_nor_on_memory(
    parts: list[tuple[str, str | None]], batch_size: int, threads: int, pixels: int, prepare: bool
) -> None:
    reader = Preparing(fail_on=2) if prepare else FakeReader(fail_on=2)
    chosen: list[PipelineStage] = [FakeExtractor(WORDS | SAFETY), FakeLooker(reader)]
    items = build(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "PIXELS_AHEAD", pixels)
        cut = list(process_items(items, make_stages(*chosen, batch_size=batch_size), threads=threads))
    alone = [next(process_items([item], make_stages(*chosen))) for item in items]
    assert [done.result.attributes.to_detail() for done in cut] == [
        done.result.attributes.to_detail() for done in alone
    ]
    assert [done.fresh for done in cut] == [done.fresh for done in alone]


def test_a_picture_without_text_is_described() -> None:
    meter = Meter()
    done = list(
        process_items([picture_item("a", "red"), picture_item("b", "blue")], make_stages(FakeLooker()), None, meter)
    )
    assert [hair(one) for one in done] == ["Red", "Blue"]
    assert [one.result.status for one in done] == ["ok", "ok"]
    assert meter.counts["pictures_read"] == 2
    assert meter.speakers == {"fake_reader/1": "fake reader on paper"}
    assert {"decode", "fake_reader/1", "fake_looker", "decide"} <= meter.seconds.keys()


@pytest.mark.parametrize("reader", [FakeReader(fail_on=2), FakeReader(broken_on=2)])
def test_a_picture_on_which_a_reader_fails_fails_alone(reader: FakeReader) -> None:
    items = [picture_item("a", "red", "girl"), picture_item("b", "blue", "girl"), picture_item("c", "lime", "girl")]
    done = list(process_items(items, make_stages(FakeExtractor(WORDS), FakeLooker(reader))))
    assert [one.result.status for one in done] == ["ok", "partial", "ok"]
    assert [hair(one) for one in done] == ["Red", None, "Green"]
    (problem,) = done[1].result.attributes.errors
    assert (problem.stage, problem.kind) == ("fake_looker", "extractor_failed")
    assert done[1].result.attributes.to_dict()["Gender"] == "Female"
    assert not done[1].fresh


def test_a_vector_of_the_wrong_length_is_a_failure() -> None:
    reader = FakeReader()
    reader.size = 4
    (done,) = process_items([picture_item("a", "red")], make_stages(FakeLooker(reader)))
    assert done.result.status == "partial"
    assert "vectors of shape (1, 3)" in (done.result.error or "")


def test_a_missing_model_ends_the_run() -> None:
    class Unasked(FakeLooker):
        def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
            raise MissingExtraError("this model", "clip")

    class Missing(FakeReader):
        def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
            raise MissingExtraError("this model", "clip")

    for stage in (Unasked(), FakeLooker(Missing())):
        with pytest.raises(MissingExtraError):
            list(process_items([picture_item("a", "red")], make_stages(stage)))


def test_known_vectors_are_taken_and_only_missing_ones_read() -> None:
    counting, other = Counting(), FakeReader("other")
    stages = make_stages(FakeLooker(counting), FakeLooker(other))
    items = [picture_item("a", "red"), picture_item("b", "blue")]
    known = {items[0].content_hash: {counting.key: np.array([0, 1, 0], np.float16)}}
    done = list(process_items(items, stages, lambda digests: {d: known[d] for d in digests if d in known}))
    assert counting.given == [1]
    assert [sorted(one.fresh) for one in done] == [["other"], ["fake_reader/1", "other"]]
    values = {claim.value for claim in done[0].result.attributes.attributes["Hair Color"].evidence}
    assert values == {"Green", "Red"}, "one reader is believed from the cache, the other has looked"


def test_quarantined_pictures_are_neither_decoded_nor_read() -> None:
    counting, meter = Counting(), Meter()
    stages = make_stages(FakeExtractor(SAFETY), FakeLooker(counting))
    asked: list[str] = []
    items = [picture_item("a", "red", "kid, adult_content"), picture_item("b", "blue", "kid")]

    def find(digests: Iterable[str]) -> dict[str, dict[str, NDArray[np.float16]]]:
        asked.extend(digests)
        return {}

    done = list(process_items(items, stages, find, meter))
    assert [one.result.status for one in done] == ["quarantined", "ok"]
    assert (counting.given, meter.counts["pictures_decoded"]) == ([1], 1)
    assert asked == [items[1].content_hash]
    assert done[0].facts is None


def test_readers_get_no_more_than_they_like() -> None:
    counting = Counting()
    items = [picture_item(f"{number}", "red") for number in range(10)]
    list(process_items(items, make_stages(FakeLooker(counting), batch_size=8)))
    assert (max(counting.given), sum(counting.given)) == (3, 10)


@pytest.mark.parametrize(
    ("seconds", "threads", "wanted"),
    [(0.001, 2, [8, 8, 8, 8, 8]), (0.001, 4, [16, 16, 8]), (1e9, 2, [8, 32]), (1e9, 1, [4, 32, 4])],
)
def test_a_slow_reader_gets_few_at_once_but_some_for_each_processor(
    seconds: float, threads: int, wanted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Counting):
        at_once = 32

        def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
            time.sleep(0.002 * len(pictures))
            return super().read(pictures)

    monkeypatch.setattr(flow, "SECONDS_AT_ONCE", seconds)
    slow = Slow()
    items = [picture_item(f"{number}", "red") for number in range(40)]
    list(process_items(items, make_stages(FakeLooker(slow), batch_size=40), threads=threads))
    assert slow.given == wanted


def test_large_pictures_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[int] = []
    now = 0
    lock = threading.Lock()
    real = load_image

    def load(raw: bytes, options: object) -> object:
        nonlocal now
        with lock:
            now += 1
            alive.append(now)
        return real(raw, options)  # type: ignore[arg-type]

    class Slow(FakeReader):
        def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
            nonlocal now
            found = super().read(pictures)
            with lock:
                now -= len(pictures)
            return found

    monkeypatch.setattr(decode_pool, "load_image", load)
    monkeypatch.setattr(decoding, "PIXELS_AHEAD", 100 * 100 * 5)
    items = [picture_item(f"{number}", "red", size=(100, 100)) for number in range(40)]
    assert len(list(process_items(items, make_stages(FakeLooker(Slow()), batch_size=16), threads=3))) == 40
    assert 1 < max(alive) <= 5


class Glance:
    """Sees the picture itself."""

    name = "glance"
    version = "1"
    needs: frozenset[Need] = frozenset({"image"})

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        sizes = [item.picture.size for item in batch if item.picture is not None]
        return [(Evidence("hair_length", "Long" if h > w else "Short", 0.9, "glance/1", "picture"),) for w, h in sizes]


class Modest(FakeReader):
    """Content with small pictures; tells which it was given."""

    def __init__(self, key: str, least_side: int) -> None:
        super().__init__(key)
        self.least_side = least_side
        self.sizes: list[tuple[int, int]] = []

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        self.sizes += [picture.size for picture in pictures]
        return super().read(pictures)


def test_jpegs_are_decoded_as_small_as_every_reader_allows() -> None:
    few, many = Modest("few", 100), Modest("many", 301)
    raw = picture_bytes("JPEG", (1600, 1200))
    cases: list[tuple[list[PipelineStage], tuple[int, int], str]] = [
        ([FakeLooker(few)], (400, 300), "@jpeg224"),
        ([FakeLooker(few), FakeLooker(many)], (800, 600), "@jpeg301"),
        ([FakeLooker(few), FakeLooker()], (1600, 1200), ""),
        ([FakeLooker(few), Glance()], (1600, 1200), ""),
    ]
    for chosen, size, suffix in cases:
        few.sizes.clear()
        stages = make_stages(*chosen)
        (done,) = process_items([Item("j", None, raw, content_hash(raw, None))], stages)
        assert (few.sizes, stages.decoding) == ([size], suffix)
        assert done.facts == PictureFacts(1600, 1200, "JPEG")


def test_stages_that_see_pictures_run_beside_readers() -> None:
    items = [picture_item("a", "red", size=(4, 9)), Item("t", "girl", content_hash="11"), picture_item("b", "blue")]
    stages = make_stages(FakeExtractor(WORDS), Glance(), FakeLooker(Preparing()))
    done = list(process_items(items, stages))
    lengths = [one.result.attributes.attributes["Hair Length"].value for one in done]
    assert (lengths, [hair(one) for one in done]) == (["Long", None, "Short"], ["Red", None, "Blue"])
    assert all(one.item.picture is None and not one.item.readings for one in done)


def test_a_flow_that_is_left_leaves_no_thread_behind() -> None:
    def forever() -> Iterator[Item]:
        while True:
            yield picture_item("a", "red")

    before = threading.active_count()
    flow = process_items(forever(), make_stages(FakeLooker()), threads=2)
    assert hair(next(flow)) == "Red"
    assert threading.active_count() > before
    flow.close()
    assert threading.active_count() == before
