"""Where a head is, what is shown of it, and when nothing is."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.extractors.finders import constant_finder, figure, make_finder

from character_pipeline.errors import ModelError
from character_pipeline.extractors.head_finder import LEAST, MOST, PLENTY, Box, HeadFinder, head_view

CENTRE = [0.5, 0.5, 0.25, 3.0]
NO_NUMBERS = [float("nan"), float("inf"), -float("inf")]


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> HeadFinder:
    return HeadFinder(make_finder(tmp_path_factory.mktemp("finder") / "finder.onnx"))


@pytest.mark.parametrize(
    ("size", "left", "top", "side"),
    [((64, 64), 20, 10, 16), ((400, 900), 150, 60, 100), ((1000, 333), 700, 20, 150), ((3000, 4000), 1200, 300, 640)],
)
def test_a_head_is_found_wherever_it_is(
    finder: HeadFinder, size: tuple[int, int], left: int, top: int, side: int
) -> None:
    box = finder.find(figure(size, (left, top, left + side - 1, top + side - 1)))
    assert box is not None
    step = max(size) / 64
    assert box == pytest.approx((left + side / 2, top + side / 2, side), abs=0.8 * step)


def test_the_view_is_the_head(finder: HeadFinder) -> None:
    picture = figure((640, 1280), (200, 100, 359, 259))
    box = finder.find(picture)
    assert box is not None
    view = np.asarray(head_view(picture, box))
    assert (view[10:-10, 10:-10] == (255, 0, 0)).all()


def test_no_head_is_none(finder: HeadFinder) -> None:
    assert finder.find(figure((200, 300), None)) is None


def test_a_head_of_few_pixels_is_none(tmp_path: Path) -> None:
    """They are those of the picture, not those that the network is shown."""
    finder = HeadFinder(constant_finder(tmp_path / "same.onnx", CENTRE))
    assert finder.find(Image.new("RGB", (4 * LEAST, 12))) == Box(2 * LEAST, 6, LEAST)
    assert finder.find(Image.new("RGB", (4 * LEAST - 1, 12))) is None


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("number", [*NO_NUMBERS, -1.0, 1e30, -1e30])
def test_nonsense_is_none(tmp_path: Path, place: int, number: float) -> None:
    answer = [*CENTRE[:place], number, *CENTRE[place + 1 :]]
    found = HeadFinder(constant_finder(tmp_path / "odd.onnx", answer)).find(Image.new("RGB", (200, 300)))
    assert found is None or (place, number > 0) == (3, True)


def test_what_is_outside_is_white() -> None:
    picture = Image.new("RGB", (20, 40), "navy")
    view = np.asarray(head_view(picture, Box(20, 0, 16)))
    assert view.shape == (16, 16, 3)
    assert (view[8:, :8] == (0, 0, 128)).all()
    assert (view[:8] == 255).all()
    assert (view[:, 8:] == 255).all()


def test_no_border_fills_the_memory() -> None:
    view = head_view(Image.new("RGB", (90_000, 2), "navy"), Box(45_000, 1, 180_000))
    assert max(view.size) < 2 * PLENTY


SHAPES = st.tuples(st.integers(1, 3000), st.integers(1, 300)) | st.tuples(st.integers(1, 300), st.integers(1, 3000))
MODES = st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr", "I", "F"])
PARTS = st.floats(0, 1)


@settings(deadline=None)
@given(SHAPES, MODES, PARTS, PARTS, st.floats(0, MOST))
def test_every_box_in_every_picture_has_a_view(
    size: tuple[int, int], mode: str, across: float, down: float, share: float
) -> None:
    side = max(LEAST, share * max(size))
    view = head_view(Image.new(mode, size), Box(across * size[0], down * size[1], side))
    assert view.mode == "RGB"
    assert view.width == view.height <= 2 * PLENTY
    assert side >= PLENTY or view.width == round(side)


@settings(deadline=None)
@given(size=SHAPES, mode=MODES)
def test_every_picture_can_be_asked_about(finder: HeadFinder, size: tuple[int, int], mode: str) -> None:
    box = finder.find(Image.new(mode, size))
    assert box is None or box.side >= LEAST


def test_threads_share_a_finder(tmp_path: Path) -> None:
    finder = HeadFinder(make_finder(tmp_path / "finder.onnx"))
    many = [figure((300, 300), (10 * n, 50, 10 * n + 79, 129)) for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(finder.find, many))
    assert None not in together
    assert together == [HeadFinder(finder.path).find(picture) for picture in many]


def test_a_finder_travels_without_its_network(tmp_path: Path) -> None:
    finder = HeadFinder(make_finder(tmp_path / "finder.onnx"))
    picture = figure((300, 300), (100, 50, 179, 129))
    found = finder.find(picture)
    raw = pickle.dumps(finder)
    assert len(raw) < 1_000
    assert pickle.loads(raw).find(picture) == found


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    first = HeadFinder(make_finder(tmp_path / "finder.onnx")).digest
    (tmp_path / "other").mkdir()
    assert HeadFinder(make_finder(tmp_path / "other" / "finder.onnx")).digest == first
    assert HeadFinder(make_finder(tmp_path / "other" / "finder.onnx", sure=-5.0)).digest != first


def test_a_network_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx is missing.*clip_analyzer\.views"):
        _ = HeadFinder(tmp_path / "gone.onnx").digest
    picture = Image.new("RGB", (50, 50))
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"broken\.onnx cannot be loaded"):
        HeadFinder(tmp_path / "broken.onnx").find(picture)
    with pytest.raises(ModelError, match="not 'pixels' and 'found'"):
        HeadFinder(make_finder(tmp_path / "other.onnx", output="seen")).find(picture)
    with pytest.raises(ModelError, match=r"shape \(1, 3\)"):
        HeadFinder(constant_finder(tmp_path / "short.onnx", CENTRE[:3])).find(picture)
