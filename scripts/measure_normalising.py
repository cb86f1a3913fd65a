"""What ways of making pictures alike would change in the answers of the embedded model: too little to have them.

    python scripts/measure_normalising.py --count 500 --avatars avataaars.tar

Drawn characters in styles that the model never saw, and labelled avatars. Of things that are there or not: balanced
accuracy; else the share of right answers, the model being made to choose.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.extractors.clip_analyzer import ClipAnalyzer, make_clip_analyzer
from character_pipeline.extractors.color_groups import flooded
from character_pipeline.extractors.prompt_scoring import probabilities
from character_pipeline.sample import render
from character_pipeline.training.avatars import avatar_pairs
from character_pipeline.training.drawn import TEST_STYLES, test_drawing
from character_pipeline.vocabulary import load_vocabulary

Pictures = list[tuple[Image.Image, Mapping[str, Any]]]
SHOWN = ("hair_color", "hair_length", "eye_color", "gender", "dress", "facial_expression")
AT_ONCE, LIKELY, FEWEST = 32, 0.3, 40
TOLERANCE = 24
"""Levels (of 255, in the channel that differs most) by which the ground may differ from its neighbours at the edge."""
MARGIN = 0.06
LEAST_FIGURE = 0.02
"""Of a picture with less than this share of figure, the ground was not found, and it is left as it is."""
CLIPPED = 0.005


def flatten_background(picture: Image.Image, tolerance: int = TOLERANCE) -> Image.Image:
    """The picture with a plain or soft ground in white: what hangs together with the edges in the edges' colours."""
    pixels = np.asarray(picture.convert("RGB"))
    ground = find_background(pixels, tolerance)
    return Image.fromarray(np.where(ground[..., None], np.uint8(255), pixels))


def crop_to_subject(picture: Image.Image, margin: float = MARGIN, tolerance: int = TOLERANCE) -> Image.Image:
    """The part of the picture with something else than ground, with a margin in shares of its longer side."""
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


WAYS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda picture: picture,
    "flat ground": flatten_background,
    "cropped": crop_to_subject,
    "stretched": balance,
    "grey world": lambda picture: balance(picture, grey_world=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--avatars", type=Path, action="append", default=[])
    asked = parser.parse_args()
    analyzer = make_clip_analyzer(load_vocabulary(), ClipAnalyzerConfig(model_name="embedded"))
    sets = {"drawn": drawn(asked.count), **{path.stem: avatars(path, asked.count) for path in asked.avatars}}
    for name, pictures in sets.items():
        for way, change in WAYS.items():
            found = rightness(analyzer, [(change(picture), truth) for picture, truth in pictures])
            cells = "  ".join(f"{key} {value:.3f}" for key, value in found.items())
            print(f"{name:10} {way:12} mean {np.mean(list(found.values())):.3f}  {cells}", flush=True)


def drawn(count: int) -> Pictures:
    drawings = [test_drawing(index, TEST_STYLES) for index in range(count)]
    return [(render(one, 384), one.truth["attributes"]) for one in drawings if one.truth["people"] == "single"]


def avatars(path: Path, count: int) -> Pictures:
    whole = avatar_pairs(path).whole
    truths = [line["attributes"] for line in whole.lines[:count]]
    return [(Image.fromarray(pixels), truth) for pixels, truth in zip(whole.pixels, truths, strict=False)]


def rightness(analyzer: ClipAnalyzer, pictures: Pictures) -> dict[str, float]:
    """By attribute, and for glasses."""
    shown = [analyzer.reader.prepare(picture) for picture, _ in pictures]
    parts = [analyzer.reader.read(shown[at : at + AT_ONCE]) for at in range(0, len(shown), AT_ONCE)]
    logits, truths = analyzer.table.logits(np.concatenate(parts)), [truth for _, truth in pictures]
    found: dict[str, float] = {}
    for asked in analyzer.table.asked:
        chances, _ = probabilities(asked, logits)
        if asked.attribute in SHOWN:
            found |= _choice(asked.attribute, asked.values, chances, truths)
        elif asked.attribute == "accessories":
            found["glasses"] = _there(chances[:, asked.values.index("Glasses")], truths)
    return found


def _choice(
    key: str, values: Sequence[str], chances: NDArray[np.float64], truths: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    wanted = [truth.get(key.replace("_", " ").title()) for truth in truths]
    hits = [values[row.argmax()] == value for row, value in zip(chances, wanted, strict=True) if value in values]
    return {key: float(np.mean(hits))} if len(hits) >= FEWEST else {}


def _there(chances: NDArray[np.float64], truths: Sequence[Mapping[str, Any]]) -> float:
    true = np.array(["Glasses" in truth.get("Accessories", ()) for truth in truths])
    said = chances > LIKELY
    return float((said[true].mean() + (~said[~true]).mean()) / 2)


if __name__ == "__main__":
    main()
