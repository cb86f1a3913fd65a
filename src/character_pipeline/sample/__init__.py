"""Draws labelled characters: the sample data set, training pictures, load tests.

`draw` makes one picture from a seed, `render` turns it into pixels, `write_samples` writes a data set in the input
format with its truth. Every value of the vocabulary that can be drawn decently is drawn (`UNDRAWN` names the others);
the art is for all ages.

A line of truth.jsonl has these keys:

    item_id      the picture's path below the folder
    style        one of `STYLES`
    people       "single", "multiple" or "none"
    attributes   all that is true and visible, by label: a value, or a list where the vocabulary allows many. Of a
                 value and one that says it more precisely, only the precise one
    states       what exists but cannot be seen ("not_visible"), or is not there to describe ("not_applicable")
    stated       the part of `attributes` that the clean tags say
    details      the colours behind "Multicolored" and "Heterochromia", the garment with its colour
    tags         the clean tags; the sidecar has them after `noise`
    noise        what was done to tags and picture
    regime       where the noise is mixed: the kind of item that this is
    character    who it is: several pictures may show the same person, so split by this key

The bundled set in `bundled_folder()` is written by

    charpipe sample src/character_pipeline/sample/bundled --count 60 --seed 19 --size 384 --format webp --sidecars mixed
"""

from __future__ import annotations

from pathlib import Path

from character_pipeline.sample.drawing import Drawing, draw, render
from character_pipeline.sample.noise import LEVELS
from character_pipeline.sample.styles import STYLES
from character_pipeline.sample.truth import UNDRAWN
from character_pipeline.sample.writer import FORMATS, SIDECARS, write_samples

__all__ = [
    "FORMATS",
    "LEVELS",
    "SIDECARS",
    "STYLES",
    "UNDRAWN",
    "Drawing",
    "bundled_folder",
    "draw",
    "render",
    "write_samples",
]


def bundled_folder() -> Path:
    """The folder of the sixty pictures that come with the package, with sidecars and truth.jsonl."""
    return Path(__file__).parent / "bundled"
