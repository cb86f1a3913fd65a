"""Training pictures from the sample drawer: its styles, and styles that nobody designed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.sample import Drawing, draw, render
from character_pipeline.sample.styles import Style, find_style
from character_pipeline.training.corpus import STORED, Corpus, letterboxed

TRAINING_STYLES = ("anime", "flat", "chibi", "pixel")
FIRST_SEED = 5_000_000_000
"""Far from the seeds of any data set that people draw, so that no person is met again."""
TEST_STYLES = ("painterly", "sketch")
"""Nothing is ever trained or fitted on these."""
APART = 1_000_000_000
"""Between the seeds of training and test pictures."""
MADE_UP = 0.6
CLOSER = 0.6
"""Of so many whole figures, only the upper part is drawn: small pictures show no faces otherwise."""


def made_up_style(rng: Random) -> Style:
    """A style of random lines, shadows, proportions and eyes; without the surfaces that the test styles have."""
    ink = rng.choice([0.0, 0.0, rng.uniform(0.6, 3), rng.uniform(2, 6)])
    return Style(
        name=rng.choice(["anime", "flat", "chibi"]),
        ink=ink,
        tinted=rng.random() < 0.5,
        shade=rng.choice(["none", "cel"]),
        body=rng.choice([1.0, rng.uniform(0.45, 1.0)]),
        eye=rng.uniform(0.55, 1.35),
        simple_eye=rng.random() < 0.5,
    )


def training_drawing(index: int, styles: Sequence[str] = TRAINING_STYLES) -> Drawing:
    """One training picture; the same index gives the same picture."""
    rng = Random(f"training {index}")
    style = made_up_style(rng) if rng.random() < MADE_UP else find_style(rng.choice(styles))
    framing = rng.choice(["portrait", "portrait", "upper_body"]) if rng.random() < CLOSER else None
    return draw(FIRST_SEED + index, style, framing)


def test_drawing(index: int, styles: Sequence[str]) -> Drawing:
    """One test picture, as the drawer makes them for anyone; a person whom training never met."""
    rng = Random(f"test {index}")
    return draw(FIRST_SEED + APART + index, rng.choice(styles))


def drawn_corpus(
    indices: Iterable[int],
    make: Callable[[int], Drawing] = training_drawing,
    workers: int = 1,
    report: Callable[[int], None] | None = None,
) -> Corpus:
    """Pictures of some indices with their whole truth."""
    from loky import get_reusable_executor

    pictures: list[NDArray[np.uint8]] = []
    lines: list[dict[str, Any]] = []
    pool = get_reusable_executor(max_workers=workers)
    for picture, line in pool.map(partial(_one, make), indices, chunksize=64):
        pictures.append(picture)
        lines.append(line)
        if report is not None:
            report(len(lines))
    pixels = np.stack(pictures)
    return Corpus(pixels, np.zeros(pixels.shape[:3], np.uint8), lines)


def _one(make: Callable[[int], Drawing], index: int) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    drawing = make(index)
    line: dict[str, Any] = {key: drawing.truth[key] for key in ("style", "people", "attributes")}
    return letterboxed(render(drawing, STORED), STORED), line
