"""Reads the colours of a picture and where they lie: the vector from which colours of hair and skin are told.

A picture is reduced, its colours are grouped in CIELAB, and the ground around the figure is taken away. What is kept of
each of the largest groups is its colour and its place; nothing here says what a group is, so that this can be decided
again without the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.color_groups import MOST, Labels, flooded, group
from character_pipeline.extractors.lab import Floats, Planes
from character_pipeline.extractors.small_picture import SmallPicture, SmallPictureReader

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom are beyond it."""
Small = NDArray[np.uint8]
"""Labels below WITH_REST, whose pairs also fit: most steps are faster on bytes."""

REGIONS = 8
"""Groups of colours that are kept, the largest of the figure first."""
WITH_GROUND, WITH_REST = REGIONS + 1, REGIONS + 2
FIELDS = (
    # colour: CIELAB / 100, and how far its pixels lie from it (root mean square)
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
SUMMED = (
    "count", "light", "red", "yellow", "square", "x", "y", "x_square", "y_square",
    "crown", "middle_crown", "outline", "edge", "bottom", "upper", "centre", "solid",
)  # fmt: skip
"""What is summed up over the pixels of each label: all of it at once, as products of matrices."""
COLOUR = slice(SUMMED.index("light"), SUMMED.index("yellow") + 1)
OF_MASKS = SUMMED[SUMMED.index("crown") : SUMMED.index("bottom")]
"""Sums that are counted in shares of the whole mask, not of the region itself."""
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

    key = "color_regions/3"
    size = SIZE
    spoken = "color regions"

    def look(self, small: SmallPicture) -> Floats:
        return _read(small)


def _read(small: SmallPicture) -> Floats:
    groups = group(np.asarray(small.rgb))
    ground = _ground(groups)
    if ground.mean() > 0.97:
        ground = np.zeros_like(ground)
    labels = _rank(groups, ground)
    box = _box(labels != REGIONS)
    sums = _sums(small.lab, labels, box)
    picture = [*_ground_and_box(sums, labels.shape, box), (int(groups.max()) + 1) / MOST, _most(small.ordered_chroma)]
    parts = [_fields(sums), _neighbours(labels, (1, 0)), _neighbours(labels, (0, 1)), np.array(picture)]
    return np.concatenate([part.ravel() for part in parts])


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
    share = np.bincount(groups.ravel().compress(edges.ravel()), minlength=n) / edges.sum()
    upper = groups[: edges.shape[0] // 2]
    left, right = (np.bincount(side.ravel(), minlength=n) > 0 for side in (upper[:, :2], upper[:, -2:]))
    both = left & right
    open_ = ((share >= WIDE_EDGE) | ((share >= OWN_EDGE) & both))[groups]
    return flooded(edges & open_, open_)


def _rank(groups: Labels, ground: Mask) -> Small:
    """The largest groups of the figure as 0.., the ground as REGIONS, all else as REGIONS + 1."""
    count = np.bincount(groups.ravel().compress(~ground.ravel()), minlength=int(groups.max()) + 1)
    order = [g for g in np.argsort(-count, kind="stable")[:REGIONS] if count[g]]
    rank = np.full(len(count), REGIONS + 1, dtype=np.uint8)
    rank[order] = np.arange(len(order))
    labels = rank.take(groups)
    labels[ground] = REGIONS
    return labels


def _box(figure: Mask) -> Box:
    """The least box around what is not ground."""
    columns, rows = np.flatnonzero(figure.any(axis=0)), np.flatnonzero(figure.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _sums(lab: Planes, labels: Small, box: Box) -> dict[str, Floats]:
    """SUMMED over the regions, the ground and the rest, shape (WITH_REST,) each. Colours are CIELAB / 100."""
    found = np.empty((len(SUMMED), *labels.shape), dtype=np.float32)
    rows = dict(zip(SUMMED, found, strict=True))
    colours = found[COLOUR]
    np.multiply(lab, 0.01, out=colours)
    np.einsum("kij,kij->ij", colours, colours, out=rows["square"])
    others = _places(labels.shape, box) | _rims(labels != REGIONS, box) | {"count": 1, "solid": _solid(labels)}
    for name, weight in others.items():
        rows[name][:] = weight
    among = (labels == np.arange(WITH_REST, dtype=np.uint8)[:, None, None]).astype(np.float32)
    # A product for each line of pixels: quicker than one of all, and too small for BLAS to share out among threads.
    sums = np.matmul(found.transpose(1, 0, 2), among.transpose(1, 2, 0)).sum(axis=0, dtype=np.float64)
    return dict(zip(SUMMED, sums, strict=True))


def _places(shape: tuple[int, ...], box: Box) -> dict[str, NDArray[Any]]:
    """Where pixels lie: in the box of the figure, and in the picture's lowest rows."""
    (height, width), (left, top, right, bottom) = shape, box
    x = (np.arange(width) + 0.5 - left) / (right - left)
    y = ((np.arange(height) + 0.5 - top) / (bottom - top))[:, None]
    lowest = np.arange(height)[:, None] >= height - 2
    centre = (abs(x - 0.5) < 0.25) & (abs(y - 0.5) < 0.25)
    return {
        "x": x, "y": y, "x_square": x * x, "y_square": y * y,
        "bottom": lowest, "upper": y < 1 / 3, "centre": centre,
    }  # fmt: skip


def _rims(figure: Mask, box: Box) -> dict[str, Mask]:
    """What the figure begins with when one comes from above, its outline, and the picture's edges."""
    d, (height, width) = _step(figure.shape), figure.shape
    depth = np.arange(height)[:, None] - figure.argmax(axis=0)
    crown: Mask = np.asarray(figure & (depth >= d // 2) & (depth < d // 2 + d))
    third = (box[2] - box[0]) / 3
    column = np.arange(width)
    middle = (column >= int(box[0] + third)) & (column <= int(box[2] - third))
    inner = figure.copy()
    inner[d:] &= figure[:-d]
    inner[:-d] &= figure[d:]
    inner[:, d:] &= figure[:, :-d]
    inner[:, :-d] &= figure[:, d:]
    edge = _edges(figure.shape)
    return {"crown": crown, "middle_crown": crown & middle, "outline": figure & ~inner, "edge": edge}


def _solid(labels: Small) -> Mask:
    """Whether the pixels around, half a step away, are of the same group: not so in thin lines."""
    d = max(1, _step(labels.shape) // 2)
    solid = np.ones(labels.shape, dtype=np.bool_)
    across, down = labels[:, d:] == labels[:, :-d], labels[d:] == labels[:-d]
    solid[:, d:] &= across
    solid[:, :-d] &= across
    solid[d:] &= down
    solid[:-d] &= down
    return solid


def _fields(sums: dict[str, Floats]) -> Floats:
    """FIELDS of each region, shape (REGIONS, FIELDS)."""
    counts, total = sums["count"][:REGIONS], sums["count"].sum()
    mean = {name: sums[name][:REGIONS] / np.maximum(counts, 1) for name in SUMMED}
    found = mean | {name: sums[name][:REGIONS] / max(sums[name].sum(), 1) for name in OF_MASKS}
    found["share"] = counts / max(total - sums["count"][REGIONS], 1)
    found["area"] = counts / total
    found["spread"] = _root(mean["square"] - sum(mean[name] ** 2 for name in SUMMED[COLOUR]))
    for axis in ("x", "y"):
        found[f"{axis}_spread"] = _root(mean[f"{axis}_square"] - mean[axis] ** 2)
    return np.stack([found[name] for name in FIELDS], axis=1)


def _root(squares: Floats) -> Floats:
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def _step(shape: tuple[int, ...]) -> int:
    return max(1, round(STEP * max(shape)))


def _neighbours(labels: Small, direction: tuple[int, int]) -> Floats:
    """How often one group lies a step before another, in shares of the figure, shape (WITH_GROUND, WITH_GROUND)."""
    d = _step(labels.shape)
    down, right = direction[0] * d, direction[1] * d
    height, width = labels.shape
    here, there = labels[: height - down, : width - right], labels[down:, right:]
    pairs = np.bincount((here * WITH_REST + there).ravel(), minlength=WITH_REST**2).reshape(WITH_REST, WITH_REST)
    return pairs[:WITH_GROUND, :WITH_GROUND] / max(int((labels != REGIONS).sum()), 1)


def _ground_and_box(sums: dict[str, Floats], shape: tuple[int, ...], box: Box) -> list[float]:
    """The colour of the ground, its share, and the box of the figure in shares of the picture."""
    (height, width), (left, top, right, bottom) = shape, box
    ground = sums["count"][REGIONS]
    colour = [float(sums[name][REGIONS] / max(ground, 1)) for name in SUMMED[COLOUR]]
    return [*colour, float(ground) / (height * width), (right - left) / width, (bottom - top) / height]


def _most(ordered_chroma: Planes) -> float:
    """The mean chroma / 100 of the tenth of the pixels that have most of it."""
    tenth = max(1, len(ordered_chroma) // 10)
    return float(ordered_chroma[-tenth:].mean() / 100)
