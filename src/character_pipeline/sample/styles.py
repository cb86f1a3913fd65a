"""The drawing styles, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from character_pipeline.errors import ConfigError, unknown_name


@dataclass(frozen=True, slots=True)
class Style:
    """How a picture is drawn.

    Attributes:
        ink: width of the outlines in units of `geometry`; 0 draws none.
        tinted: outlines in a darker shade of what they surround, else all in one dark ink.
        shade: "cel" has hard shadows, "soft" gradients, "none" flat areas.
        body: size of the body against the head, 1 for natural.
        eye: size of the eyes; `simple_eye` leaves out lashes and reflections.
        paper: colour of the ground; fills take this `wash` of it.
        loose: lines drawn twice, a little apart, and fills beside the lines.
        finish: what is done to the rendered pixels.
        tags: Danbooru tags that say the style.
    """

    name: str
    ink: float
    tinted: bool = True
    shade: Literal["cel", "soft", "none"] = "none"
    body: float = 1.0
    eye: float = 1.0
    simple_eye: bool = False
    paper: str = "#ffffff"
    wash: float = 0.0
    loose: bool = False
    finish: Literal["none", "canvas", "grain", "pixel"] = "none"
    tags: tuple[str, ...] = ()


STYLES: Mapping[str, Style] = {
    style.name: style
    for style in (
        Style("anime", ink=2.4, shade="cel", eye=1.12),
        Style("flat", ink=0, eye=0.82, simple_eye=True, tags=("flat_color", "no_lineart")),
        Style("chibi", ink=3.2, shade="cel", body=0.5, eye=1.22, tags=("chibi",)),
        Style("painterly", ink=0, shade="soft", eye=0.96, finish="canvas", tags=("painterly",)),
        Style(
            "sketch", ink=1.5, tinted=False, paper="#f6f0e2", wash=0.14, loose=True, finish="grain", tags=("sketch",)
        ),
        Style("pixel", ink=3.4, tinted=False, body=0.62, eye=1.1, finish="pixel", tags=("pixel_art",)),
    )
}


def find_style(name: str) -> Style:
    """The style of this name. Raises ConfigError that names all styles."""
    if name not in STYLES:
        raise ConfigError(unknown_name("style", name, STYLES))
    return STYLES[name]
