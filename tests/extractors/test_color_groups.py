"""Which colours are one, and what hangs together."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from character_pipeline.extractors.color_groups import LIGHT_WEIGHT, MOST, NEAR, flooded, group
from character_pipeline.extractors.lab import to_lab


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


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 256), st.integers(0, 2**32 - 1))
def test_groups_have_no_gaps_and_equal_colours_are_one(w: int, h: int, levels: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, levels, (h, w, 3), dtype=np.uint8)
    groups = group(rgb)
    assert groups.shape == (h, w)
    assert set(groups.ravel().tolist()) == set(range(int(groups.max()) + 1))
    assert groups.max() < MOST
    of_colour = {
        (tuple(pixel), int(label)) for pixel, label in zip(rgb.reshape(-1, 3).tolist(), groups.ravel(), strict=True)
    }
    assert len(of_colour) == len({pixel for pixel, _ in of_colour})


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=2, max_size=8, unique=True), st.randoms())
def test_colours_far_from_each_other_are_told_apart(colours: list[tuple[int, int, int]], chance: Random) -> None:
    lab = to_lab(np.array(colours, dtype=np.uint8)) * [LIGHT_WEIGHT, 1, 1]
    gaps = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + np.eye(len(lab)) * 1e3
    assume(gaps.min() > 2 * NEAR)
    pixels = [place for place in range(len(colours)) for _ in range(chance.randint(1, 90))]
    groups = group(np.array(colours, dtype=np.uint8)[pixels][None])[0]
    assert len(set(zip(pixels, groups.tolist(), strict=True))) == len(set(groups.tolist())) == len(colours)


def test_shades_of_one_colour_are_one_group() -> None:
    shades = np.array([[(200 - n, 120 - n, 90 - n) for n in range(25)]], dtype=np.uint8)
    assert group(shades).max() == 0
