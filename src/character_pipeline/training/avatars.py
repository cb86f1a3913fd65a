"""Training pictures from labelled avatar sets: WebDataset archives of NAME.png and NAME.json.

The JSON has attribute labels with values of the vocabulary; a label that is absent was not labelled. "Facial Hair" may
be true or false. "skin_hex", "#rrggbb", is the drawn colour of the skin; it helps to find what is skin and what hair.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from character_pipeline.errors import ConfigError
from character_pipeline.extractors.head_finder import Box, HeadFinder, head_view
from character_pipeline.training.corpus import HEAD, STORED, Corpus, Pairs, letterboxed
from character_pipeline.training.labels import labelled_values
from character_pipeline.training.regions import find_regions

OPEN = ("Accessories", "Hair Style")
"""Lists, of which a labeller knows only the values that it ever gives."""


def avatar_pairs(path: Path) -> Pairs:
    """All labelled pictures of an archive, which is a style, and their heads, where they are found.

    Raises ConfigError naming what cannot be read.
    """
    whole, finder = _corpus(path), HeadFinder()
    boxes = [finder.find(Image.fromarray(pixels)) for pixels in whole.pixels]
    pixels, regions = whole.pixels.copy(), whole.regions.copy()
    for row, box in enumerate(boxes):
        if box is not None:
            pixels[row], regions[row] = _closer(pixels[row], box, True), _closer(regions[row], box, False)
    lines = [line if box is None else {**line, "view": HEAD} for line, box in zip(whole.lines, boxes, strict=True)]
    return Pairs(whole, Corpus(pixels, regions, lines))


def _closer(array: NDArray[np.uint8], box: Box, smooth: bool) -> NDArray[np.uint8]:
    """A square of a picture or of its regions, as large as the whole was."""
    part, half = Image.fromarray(array), box.side / 2
    around = round(box.x - half), round(box.y - half), round(box.x + half), round(box.y + half)
    part = head_view(part, box) if smooth else part.crop(around)
    how = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    return np.asarray(part.resize((STORED, STORED), how))


def _corpus(path: Path) -> Corpus:
    pixels, regions, lines = [], [], []
    for picture, labels in _members(path):
        square = letterboxed(picture, STORED)
        pixels.append(square)
        regions.append(find_regions(square, labels.pop("skin_hex", None), labels.get("Hair Color")))
        lines.append({"style": path.stem, "people": "single", "attributes": labels})
    if not lines:
        raise ConfigError(f"{path} has no pairs of NAME.png and NAME.json")
    known = {label: labelled_values(lines, label) for label in OPEN}
    for line in lines:
        line["labelled"] = {label: known[label] if label in line["attributes"] else [] for label in OPEN}
    return Corpus(np.stack(pixels), np.stack(regions), lines)


def _members(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    from PIL import Image

    try:
        with tarfile.open(path) as archive:
            files = {member.name: member for member in archive if member.isfile()}
            for name in sorted(name for name in files if name.endswith(".json")):
                picture = files.get(name.removesuffix(".json") + ".png")
                if picture is not None:
                    labels = json.loads(_bytes(archive, files[name]))
                    yield Image.open(io.BytesIO(_bytes(archive, picture))), labels
    except (OSError, tarfile.TarError, ValueError) as error:
        raise ConfigError(f"the labelled pictures cannot be read: {path}: {error}") from error


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file is not None else b""
