"""Reads the colours of a picture and where they lie: the vector from which colours of hair and skin are told.

A picture is reduced, its colours are grouped in CIELAB, and the ground around the figure is taken away. What is kept of
each of the largest groups is its colour and its place; nothing here says what a group is, so that this can be decided
again without the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.color_groups import COLOURS, Labels, flooded, group
from character_pipeline.extractors.lab import Floats
from character_pipeline.extractors.small_picture import SmallPicture, SmallPictureReader

if TYPE_CHECKING:
    pass

Mask = NDArray[np.bool_]
Small = NDArray[np.uint8]
"""Labels below REGIONS + 2, whose pairs also fit: most steps are faster on bytes."""

REGIONS = 8
"""Groups of colours that are kept, the largest of the figure first."""
FIELDS = (
    # colour: CIELAB / 100, and how far its pixels lie from it
    "light", "red", "yellow", "spread",
    # size: share of the figure, of the picture
    "share", "area",
    # place in the box of the figure: mean and deviation, 0 left or top, 1 right or bottom
    "x", "y", "x_spread", "y_spread",
    # share of the figure's columns that it begins, of those in the middle; of the outline; of the picture's upper edges
    "crown", "middle_crown", "outline", "edge",
    # shares of itself: at the bottom of the picture, in the upper third, in the middle of the figure, away from its rim
    "bottom", "upper", "centre", "solid",
)  # fmt: skip
PICTURE_FIELDS = ("ground_light", "ground_red", "ground_yellow", "ground", "width", "height", "groups", "chroma")
"""Of the picture: the colour of the ground and its share, the box of the figure in shares of the picture, the number of
groups / 32, the mean chroma / 100 of the pixels that have most of it (the upper tenth)."""
WITH_GROUND = REGIONS + 1
SIZE = REGIONS * len(FIELDS) + 2 * WITH_GROUND**2 + len(PICTURE_FIELDS)

OWN_EDGE, WIDE_EDGE = 0.1, 0.35
"""A group with this share of the upper edges belongs to the ground if it is at the left and at the right; with this
share, wherever it is: hair that is cut off by the picture is not ground."""
STEP = 0.045
"""How far neighbours are looked for, in sides of the picture: beyond an inked line."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Vectors taken apart. Regions that a picture does not have are zero.

    Attributes:
        fields: as FIELDS, shape (n, REGIONS, FIELDS).
        below: the pixels, in shares of the figure's, that have the group of the row, and a step below them that of
            the column; the ground is the last. Shape (n, REGIONS + 1, REGIONS + 1).
        beside: the same, a step to the right.
        picture: as PICTURE_FIELDS, shape (n, PICTURE_FIELDS).
    """

    fields: Floats
    below: Floats
    beside: Floats
    picture: Floats

    @property
    def lab(self) -> Floats:
        """CIELAB of each region, shape (n, REGIONS, 3)."""
        colours: Floats = self.fields[:, :, :3] * 100
        return colours

    def column(self, name: str) -> Floats:
        """One field of all regions, shape (n, REGIONS)."""
        column: Floats = self.fields[:, :, FIELDS.index(name)]
        return column


def unpack(vectors: NDArray[Any]) -> Regions:
    """The parts of vectors of `RegionReader`, shape (n, SIZE)."""
    ends = np.cumsum([REGIONS * len(FIELDS), WITH_GROUND**2, WITH_GROUND**2])
    fields, below, beside, picture = np.split(vectors.astype(np.float64), ends, axis=1)
    square = (-1, WITH_GROUND, WITH_GROUND)
    return Regions(fields.reshape(-1, REGIONS, len(FIELDS)), below.reshape(square), beside.reshape(square), picture)


class RegionReader(SmallPictureReader):
    """Pictures in, colours and their places out."""

    key = "color_regions/2"
    size = SIZE
    spoken = "color regions"

    def look(self, small: SmallPicture) -> Floats:
        return _read(small)


def _read(small: SmallPicture) -> Floats:
    groups = group(small)
    ground = _ground(groups)
    if ground.mean() > 0.97:
        ground = np.zeros_like(ground)
    labels = _rank(groups, ground)
    parts = [_fields(small.lab, labels), _neighbours(labels, (1, 0)), _neighbours(labels, (0, 1))]
    return np.concatenate([*(part.ravel() for part in parts), _picture(small, groups, ground)])


@lru_cache(maxsize=64)
def _edges(shape: tuple[int, int]) -> Mask:
    """The upper edge and the upper part of the sides: where a figure seldom leaves the picture."""
    height, width = shape
    edges = np.zeros(shape, dtype=np.bool_)
    edges[:2] = True
    edges[: height // 2, :2] = True
    edges[: height // 2, width - 2 :] = True
    edges.flags.writeable = False
    return edges


def _ground(groups: Labels) -> Mask:
    """The pixels that hang together with the edges in the colours of the edges."""
    edges, n = _edges(groups.shape), int(groups.max()) + 1
    share = np.bincount(groups[edges], minlength=n) / edges.sum()
    upper = groups[: edges.shape[0] // 2]
    left, right = (np.bincount(side.ravel(), minlength=n) > 0 for side in (upper[:, :2], upper[:, -2:]))
    both = left & right
    open_ = ((share >= WIDE_EDGE) | ((share >= OWN_EDGE) & both))[groups]
    return flooded(edges & open_, open_)


def _rank(groups: Labels, ground: Mask) -> Small:
    """The largest groups of the figure as 0.., the ground as REGIONS, all else as REGIONS + 1."""
    count = np.bincount(groups[~ground], minlength=int(groups.max()) + 1)
    order = [g for g in np.argsort(-count, kind="stable")[:REGIONS] if count[g]]
    rank = np.full(len(count), REGIONS + 1, dtype=np.uint8)
    rank[order] = np.arange(len(order))
    labels = rank.take(groups)
    labels[ground] = REGIONS
    return labels


def _box(figure: Mask) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not ground; right and bottom are beyond it."""
    columns, rows = np.flatnonzero(figure.any(axis=0)), np.flatnonzero(figure.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _fields(lab: Floats, labels: Small) -> Floats:
    figure = labels != REGIONS
    left, top, right, bottom = _box(figure)
    counts = _counts(labels)
    sizes = np.maximum(counts, 1)  # to divide by, also where a group is not there
    found = _colours(lab, labels, sizes) | _places(labels, (left, top, right, bottom), sizes)
    found["solid"] = _counts(labels[_solid(labels)]) / sizes
    found["share"], found["area"] = counts / figure.sum(), counts / figure.size
    found |= _rims(labels, figure, (left, right))
    return np.stack([found[name] for name in FIELDS], axis=1)


def _counts(labels: Small) -> Labels:
    """How many there are of each group."""
    return np.bincount(labels.ravel(), minlength=REGIONS + 2)[:REGIONS]


def _colours(lab: Floats, labels: Small, sizes: Labels) -> dict[str, Floats]:
    flat, planes = labels.ravel().astype(np.intp), lab.reshape(3, -1) / 100
    means = np.stack([_sums(flat, plane) for plane in planes]) / sizes
    off = planes - np.concatenate([means, np.zeros((3, 2))], axis=1).take(flat, axis=1)
    found = dict(zip(("light", "red", "yellow"), means, strict=True))
    return found | {"spread": _sums(flat, np.sqrt((off * off).sum(axis=0))) / sizes}


def _sums(flat: Labels, weight: Floats) -> Floats:
    return np.asarray(np.bincount(flat, weight, minlength=REGIONS + 2)[:REGIONS])


def _places(labels: Small, box: tuple[int, int, int, int], sizes: Labels) -> dict[str, Floats]:
    """Where the groups lie in the box of the figure."""
    (height, width), (left, top, right, bottom) = labels.shape, box
    x, y = (np.arange(width) + 0.5 - left) / (right - left), (np.arange(height) + 0.5 - top) / (bottom - top)
    across, down = _histogram(labels, 1), _histogram(labels, 0)
    middle = labels[abs(y - 0.5) < 0.25][:, abs(x - 0.5) < 0.25]
    found = {
        "x": (across * x).sum(axis=1), "y": (down * y).sum(axis=1), "centre": _counts(middle),
        "x_spread": (across * x**2).sum(axis=1), "y_spread": (down * y**2).sum(axis=1),
        "bottom": down[:, -2:].sum(axis=1), "upper": down[:, y < 1 / 3].sum(axis=1),
    }  # fmt: skip
    found = {name: np.asarray(total / sizes) for name, total in found.items()}
    for axis in ("x", "y"):
        found[f"{axis}_spread"] = np.sqrt(np.maximum(found[f"{axis}_spread"] - found[axis] ** 2, 0))
    return found


def _histogram(labels: Small, axis: int) -> Labels:
    """How many pixels each group has in each row (axis 0) or column (axis 1)."""
    length = labels.shape[axis]
    line = np.arange(length)[:, None] if axis == 0 else np.arange(length)
    place = labels.astype(np.intp) * length + line
    return np.bincount(place.ravel(), minlength=(REGIONS + 2) * length).reshape(-1, length)[:REGIONS]


def _shares(labels: Small, where: Mask) -> Floats:
    """The share that each group has of the pixels in a mask."""
    shown = labels[where]
    return np.asarray(_counts(shown) / max(len(shown), 1))


def _step(shape: tuple[int, ...]) -> int:
    return max(1, round(STEP * max(shape)))


def _solid(labels: Small) -> Mask:
    """Whether the pixels around, half a step away, are of the same group: not so in thin lines."""
    d = max(1, _step(labels.shape) // 2)
    wide = np.pad(labels, d, mode="edge")
    height, width = labels.shape
    around = [wide[y : y + height, x : x + width] for y, x in ((0, d), (2 * d, d), (d, 0), (d, 2 * d))]
    solid: Mask = np.logical_and.reduce([labels == other for other in around])
    return solid


def _rims(labels: Small, figure: Mask, sides: tuple[int, int]) -> dict[str, Floats]:
    """What the figure begins with when one comes from above, and what its outline and the picture's edges show."""
    d, (height, width) = _step(labels.shape), labels.shape
    depth = np.arange(height)[:, None] - figure.argmax(axis=0)
    crown: Mask = np.asarray(figure & (depth >= d // 2) & (depth < d // 2 + d))
    middle = np.zeros(width, dtype=np.bool_)
    third = (sides[1] - sides[0]) / 3
    middle[int(sides[0] + third) : int(sides[1] - third) + 1] = True
    deep = figure.copy()
    for axis, shift in ((0, d), (0, -d), (1, d), (1, -d)):
        deep &= np.roll(figure, shift, axis)
    return {
        "crown": _shares(labels, crown),
        "middle_crown": _shares(labels, crown & middle[None]),
        "outline": _shares(labels, figure & ~deep),
        "edge": _shares(labels, _edges(labels.shape)),
    }


def _neighbours(labels: Small, direction: tuple[int, int]) -> Floats:
    """How often one group lies a step before another, in shares of the figure, shape (WITH_GROUND, WITH_GROUND)."""
    d, n = _step(labels.shape), REGIONS + 2
    down, right = direction[0] * d, direction[1] * d
    height, width = labels.shape
    here, there = labels[: height - down, : width - right], labels[down:, right:]
    pairs = np.bincount((here * n + there).ravel(), minlength=n * n).reshape(n, n)[:WITH_GROUND, :WITH_GROUND]
    return pairs / max(int((labels != REGIONS).sum()), 1)


def _picture(small: SmallPicture, groups: Labels, ground: Mask) -> Floats:
    left, top, right, bottom = _box(~ground)
    height, width = ground.shape
    chroma = small.chroma.ravel()
    colour = np.array([np.median(plane[ground]) for plane in small.lab]) / 100 if ground.any() else np.zeros(3)
    box = [(right - left) / width, (bottom - top) / height]
    tenth = max(1, len(chroma) // 10)
    most = np.partition(chroma, -tenth)[-tenth:].mean() / 100
    return np.array([*colour, ground.mean(), *box, (int(groups.max()) + 1) / COLOURS, most])
