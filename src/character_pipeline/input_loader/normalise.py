"""Makes pictures more alike before they are read: ground, colour cast and contrast, frame. All of it optional.

Pure functions from RGB pictures to RGB pictures, the same each time, for any size from one pixel up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

TOLERANCE = 24
"""Levels (of 255, in the channel that differs most) by which the ground may differ from its neighbours at the edge."""
MARGIN = 0.06
LEAST_FIGURE = 0.02
"""Of a picture with less than this share of figure, the ground was not found, and it is left as it is."""
CLIPPED = 0.005


def flatten_background(picture: Image.Image, tolerance: int = TOLERANCE) -> Image.Image:
    """The picture with a plain or soft ground in white: what hangs together with the edges in the edges' colours."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(picture.convert("RGB"))
    ground = find_background(pixels, tolerance)
    return Image.fromarray(np.where(ground[..., None], np.uint8(255), pixels))


def crop_to_subject(picture: Image.Image, margin: float = MARGIN, tolerance: int = TOLERANCE) -> Image.Image:
    """The part of the picture with something else than ground, with a margin in shares of its longer side."""
    import numpy as np

    picture = picture.convert("RGB")
    figure = ~find_background(np.asarray(picture), tolerance)
    if not figure.any():
        return picture
    columns, rows = np.flatnonzero(figure.any(axis=0)), np.flatnonzero(figure.any(axis=1))
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    edge = round(margin * max(right - left, bottom - top))
    box = (
        max(0, left - edge),
        max(0, top - edge),
        min(picture.width, right + edge),
        min(picture.height, bottom + edge),
    )
    return picture.crop(box)


def balance(picture: Image.Image, grey_world: bool = False) -> Image.Image:
    """The picture with its light stretched to the full range; all channels alike, so that hues stay.

    Args:
        grey_world: also take half of a colour cast away, as if the mean of all pictures were grey. It changes hues.
    """
    import numpy as np
    from PIL import Image

    pixels = np.asarray(picture.convert("RGB")).astype(np.float64)
    if grey_world:
        mean = pixels.mean(axis=(0, 1))
        pixels = pixels * np.sqrt((mean.mean() + 1) / (mean + 1))
    light = pixels @ np.array([0.299, 0.587, 0.114])
    low, high = np.quantile(light, [CLIPPED, 1 - CLIPPED])
    if high - low >= 16:
        pixels = (pixels - low) * (255 / (high - low))
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def find_background(pixels: NDArray[np.uint8], tolerance: int = TOLERANCE) -> NDArray[np.bool_]:
    """Which pixels, shape (height, width, 3), are ground; none where nearly all would be, or none can be told."""
    import numpy as np

    edges = np.zeros(pixels.shape[:2], dtype=np.bool_)
    edges[0] = edges[:, 0] = edges[:, -1] = True
    colours = _edge_colours(pixels[edges], tolerance)
    alike = np.zeros(edges.shape, dtype=np.bool_)
    for colour in colours:
        alike |= abs(pixels.astype(np.int16) - colour).max(axis=2) <= tolerance
    ground = flooded(edges & alike, alike)
    return ground if 1 - ground.mean() >= LEAST_FIGURE else np.zeros_like(ground)


def _edge_colours(rim: NDArray[np.uint8], tolerance: int) -> list[NDArray[np.int16]]:
    """The colours that make up at least a fifth of the edges each, the most frequent first; at most four."""
    import numpy as np

    left = rim.astype(np.int16)
    found: list[NDArray[np.int16]] = []
    while len(left) * 5 >= len(rim) and len(left) and len(found) < 4:
        colour = np.median(left, axis=0).astype(np.int16)
        near = abs(left - colour).max(axis=1) <= tolerance
        if not near.any():  # the median of several colours is none of them: begin with one that is there
            colour = left[0]
            near = abs(left - colour).max(axis=1) <= tolerance
        if near.sum() * 5 >= len(rim):
            found.append(colour)
        left = left[~near]
    return found


def flooded(seeds: NDArray[np.bool_], within: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What can be reached from the seeds by steps to the side, up or down inside `within`; all of one shape."""
    import numpy as np

    height, width = within.shape
    open_, wet = _as_number(within), _as_number(seeds & within)
    before = -1
    while wet != before:
        before = wet
        wet |= (wet << 1 | wet >> 1 | wet << width + 1 | wet >> width + 1) & open_
    raw = np.frombuffer(wet.to_bytes((height * (width + 1) + 7) // 8, "little"), dtype=np.uint8)
    bits = np.unpackbits(raw, count=height * (width + 1), bitorder="little")
    return bits.reshape(height, width + 1)[:, :width].astype(np.bool_)


def _as_number(mask: NDArray[np.bool_]) -> int:
    """A bit a pixel, and one between the rows: as one long number, all of them take a step at once."""
    import numpy as np

    wide = np.zeros((mask.shape[0], mask.shape[1] + 1), dtype=np.bool_)
    wide[:, :-1] = mask
    return int.from_bytes(np.packbits(wide, bitorder="little").tobytes(), "little")
