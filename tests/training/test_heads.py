"""The head finder: what is drawn where, a short training, and the finder that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.extractors.head_finder import HEAD_FINDER, SIDE, HeadFinder
from character_pipeline.sample import draw, render
from character_pipeline.training.augment import spread
from character_pipeline.training.corpus import HEAD
from character_pipeline.training.drawn import TEST_STYLES, drawn_pairs, head_square
from character_pipeline.training.heads import make_finder, nearness, print_nearness, train_finder, write_finder


def test_whole_figures_have_small_heads_and_groups_have_none() -> None:
    sides = {}
    for framing in ("portrait", "full_body"):
        square = head_square(draw(24, "anime", framing))
        assert square is not None
        sides[framing] = square[2]
    assert sides["full_body"] < sides["portrait"] / 2
    assert head_square(draw(24 + 5, "anime")) is None


def test_pairs_stand_row_for_row() -> None:
    pairs = drawn_pairs(range(24))
    assert len(pairs) == len(pairs.head) == 24
    for whole, head, square in zip(pairs.whole.pixels, pairs.head.lines, pairs.whole.lines, strict=True):
        assert whole.shape == (128, 128, 3)
        assert (head.get("view") == HEAD) == (square["square"] is not None)
    with_head = sum(line["square"] is not None for line in pairs.whole.lines)
    assert len(pairs.views()) == 24 + with_head


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31 - 1))
def test_squares_move_with_their_pictures(seed: int) -> None:
    pixels = torch.zeros(4, 3, 128, 128)
    pixels[:, :, 40:72, 56:88] = 1.0
    squares = torch.tensor([[72 / 128, 56 / 128, 0.25, 1.0]]).repeat(4, 1)
    moved, found = spread(pixels, squares, 64, torch.Generator().manual_seed(seed))
    for picture, (x, y, side, there) in zip(moved[:, 0], found.tolist(), strict=True):
        if there and side / 2 < min(x, y, 1 - x, 1 - y):
            rows, columns = torch.nonzero(picture > 0.5, as_tuple=True)
            assert columns.float().mean() / 64 + 0.5 / 64 == pytest.approx(x, abs=0.03)
            assert rows.float().mean() / 64 + 0.5 / 64 == pytest.approx(y, abs=0.03)
            assert (columns.max() - columns.min() + 1) / 64 == pytest.approx(side, abs=0.06)


def test_a_finder_learns_and_is_written_as_it_is(tmp_path: Path) -> None:
    corpus = drawn_pairs(range(144)).whole
    losses: list[float] = []
    finder = train_finder(corpus, 6, 0, lambda _done, loss: losses.append(loss))
    assert losses[-1] < losses[0]
    write_finder(finder, tmp_path / "finder.onnx")
    picture = render(draw(24, "anime", "portrait"), 256)
    found = HeadFinder(tmp_path / "finder.onnx").find(picture)
    assert found is None or 0 <= found.x <= 256
    assert make_finder(1)(torch.zeros(1, 3, SIDE, SIDE)).shape == (1, 4)
    assert "| one |" in print_nearness({"one": nearness(finder, corpus)})


def test_the_shipped_finder_finds_heads_in_styles_it_never_saw() -> None:
    finder, near, heads = HeadFinder(), 0, 0
    for number in range(40):
        drawing = draw(3_000_000 + number, TEST_STYLES[number % 2])
        square, picture = head_square(drawing), render(drawing, 384)
        found = finder.find(picture)
        if square is None or found is None:
            continue
        heads += 1
        longest = max(picture.size)
        x, y = (square[i] * longest - (longest - picture.size[i]) / 2 for i in (0, 1))
        near += bool(np.hypot(found.x - x, found.y - y) < 0.25 * square[2] * longest)
    assert heads > 25
    assert near >= 0.9 * heads
    assert HEAD_FINDER.stat().st_size < 400_000
