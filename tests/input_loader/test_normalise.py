"""Ground, cast and frame can be made alike in any picture, and what is not ground stays as it was."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from character_pipeline.input_loader.normalise import (
    balance,
    crop_to_subject,
    find_background,
    flatten_background,
    flooded,
)

WAYS: list[Callable[[Image.Image], Image.Image]] = [
    flatten_background,
    crop_to_subject,
    balance,
    lambda picture: balance(picture, grey_world=True),
]


def on_ground(ground: str = "#88aacc", size: tuple[int, int] = (100, 80)) -> Image.Image:
    """A red box with a hole in the colour of the ground."""
    picture = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((40, 20, 59, 59), fill="#c02020")
    pen.rectangle((45, 30, 50, 40), fill=ground)
    return picture


def test_the_ground_becomes_white_but_not_what_the_figure_encloses() -> None:
    flat = np.asarray(flatten_background(on_ground()))
    assert (flat[0, 0] == 255).all()
    assert (flat[25, 42] == [0xC0, 0x20, 0x20]).all()
    assert (flat[35, 47] == [0x88, 0xAA, 0xCC]).all()
    assert find_background(np.asarray(on_ground())).sum() == 100 * 80 - 20 * 40


def test_a_soft_ground_is_ground_too() -> None:
    ramp = np.linspace(150, 200, 80).astype(np.uint8)
    pixels = np.repeat(np.repeat(ramp[:, None, None], 100, axis=1), 3, axis=2)
    pixels[20:60, 40:60] = [192, 32, 32]
    assert find_background(pixels).sum() == 100 * 80 - 20 * 40


def test_the_subject_is_cut_out_with_a_margin() -> None:
    assert crop_to_subject(on_ground(), margin=0.1).size == (20 + 2 * 4, 40 + 2 * 4)
    assert crop_to_subject(on_ground(), margin=9).size == (100, 80)


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_of_one_colour_stays(way: Callable[[Image.Image], Image.Image]) -> None:
    picture = Image.new("RGB", (31, 17), "#808080")
    assert np.abs(np.asarray(way(picture)).astype(int) - np.asarray(picture)).max() <= 1


def test_light_is_stretched_and_hues_stay() -> None:
    pixels = np.full((10, 10, 3), 100, dtype=np.uint8)
    pixels[:5] = [150, 120, 110]
    stretched = np.asarray(balance(Image.fromarray(pixels))).astype(int)
    assert np.ptp(stretched) > np.ptp(pixels)
    red, green, blue = stretched[0, 0]
    assert red > green > blue


def test_a_colour_cast_is_lessened() -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (40, 40, 3)).astype(np.uint8)
    pixels[..., 2] //= 2
    mean = np.asarray(balance(Image.fromarray(pixels), grey_world=True)).mean(axis=(0, 1))
    before = pixels.mean(axis=(0, 1))
    assert mean[2] / mean[0] > before[2] / before[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.integers(1, 256))
def test_any_picture_can_be_made_alike(w: int, h: int, seed: int, levels: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, levels, (h, w, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    for way in WAYS:
        changed = way(picture)
        assert changed.mode == "RGB"
        assert 1 <= changed.width <= w
        assert 1 <= changed.height <= h
        assert np.asarray(way(picture)).tobytes() == np.asarray(changed).tobytes()
    assert np.asarray(picture).tobytes() == pixels.tobytes()


def test_a_flood_stops_at_its_banks() -> None:
    within = np.array([[1, 1, 0, 1], [0, 1, 0, 1], [1, 0, 1, 1]], dtype=np.bool_)
    seeds = np.zeros_like(within)
    seeds[0, 0] = True
    assert flooded(seeds, within).tolist() == [[True, True, False, False], [False, True, False, False], [False] * 4]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_a_flood_reaches_what_hangs_together(w: int, h: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    within, seeds = chance.random((h, w)) < 0.6, chance.random((h, w)) < 0.1
    wet = {(int(y), int(x)) for y, x in np.argwhere(seeds & within)}
    waiting = list(wet)
    while waiting:
        y, x = waiting.pop()
        for place in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
            if 0 <= place[0] < h and 0 <= place[1] < w and within[place] and place not in wet:
                wet.add(place)
                waiting.append(place)
    assert {(int(y), int(x)) for y, x in np.argwhere(flooded(seeds, within))} == wet
