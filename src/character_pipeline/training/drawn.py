"""Training pictures from the sample drawer: its styles, and styles that nobody designed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.head_finder import Box, HeadFinder, head_view
from character_pipeline.sample import Drawing, draw, render
from character_pipeline.sample.styles import Style, find_style
from character_pipeline.training.corpus import HEAD, STORED, Corpus, Pairs, Square, letterboxed
from character_pipeline.training.faces import Face

if TYPE_CHECKING:
    from PIL.Image import Image

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

HEAD_MIDDLE = (0.0, -6.0)
HEAD_SIDE = 184.0
"""The square of a head with its hair, in the units of the drawer."""
DRAWN_FACE = Face(x=64, y=75, mouth_x=64, mouth_y=93, apart=17, wide=37)
"""Where it is in that square, at STORED pixels."""
LARGE = 512
VIEW_BOX = re.compile(r'viewBox="([^"]*)"')
Drawn = tuple[NDArray[np.uint8], NDArray[np.uint8], dict[str, Any], dict[str, Any]]
"""A picture, its head, and what is true of the one and the other."""
FINDER = HeadFinder()


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


def drawn_pairs(
    indices: Iterable[int],
    make: Callable[[int], Drawing] = training_drawing,
    workers: int = 1,
    found: bool = False,
) -> Pairs:
    """Pictures of some indices with their whole truth, and their heads: where they are, or where they are found."""
    from loky import get_reusable_executor

    pool = get_reusable_executor(max_workers=workers)
    every = list(pool.map(partial(_one, make, found), indices, chunksize=64))
    wholes, heads, lines, seen = zip(*every, strict=True)
    unknown = np.zeros((len(every), STORED, STORED), np.uint8)
    return Pairs(Corpus(np.stack(wholes), unknown, lines), Corpus(np.stack(heads), unknown, seen))


def _one(make: Callable[[int], Drawing], found: bool, index: int) -> Drawn:
    drawing = make(index)
    square = head_square(drawing)
    line: dict[str, Any] = {key: drawing.truth[key] for key in ("style", "people", "attributes")}
    line |= {"square": square}
    whole = letterboxed(render(drawing, STORED), STORED)
    head = _found_view(drawing) if found else _close_view(drawing, square) if square else None
    return (whole, whole, line, line) if head is None else (whole, head, line, {**line, "view": HEAD})


def _found_view(drawing: Drawing) -> NDArray[np.uint8] | None:
    picture = render(drawing, LARGE)
    box = FINDER.find(picture)
    return None if box is None else letterboxed(head_view(picture, box), STORED)


def head_square(drawing: Drawing) -> Square | None:
    """Where the head is, in shares of the letterboxed picture; None without exactly one that shows."""
    left, top, width, height = _window(drawing)
    longest = max(width, height)
    x, y = (HEAD_MIDDLE[0] - left) / longest, (HEAD_MIDDLE[1] - top) / longest
    shows = left < HEAD_MIDDLE[0] < left + width and top < HEAD_MIDDLE[1] < top + height
    if drawing.truth["people"] != "single" or not shows:
        return None
    return x + (longest - width) / longest / 2, y + (longest - height) / longest / 2, HEAD_SIDE / longest


def _window(drawing: Drawing) -> tuple[float, float, float, float]:
    found = VIEW_BOX.search(drawing.svg)
    assert found is not None
    left, top, width, height = map(float, found[1].split())
    return left, top, width, height


def _close_view(drawing: Drawing, square: Square) -> NDArray[np.uint8]:
    """The square of the head, drawn anew at full size; coarse pixels are cut from the whole, as they are."""
    if drawing.look.finish == "pixel":
        return letterboxed(_cut(render(drawing, LARGE), square), STORED)
    box = HEAD_MIDDLE[0] - HEAD_SIDE / 2, HEAD_MIDDLE[1] - HEAD_SIDE / 2, HEAD_SIDE, HEAD_SIDE
    svg = VIEW_BOX.sub('viewBox="{:.1f} {:.1f} {:.1f} {:.1f}"'.format(*box), drawing.svg, count=1)
    return letterboxed(render(replace(drawing, svg=svg, aspect=1.0), STORED), STORED)


def _cut(picture: Image, square: Square) -> Image:
    """A square of a picture, given in shares of the letterboxed one."""
    longest = max(picture.size)
    x = square[0] * longest - (longest - picture.width) / 2
    y = square[1] * longest - (longest - picture.height) / 2
    return head_view(picture, Box(x, y, square[2] * longest))
