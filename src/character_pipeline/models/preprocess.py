"""Pictures to the numbers that a vision model takes, as its preprocessor_config.json says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from character_pipeline.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

Fit = Literal["shortest", "exact", "pad"]
BICUBIC = 3
FITTED = "fitted for"
"""Marks pictures that have the size of a model: to fit them once more would cut from them again."""
WARPED_FROM = 384
"""ConvNeXt crops below this size, and from it on squeezes the whole picture into the square."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes an array.

    Attributes:
        fit: "shortest": the shorter side gets the length `height`; "exact": squeezed to `height` x `width`; "pad": made
            to fit without cropping, centred on `pad_color`.
        crop: height and width that are cut from the middle, or None.
        resample: Pillow's number for the filter.
        scale: what 8-bit values are multiplied with.
        pad_color: "white", or "edge" for the median colour of the picture's edge.
    """

    fit: Fit
    height: int
    width: int
    crop: tuple[int, int] | None = None
    resample: int = BICUBIC
    scale: float = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pad_color: Literal["white", "edge"] = "white"

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the arrays."""
        return self.crop or (self.height, self.width)

    def place(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Where a picture of this width and height comes to lie with "pad": left, top, width and height."""
        factor = min(self.width / size[0], self.height / size[1])
        width, height = (max(1, round(side * factor)) for side in size)
        return (self.width - width) // 2, (self.height - height) // 2, width, height

    @property
    def least_side(self) -> int:
        """The shorter side of a picture that is never enlarged."""
        return max(self.height, self.width)

    def __call__(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Arrays of shape (pictures, 3, height, width)."""
        import numpy as np

        batch = np.empty((len(pictures), 3, *self.shape), dtype=np.float32)
        factor = (self.scale / np.asarray(self.std)).astype(np.float32)
        shift = (np.asarray(self.mean) / np.asarray(self.std)).astype(np.float32)
        for row, picture in zip(batch, pictures, strict=True):
            pixels = np.asarray(self.fitted(picture))
            for colour, plane in enumerate(row):  # plane by plane: a quarter of the time of all at once
                np.multiply(pixels[:, :, colour], factor[colour], out=plane)
                np.subtract(plane, shift[colour], out=plane)
        return batch

    def fitted(self, picture: Image.Image) -> Image.Image:
        """The picture at the size of the model, still in 8 bits."""
        if picture.info.get(FITTED) == self:
            return picture
        picture = picture if picture.mode == "RGB" else picture.convert("RGB")
        if self.fit == "pad":
            return _letterbox(picture, self)
        size = (self.width, self.height) if self.fit == "exact" else _shortest(picture.size, self.height)
        return _middle(picture, size, self.crop or size[::-1], self.resample)

    def prepared(self, picture: Image.Image) -> Image.Image:
        """As `fitted`, and known as such: it may be given to this preprocessing instead of the whole picture."""
        found = self.fitted(picture)
        if found is not picture:
            found.info = {FITTED: self}
        return found


def _shortest(size: tuple[int, int], wanted: int) -> tuple[int, int]:
    """Width and height with the shorter one as wanted; the longer one is rounded down, as models expect."""
    width, height = size
    if width <= height:
        return wanted, int(wanted * height / width)
    return int(wanted * width / height), wanted


def _middle(picture: Image.Image, size: tuple[int, int], crop: tuple[int, int], resample: int) -> Image.Image:
    """The middle of the picture made as large as `size`, height and width as `crop`; what lies outside of it is black.

    Only what is kept is made: of a picture far longer than wide, the whole would be huge.
    """
    height, width = crop
    (across, left, right), (down, top, bottom) = map(_kept, picture.size, size, (width, height))
    plain = picture.size == size == (across, down)
    made = picture if plain else picture.resize((across, down), resample, (left, top, right, bottom))
    if made.size == (width, height):
        return made
    left, top = (width - across + 1) // 2, (height - down + 1) // 2
    return made.crop((-left, -top, width - left, height - top))


def _kept(length: int, wanted: int, crop: int) -> tuple[int, float, float]:
    """Of a side that is made as long as wanted: what is kept of that, and where it begins and ends in the side."""
    kept = min(wanted, crop)
    first, step = (wanted - kept) // 2, length / wanted
    return kept, first * step, min((first + kept) * step, length)


def _letterbox(picture: Image.Image, how: Preprocessing) -> Image.Image:
    from PIL import Image

    left, top, width, height = how.place(picture.size)
    resized = picture.resize((width, height), how.resample)
    colour = (255, 255, 255) if how.pad_color == "white" else _edge_colour(resized)
    canvas = Image.new("RGB", (how.width, how.height), colour)
    canvas.paste(resized, (left, top))
    return canvas


def _edge_colour(picture: Image.Image) -> tuple[int, int, int]:
    import numpy as np

    pixels = np.asarray(picture)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = np.median(edge, axis=0).astype(int).tolist()
    return red, green, blue


def read_preprocessing(table: Mapping[str, Any]) -> Preprocessing:
    """The preprocessing that a preprocessor_config.json describes. Raises ModelError on one that is not supported."""
    if "max_num_patches" in table and not table.get("size"):
        raise ModelError(
            "this model takes pictures in patches of any shape (NaFlex), which is not supported: "
            "take the variant of the model with a fixed picture size, such as google/siglip2-base-patch16-224"
        )
    try:
        return _read(table)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"preprocessor_config.json is not understood: {type(error).__name__}: {error}") from error


def _read(table: Mapping[str, Any]) -> Preprocessing:
    fit, height, width, crop = _geometry(table)
    normal = table.get("do_normalize", True)
    return Preprocessing(
        fit=fit,
        height=height,
        width=width,
        crop=crop,
        resample=int(table.get("resample", BICUBIC)),
        scale=float(table.get("rescale_factor", 1 / 255)) if table.get("do_rescale", True) else 1.0,
        mean=_three(table["image_mean"]) if normal else (0.0, 0.0, 0.0),
        std=_three(table["image_std"]) if normal else (1.0, 1.0, 1.0),
        pad_color="edge" if table.get("pad_color") == "edge" else "white",
    )


def _geometry(table: Mapping[str, Any]) -> tuple[Fit, int, int, tuple[int, int] | None]:
    kind = str(table.get("image_processor_type") or table.get("feature_extractor_type") or "")
    size = table["size"]
    if isinstance(size, int):
        size = {"shortest_edge": size} if kind.startswith(("CLIP", "ConvNext")) else {"height": size, "width": size}
    crop = _pair(table["crop_size"]) if table.get("crop_size") and table.get("do_center_crop", True) else None
    if table.get("fit") == "pad":
        height, width = _pair(size)
        return "pad", height, width, None
    if "height" in size:
        return "exact", int(size["height"]), int(size["width"]), crop
    edge = int(size["shortest_edge"])
    if kind.startswith("ConvNext"):
        if edge >= WARPED_FROM:
            return "exact", edge, edge, None
        return "shortest", int(edge / float(table.get("crop_pct") or 224 / 256)), edge, (edge, edge)
    return "shortest", edge, edge, crop or (edge, edge)


def _pair(size: int | Mapping[str, int]) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    if "shortest_edge" in size:
        return int(size["shortest_edge"]), int(size["shortest_edge"])
    return int(size["height"]), int(size["width"])


def _three(numbers: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = map(float, numbers)
    return red, green, blue
