"""Colours: what a value of the vocabulary looks like, and how colours mix."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from random import Random

HAIR: Mapping[str, str] = {
    "Black": "#33313d",
    "Brown": "#85512f",
    "Blonde": "#f4d57a",
    "Red": "#c23835",
    "Orange": "#ef8b3d",
    "Pink": "#f59cc2",
    "Purple": "#8c5db8",
    "Blue": "#4272c8",
    "Aqua": "#63d3d0",
    "Green": "#5ba85c",
    "Grey": "#9b9ba5",
    "White": "#f4f2f4",
}
EYES: Mapping[str, str] = {
    "Brown": "#85502c",
    "Blue": "#3b82e0",
    "Green": "#3fa653",
    "Red": "#d62f3a",
    "Purple": "#8d4fc4",
    "Yellow": "#f0c22e",
    "Orange": "#f08428",
    "Pink": "#f073ac",
    "Aqua": "#37cbc6",
    "Grey": "#8e939e",
    "Black": "#2c2a33",
    "White": "#e6e9ef",
}
SKIN: Mapping[str, str] = {
    "Pale": "#fff0ea",
    "Light": "#fcdac4",
    "Tan": "#dda679",
    "Dark": "#9c6747",
    "Very Dark": "#643f2e",
}
ODD_SKIN: Mapping[str, str] = {"blue": "#93bdec", "green": "#9fd192", "purple": "#bb9fe3", "red": "#e2776e"}
CLOTH: Mapping[str, str] = {
    "black": "#34343f",
    "brown": "#8b5e3c",
    "red": "#cf3d40",
    "orange": "#f0913f",
    "pink": "#f5a3c0",
    "purple": "#8a62bd",
    "blue": "#3f68b5",
    "aqua": "#6fd0d2",
    "green": "#4f9a63",
    "grey": "#a3a6b0",
    "white": "#f7f6f4",
    "yellow": "#f5d24f",
}
METAL = "#b9c0cc"
STEEL: Mapping[str, str] = {
    # what armour of a colour looks like
    "grey": METAL,
    "black": "#4a4b58",
    "white": "#eceef4",
    "blue": "#6f8fc9",
    "red": "#b9474a",
}
GOLD = "#e9bd4c"
INK = "#2d2330"


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue in 0..255 of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def hexed(parts: tuple[float, float, float]) -> str:
    """ "#rrggbb" of red, green and blue in 0..255."""
    return "#" + "".join(f"{min(255, max(0, round(p))):02x}" for p in parts)


def mix(a: str, b: str, share: float) -> str:
    """Colour `a` with this share of `b`."""
    (ar, ag, ab), (br, bg, bb) = rgb(a), rgb(b)
    return hexed((ar + (br - ar) * share, ag + (bg - ag) * share, ab + (bb - ab) * share))


def shadow(colour: str, amount: float = 0.24) -> str:
    """The colour in the shade: darker and a little towards violet."""
    return mix(colour, "#3a2358", amount)


def lit(colour: str, amount: float = 0.4) -> str:
    """The colour in the light."""
    return mix(colour, "#ffffff", amount)


def grey(colour: str) -> str:
    """The colour without its hue."""
    red, green, blue = rgb(colour)
    return hexed((0.3 * red + 0.59 * green + 0.11 * blue,) * 3)


def vary(colour: str, rng: Random, amount: float = 0.02) -> str:
    """A near neighbour: no two heads have quite the same blonde."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in rgb(colour)))
    hue = (hue + rng.uniform(-amount, amount) * 0.5) % 1
    light = min(1, max(0, light + rng.uniform(-amount, amount) * 1.6))
    saturation = min(1, max(0, saturation + rng.uniform(-amount, amount) * 4 * (saturation > 0.12)))
    red, green, blue = colorsys.hls_to_rgb(hue, light, saturation)
    return hexed((red * 255, green * 255, blue * 255))
