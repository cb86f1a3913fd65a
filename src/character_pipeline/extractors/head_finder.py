"""Finds the head of the one character in a picture, so that a model can be shown it by itself.

The network is asked for the place of the head in the picture letterboxed on white to a square of SIDE pixels. Its input
"pixels" has shape (n, 3, SIDE, SIDE), RGB from 0 to 1; its output "found" has shape (n, 4): the middle of the head and
the side of the square around it, in sides of the letterbox, and the logit that there is one clear head.
"""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from character_pipeline.errors import ModelError
from character_pipeline.models.checkpoint import digest_files
from character_pipeline.models.onnx_backend import Session, start_session
from character_pipeline.models.preprocess import Preprocessing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

HEAD_FINDER = Path(__file__).with_name("head_finder.onnx")
VERSION = 1
"""Changes whenever the same network would lead to another view."""
SIDE = 64
BILINEAR = 2
LETTERBOX = Preprocessing("pad", SIDE, SIDE, resample=BILINEAR)
LEAST = 12
"""Pixels of the picture; a smaller head shows no more by itself than in the whole."""
MOST = 2.0
"""A box with more sides of the letterbox than this is none."""
PLENTY = 1024
"""Pixels; no model takes views of more, and reducing large ones first keeps their borders from filling the memory."""


class Box(NamedTuple):
    """A square in a picture: its middle and its side, in pixels."""

    x: float
    y: float
    side: float


class HeadFinder:
    """Finds heads. The network is loaded when it is first asked; threads may share it."""

    def __init__(self, path: Path = HEAD_FINDER) -> None:
        self.path = path
        self._lock = Lock()

    @property
    def digest(self) -> str:
        """Names the content of the network and what is made of its answers. Raises ModelError where it is missing."""
        if not self.path.is_file():
            raise ModelError(
                f"{self.path} is missing, which the view 'head' needs: install character-pipeline again, or set "
                'clip_analyzer.views to ["whole"]'
            )
        return f"{VERSION}.{digest_files([self.path])[:20]}"

    def find(self, picture: Image.Image) -> Box | None:
        """Where the one head is; None where it is not clear, or too small. Raises ModelError on a broken network."""
        small = _reduced(picture, max(picture.size) // (2 * SIDE))
        (found,) = self._session.run(["found"], {"pixels": LETTERBOX([small])})
        if found.shape != (1, 4):
            raise ModelError(f"{self.path}: the output 'found' has shape {found.shape}, not (1, 4). Fetch it again")
        return _box(found[0], small.size, picture.size)

    @property
    def _session(self) -> Session:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> Session:
        session = start_session(str(self.path))
        names = [entry.name for entry in session.get_inputs()], [entry.name for entry in session.get_outputs()]
        if names != (["pixels"], ["found"]):
            raise ModelError(f"{self.path} has inputs and outputs {names}, not 'pixels' and 'found'. Fetch it again")
        return session

    def __getstate__(self) -> Path:
        # A network stays in its process, as a lock does.
        return self.path

    def __setstate__(self, path: Path) -> None:
        self.__init__(path)  # type: ignore[misc]


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """In RGB, and so many times smaller."""
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    return picture.reduce(factor) if factor > 1 else picture


def _box(found: NDArray[np.float32], small: tuple[int, int], size: tuple[int, int]) -> Box | None:
    """From the letterbox to the picture. Anything but a head in the picture, also no number, is None."""
    left, top, inner_width, inner_height = LETTERBOX.place(small)
    x, y, side, logit = map(float, found)
    width, height = size
    box = Box((x * SIDE - left) * width / inner_width, (y * SIDE - top) * height / inner_height, side * max(size))
    inside = 0 <= box.x <= width and 0 <= box.y <= height
    return box if logit >= 0 and inside and LEAST <= box.side <= MOST * max(size) else None


def head_view(picture: Image.Image, box: Box) -> Image.Image:
    """The square of a box whose middle lies in the picture, in RGB; what lies outside of the picture is white."""
    from PIL import Image

    side, left, top = round(box.side), round(box.x - box.side / 2), round(box.y - box.side / 2)
    inside = max(left, 0), max(top, 0), min(left + side, picture.width), min(top + side, picture.height)
    factor = max(1, side // PLENTY)
    view = Image.new("RGB", (math.ceil(side / factor),) * 2, "white")
    view.paste(_reduced(picture.crop(inside), factor), ((inside[0] - left) // factor, (inside[1] - top) // factor))
    return view
