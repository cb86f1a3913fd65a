"""Bytes to an RGB picture, or to a typed error. The one place where pictures are opened."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.errors import ItemError
from character_pipeline.input_loader.bounded import bounded
from character_pipeline.input_loader.exif import UPRIGHT, read_orientation

if TYPE_CHECKING:
    from PIL import Image

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"})
JPEGS = frozenset({"JPEG", "MPO"})
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
UNREACHABLE = frozenset({errno.ELOOP, errno.ENAMETOOLONG})
"""Links in a circle and names that are too long: nothing can be there, however often one looks."""
SIDEWAYS = frozenset({5, 6, 7, 8})
SUFFIX_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".avif": "AVIF",
}


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How pictures are decoded; all of it is part of what identifies a cached result."""

    max_pixels: int = 89_478_485
    jpeg_draft: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: upright, RGB, on white; with the size and format of the file it came from."""

    image: Image.Image
    width: int
    height: int
    format: str


def load_image(source: bytes | str | Path | Image.Image, options: ImageOptions | None = None) -> Picture:
    """Decode a picture to 8-bit RGB: upright by its EXIF orientation, alpha laid on white, deep greys scaled to 8
    bits, the first frame of an animation.

    Raises ItemError: empty_file, not_an_image, truncated_image, corrupt_image, image_too_large, or the kind of a
    file that cannot be read.
    """
    options = options or ImageOptions()
    if isinstance(source, bytes):
        return _decode(source, options)
    if isinstance(source, str | Path):
        return _decode(read_file(Path(source)), options)
    return _finish(source, replace(options, jpeg_draft=0))  # a draft would change the picture of the caller


def read_file(path: Path, limit: int | None = None) -> bytes:
    """The bytes of a file. Raises ItemError with the kind of what went wrong."""
    try:
        if not path.is_file() and path.exists():
            raise ItemError("not_a_file", f"not a plain file: {path.name!r}")
        with path.open("rb") as file:
            raw = file.read() if limit is None else file.read(limit + 1)
    except OSError as error:
        raise os_problem(error, path.name) from error
    if limit is not None and len(raw) > limit:
        raise ItemError("file_too_large", f"{path.name!r} has more than {limit:,} bytes")
    return raw


def os_problem(error: OSError, name: str) -> ItemError:
    """The typed form of an error of the operating system."""
    if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno in UNREACHABLE:
        return ItemError("not_found", f"no such file: {name!r}")
    if isinstance(error, PermissionError):
        return ItemError("permission_denied", f"may not be read: {name!r}")
    if isinstance(error, IsADirectoryError):
        return ItemError("not_a_file", f"a folder: {name!r}")
    return ItemError("io_error", f"{name!r}: {error.strerror or error}")


def count_pixels(raw: bytes, options: ImageOptions) -> int:
    """How many pixels the header of a picture promises. Raises ItemError as `load_image` does."""
    with _opened(raw) as image:
        _check_size(image, options)
        return int(image.width * image.height)


def _decode(raw: bytes, options: ImageOptions) -> Picture:
    with _opened(raw) as image:
        return _finish(image, options)


@contextmanager
def _opened(raw: bytes) -> Iterator[Image.Image]:
    """A picture whose header is read; whatever goes wrong with it is an ItemError."""
    from PIL import Image, UnidentifiedImageError

    if not raw:
        raise ItemError("empty_file", "the file has no bytes")
    Image.init()  # registers every format; without it only some can be asked for
    try:
        given, exif = bounded(raw)
        with Image.open(io.BytesIO(given), formats=FORMATS) as image:
            if exif:
                image.info["exif"] = exif
            yield image
    except ItemError:
        raise
    except UnidentifiedImageError as error:
        raise ItemError("not_an_image", f"no picture of a known format (it begins with {raw[:8]!r})") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ItemError("image_too_large", str(error)) from error
    except MemoryError as error:
        raise ItemError("out_of_memory", "not enough memory to decode the picture") from error
    except Exception as error:
        # Decoders of hostile files raise nearly anything: SyntaxError, struct.error, EOFError, ValueError, OSError.
        kind = "truncated_image" if "truncated" in str(error).lower() else "corrupt_image"
        raise ItemError(kind, f"{type(error).__name__}: {error}"[:300]) from error


def _finish(image: Image.Image, options: ImageOptions) -> Picture:
    _check_size(image, options)
    width, height = image.size
    name = image.format or "PIL"
    if options.jpeg_draft and name in JPEGS:
        image.draft("RGB", (options.jpeg_draft, options.jpeg_draft))
    image.load()
    turn = _orientation(image)
    if turn in SIDEWAYS:
        width, height = height, width
    return Picture(_to_rgb(_upright(image, turn)), width, height, "JPEG" if name == "MPO" else name)


def _orientation(image: Image.Image) -> int:
    exif = image.info.get("exif")
    return read_orientation(exif) if isinstance(exif, bytes) else UPRIGHT


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _check_size(image: Image.Image, options: ImageOptions) -> None:
    width, height = image.size
    if width * height > options.max_pixels:
        raise ItemError("image_too_large", f"{width} x {height} pixels; allowed are {options.max_pixels:,} in all")


def _to_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _scale_deep(image)
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        canvas = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(canvas, layer).convert("RGB")
    return image.convert("RGB")


def _scale_deep(image: Image.Image) -> Image.Image:
    """A picture with more than 8 bits of grey, scaled; Pillow's own conversion clips it to white."""
    import numpy as np
    from PIL import Image

    deep = np.asarray(image, dtype=np.float64)
    top = 65535.0 if image.mode != "F" or deep.max(initial=0.0) > 1.0 else 1.0
    if deep.max(initial=0.0) <= 255 and image.mode == "I":
        top = 255.0
    return Image.fromarray(np.clip(np.rint(deep * (255.0 / top)), 0, 255).astype(np.uint8)).convert("RGB")
