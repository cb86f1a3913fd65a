"""What hangs together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.extractors.color_groups import flooded


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
