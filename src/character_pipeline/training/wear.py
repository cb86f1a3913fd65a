"""Gives pictures of heads glasses, facial hair, and marks that are neither, with the labels that follow.

Every style of avatars has a few kinds of each, always drawn alike; from these alone nothing is learnt that holds in
another style.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.training.augment import HAIR, HAIR_RANGES, random_colour
from character_pipeline.training.brush import Colour, Shape, paint
from character_pipeline.training.corpus import HEAD, Corpus
from character_pipeline.training.distractions import distract
from character_pipeline.training.drawn import DRAWN_FACE
from character_pipeline.training.eyewear import glasses
from character_pipeline.training.faces import Face, find_face
from character_pipeline.training.facial_hair import beard, goatee, mustache, stubble

GLASSES = 0.2
SUNGLASSES = 0.2
"""Of those with glasses."""
FACIAL_HAIR = 0.3
DISTRACTED = 0.4
BEARDS: Mapping[tuple[str, ...], float] = {
    ("Mustache",): 0.35, ("Beard",): 0.12, ("Beard", "Mustache"): 0.2, ("Goatee",): 0.1, ("Goatee", "Mustache"): 0.11,
    ("Stubble",): 0.12,
}  # fmt: skip
EYEWEAR = {"Glasses", "Sunglasses", "Goggles", "Eyepatch", "Mask"}
DRAW: Mapping[str, Callable[[Shape, Face, np.random.Generator], None]] = {
    "Mustache": mustache, "Beard": beard, "Goatee": goatee, "Stubble": stubble,
}  # fmt: skip
OUTLINED = 0.35
SHADOW = 0.5
"""Of stubble: a faint beard instead of single hairs."""
FAINT = 0.25
NATURAL = ("Black", "Black", "Brown", "Grey", "Blonde", "White")
Line = dict[str, Any]


def dress(corpus: Corpus, seed: int) -> Corpus:
    """The same pictures, some of the heads with things on them. The same seed dresses them the same."""
    rng = np.random.default_rng([seed, 4_000_000])
    pixels, regions, lines = corpus.pixels.copy(), corpus.regions.copy(), list(corpus.lines)
    for row, line in enumerate(lines):
        if line.get("view") == HEAD and line["people"] == "single":
            face = find_face(regions[row]) if "labelled" in line else _drawn_face(line)
            if face is not None:
                head = _Head(pixels[row].astype(np.float32), regions[row], line, face, rng)
                lines[row] = head.dressed()
                pixels[row] = head.picture.clip(0, 255).astype(np.uint8)
    return Corpus(pixels, regions, lines)


def _drawn_face(line: Line) -> Face | None:
    """None where it is not seen."""
    return DRAWN_FACE if {"Eye Color", "Facial Expression"} & set(line["attributes"]) else None


class _Head:
    """One head while it is dressed; `regions` are changed in place."""

    def __init__(
        self, picture: NDArray[np.float32], regions: NDArray[np.uint8], line: Line, face: Face, rng: np.random.Generator
    ) -> None:
        self.picture, self.regions, self.line, self.rng = picture, regions, line, rng
        self.given: Line = dict(line["attributes"])
        self.face, self.shape = face.shifted(rng), partial(Shape, len(picture))

    def dressed(self) -> Line:
        """Draw; the line that is true of the picture now."""
        worn = set(self.given.get("Accessories") or ())
        if self.rng.random() < DISTRACTED:
            for shape in distract(self.shape, self.face, self.rng):
                self._paint(shape, self._any_colour(), self.rng.uniform(0.3, 1.0))
        if self._shaven() and "Mask" not in worn and self.rng.random() < FACIAL_HAIR:
            self._grow()
        if self._glasses_known() and not worn & EYEWEAR and self.rng.random() < GLASSES:
            self._put_on()
        return {**self.line, "attributes": self.given}

    def _shaven(self) -> bool:
        """Whether it is known that there is no facial hair, and none would be odd."""
        known = self.given.get("Facial Hair") is False or (
            "labelled" not in self.line and not self.given.get("Facial Hair")
        )
        return known and self.given.get("Gender") != "Female"

    def _glasses_known(self) -> bool:
        return "labelled" not in self.line or "Glasses" in self.line["labelled"].get("Accessories", ())

    def _grow(self) -> None:
        kinds = list(BEARDS)
        kind = kinds[self.rng.choice(len(kinds), p=list(BEARDS.values()))]
        colour, strength = self._beard_colour(), float(self.rng.choice([1.0, self.rng.uniform(FAINT, 1.0)]))
        outlined = self.rng.random() < OUTLINED
        for name in kind:
            shape = self.shape()
            shadow = name == "Stubble" and self.rng.random() < SHADOW
            (beard if shadow else DRAW[name])(shape, self.face, self.rng)
            if outlined and name != "Stubble":
                self._paint(shape.thicker(), colour * 0.3, 1.0)
            self._paint(shape, colour, self.rng.uniform(FAINT, 2 * FAINT) if shadow else strength)
        self.given["Facial Hair"] = list(kind)
        if "labelled" in self.line:
            self.line = {**self.line, "labelled": {**self.line["labelled"], "Facial Hair": list(DRAW)}}

    def _beard_colour(self) -> Colour:
        """As the hair, or of another."""
        hair = self.regions == HAIR
        chance, name = self.rng.random(), str(self.given.get("Hair Color"))
        if chance < 0.5 and hair.any():
            found: Colour = np.median(self.picture[hair], axis=0)
            return found
        if chance < 0.5 and name in HAIR_RANGES:
            return random_colour(HAIR_RANGES[name], self.rng)
        return random_colour(HAIR_RANGES[NATURAL[self.rng.integers(len(NATURAL))]], self.rng)

    def _any_colour(self) -> Colour:
        if self.rng.random() < 0.5:
            return self._beard_colour()
        colour: Colour = self.rng.uniform(0, 255, 3).astype(np.float32)
        return colour

    def _put_on(self) -> None:
        frame, lenses = self.shape(), self.shape()
        glasses(frame, lenses, self.face, self.rng)
        dark = self.rng.random() < SUNGLASSES
        tint = self.rng.uniform(0, 90, 3) if dark else self.rng.uniform(60, 255, 3)
        strength = self.rng.uniform(0.85, 1.0) if dark else self.rng.choice([0.0, self.rng.uniform(0.1, 0.5)])
        self._paint(lenses, tint.astype(np.float32), float(strength))
        black = self.rng.random() < 0.5
        self._paint(frame, self.rng.uniform(0, 50 if black else 255, 3).astype(np.float32), 1.0)
        self.given["Accessories"] = [*(self.given.get("Accessories") or ()), "Sunglasses" if dark else "Glasses"]
        if dark:
            self.given.pop("Eye Color", None)

    def _paint(self, shape: Shape, colour: Colour, strength: float) -> None:
        paint(self.picture, shape, colour, strength)
        self.regions[shape.cover() * strength > 0.4] = 0
