"""Reads the colours of a picture and where they lie: the vector from which colours of hair and skin are told.

A picture is reduced, its colours are grouped in CIELAB, and the ground around the figure is taken away. What is kept of
each of the largest groups is its colour and its place; nothing here says what a group is, so that this can be decided
again without the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.lab import Floats, to_lab
from character_pipeline.input_loader.normalise import flooded

if TYPE_CHECKING:
    from PIL import Image

Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]

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

SIDE, LEAST = 96, 12
"""Pixels of the longer side of what is looked at; pixels below which no side is left."""
COLOURS = 32
NEAR = 9.0
"""Colours that are nearer to each other are one group. Light counts less: shadows fall on everything."""
LIGHT_WEIGHT = 0.7
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


class RegionReader:
    """Pictures in, colours and their places out."""

    key = "color_regions/1"
    size = SIZE

    def prepare(self, picture: Image.Image) -> Floats:
        """The vector already: it is made in the threads that decode, and no picture is kept for it."""
        return _read(picture)

    def read(self, pictures: Sequence[Image.Image | Floats]) -> NDArray[np.float16]:
        vectors = [given if isinstance(given, np.ndarray) else _read(given) for given in pictures]
        return np.array(vectors, dtype=np.float16).reshape(len(vectors), SIZE)

    def describe(self) -> str:
        return "color regions"


def _read(picture: Image.Image) -> Floats:
    small = reduced(picture)
    lab = to_lab(np.asarray(small))
    groups = _merge(lab, _quantise(small))
    ground = _ground(groups)
    if ground.mean() > 0.97:
        ground = np.zeros_like(ground)
    labels = _rank(groups, ground)
    parts = [_fields(lab, labels), _neighbours(labels, (1, 0)), _neighbours(labels, (0, 1))]
    return np.concatenate([*(part.ravel() for part in parts), _picture(lab, groups, ground)])


def reduced(picture: Image.Image, side: int = SIDE) -> Image.Image:
    """The picture in RGB with no side longer than `side` pixels, nor shorter than LEAST."""
    from PIL import Image

    scale = side / max(picture.size)
    width, height = (max(LEAST, round(length * min(scale, 1.0))) for length in picture.size)
    picture = picture.convert("RGB")
    small = (width, height)
    return picture if small == picture.size else picture.resize(small, Image.Resampling.BOX)


def _quantise(picture: Image.Image) -> Labels:
    from PIL import Image

    few = picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    _, labels = np.unique(np.asarray(few), return_inverse=True)
    return labels.reshape(picture.height, picture.width).astype(np.int64)


def _merge(lab: Floats, labels: Labels) -> Labels:
    """Join the two nearest groups until none are near."""
    flat = labels.ravel()
    count = np.bincount(flat).astype(np.float64)
    mean = np.stack([np.bincount(flat, lab[..., c].ravel()) for c in range(3)], axis=1) / count[:, None]
    mean[:, 0] *= LIGHT_WEIGHT
    home = np.arange(len(count))
    while len(count) > 1:
        gap = np.linalg.norm(mean[:, None] - mean[None], axis=2) + np.eye(len(count)) * 1e6
        i, j = sorted(divmod(int(gap.argmin()), len(count)))
        if gap[i, j] >= NEAR:
            break
        mean[i] = (mean[i] * count[i] + mean[j] * count[j]) / (count[i] + count[j])
        count[i] += count[j]
        mean, count = np.delete(mean, j, 0), np.delete(count, j)
        home[home == j] = i
        home[home > j] -= 1
    return home[labels]


def _edges(shape: tuple[int, int]) -> Mask:
    """The upper edge and the upper part of the sides: where a figure seldom leaves the picture."""
    height, width = shape
    edges = np.zeros(shape, dtype=np.bool_)
    edges[:2] = True
    edges[: height // 2, :2] = True
    edges[: height // 2, width - 2 :] = True
    return edges


def _ground(groups: Labels) -> Mask:
    """The pixels that hang together with the edges in the colours of the edges."""
    edges, n = _edges(groups.shape), int(groups.max()) + 1
    share = np.bincount(groups[edges], minlength=n) / edges.sum()
    upper = groups[: edges.shape[0] // 2]
    both = np.isin(np.arange(n), upper[:, :2]) & np.isin(np.arange(n), upper[:, -2:])
    open_ = ((share >= WIDE_EDGE) | ((share >= OWN_EDGE) & both))[groups]
    return flooded(edges & open_, open_)


def _rank(groups: Labels, ground: Mask) -> Labels:
    """The largest groups of the figure as 0.., the ground as REGIONS, all else as REGIONS + 1."""
    count = np.bincount(groups[~ground], minlength=int(groups.max()) + 1)
    order = [g for g in np.argsort(-count, kind="stable")[:REGIONS] if count[g]]
    rank = np.full(len(count), REGIONS + 1)
    rank[order] = np.arange(len(order))
    return np.where(ground, REGIONS, rank[groups])


def _box(figure: Mask) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not ground; right and bottom are beyond it."""
    columns, rows = np.flatnonzero(figure.any(axis=0)), np.flatnonzero(figure.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _fields(lab: Floats, labels: Labels) -> Floats:
    figure = labels != REGIONS
    height, width = labels.shape
    left, top, right, bottom = _box(figure)
    y, x = np.mgrid[0:height, 0:width]
    x, y = (x + 0.5 - left) / (right - left), (y + 0.5 - top) / (bottom - top)
    weights = {
        "light": lab[..., 0] / 100, "red": lab[..., 1] / 100, "yellow": lab[..., 2] / 100, "x": x, "y": y,
        "bottom": np.mgrid[0:height, 0:width][0] >= height - 2, "upper": y < 1 / 3,
        "centre": (abs(x - 0.5) < 0.25) & (abs(y - 0.5) < 0.25), "solid": _solid(labels),
    }  # fmt: skip
    found = {name: _means(labels, np.asarray(weight, dtype=np.float64)) for name, weight in weights.items()}
    found["x_spread"], found["y_spread"] = _deviation(labels, x, found["x"]), _deviation(labels, y, found["y"])
    colours = np.stack([found[name] for name in ("light", "red", "yellow")], axis=1)
    near = np.append(colours, np.zeros((2, 3)), axis=0)[labels]
    found["spread"] = _means(labels, np.linalg.norm(lab / 100 - near, axis=2))
    found["share"] = _shares(labels, figure)
    found["area"] = found["share"] * figure.mean()
    found |= _rims(labels, figure, (left, right))
    return np.stack([found[name] for name in FIELDS], axis=1)


def _means(labels: Labels, weight: Floats) -> Floats:
    count = np.bincount(labels.ravel(), minlength=REGIONS + 2)[:REGIONS]
    total = np.bincount(labels.ravel(), weight.ravel(), minlength=REGIONS + 2)[:REGIONS]
    return np.asarray(total / np.maximum(count, 1))


def _deviation(labels: Labels, place: Floats, mean: Floats) -> Floats:
    return np.sqrt(np.maximum(_means(labels, place**2) - mean**2, 0))


def _shares(labels: Labels, where: Mask) -> Floats:
    """The share that each group has of the pixels in a mask."""
    return np.asarray(np.bincount(labels[where], minlength=REGIONS + 2)[:REGIONS] / max(int(where.sum()), 1))


def _step(shape: tuple[int, ...]) -> int:
    return max(1, round(STEP * max(shape)))


def _solid(labels: Labels) -> Mask:
    """Whether the pixels around, half a step away, are of the same group: not so in thin lines."""
    d = max(1, _step(labels.shape) // 2)
    wide = np.pad(labels, d, mode="edge")
    height, width = labels.shape
    around = [wide[y : y + height, x : x + width] for y, x in ((0, d), (2 * d, d), (d, 0), (d, 2 * d))]
    solid: Mask = np.logical_and.reduce([labels == other for other in around])
    return solid


def _rims(labels: Labels, figure: Mask, sides: tuple[int, int]) -> dict[str, Floats]:
    """What the figure begins with when one comes from above, and what its outline and the picture's edges show."""
    d, (height, width) = _step(labels.shape), labels.shape
    first = figure.argmax(axis=0)
    depth = np.arange(height)[:, None] - first[None]
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


def _neighbours(labels: Labels, direction: tuple[int, int]) -> Floats:
    """How often one group lies a step before another, in shares of the figure, shape (WITH_GROUND, WITH_GROUND)."""
    d, n = _step(labels.shape), REGIONS + 2
    down, right = direction[0] * d, direction[1] * d
    height, width = labels.shape
    here, there = labels[: height - down, : width - right], labels[down:, right:]
    pairs = np.bincount((here * n + there).ravel(), minlength=n * n).reshape(n, n)[:WITH_GROUND, :WITH_GROUND]
    return pairs / max(int((labels != REGIONS).sum()), 1)


def _picture(lab: Floats, groups: Labels, ground: Mask) -> Floats:
    left, top, right, bottom = _box(~ground)
    height, width = ground.shape
    chroma = np.sort(np.hypot(lab[..., 1], lab[..., 2]).ravel())
    colour = np.median(lab[ground], axis=0) / 100 if ground.any() else np.zeros(3)
    box = [(right - left) / width, (bottom - top) / height]
    most = chroma[-max(1, len(chroma) // 10) :].mean() / 100
    return np.array([*colour, ground.mean(), *box, (int(groups.max()) + 1) / COLOURS, most])
