"""From a seed to a picture and its truth."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from character_pipeline.errors import MissingExtraError
from character_pipeline.sample.character import Character, sample_character
from character_pipeline.sample.figure import draw_figure
from character_pipeline.sample.finish import finished
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig, make_rig
from character_pipeline.sample.scene import View, draw_background, draw_landscape, draw_still_life, view_of
from character_pipeline.sample.shot import Shot, sample_shot
from character_pipeline.sample.styles import STYLES, Style, find_style
from character_pipeline.sample.tags import empty_tags, group_tags, single_tags
from character_pipeline.sample.truth import Truth, describe

if TYPE_CHECKING:
    from PIL.Image import Image

CYCLE = 24
SPECIALS: Mapping[int, str] = {
    # what is special about a seed, by its remainder: any 24 seeds in a row hold every case
    2: "closed eyes", 5: "several", 8: "from behind", 11: "monochrome", 14: "none", 16: "covered eyes", 18: "headless",
    20: "several", 22: "from behind",
}  # fmt: skip
OVER_EYES = frozenset({"Glasses", "Sunglasses", "Eyepatch"})
SHARED = 4
"""Of so many seeds in a row, the last draws the person of the one before again, in another picture."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawn picture.

    Attributes:
        svg: the picture. Its view box gives the proportions.
        look: its style.
        truth: what a line of truth.jsonl holds, without item_id and noise.
        tags: natural and right Danbooru tags.
        seed: what it was drawn from.
    """

    svg: str
    look: Style
    truth: dict[str, Any]
    tags: list[str]
    seed: int
    aspect: float = 1.0

    @property
    def style(self) -> str:
        return self.look.name


def draw(seed: int, style: str | Style | None = None, framing: str | None = None) -> Drawing:
    """The picture of this seed, in this style or in one drawn by the seed; a single person also in this framing.

    Raises ConfigError that names the styles where the style is unknown.
    """
    rng = Random(f"drawing {seed}")
    given = rng.choice(list(STYLES)) if style is None else style
    chosen = given if isinstance(given, Style) else find_style(given)
    special = SPECIALS.get(seed % CYCLE, "")
    if special == "none":
        return _empty(seed, chosen, rng)
    if special == "several":
        return _several(seed, chosen, rng)
    return _single(seed, chosen, special, framing)


def render(drawing: Drawing, size: int = 512) -> Image:
    """The picture in pixels, RGB, its longer side `size` pixels.

    Raises MissingExtraError where resvg-py is not installed.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise MissingExtraError("drawing samples", "sample") from error
    from PIL import Image

    style = drawing.look
    drawn = max(72, size // 4) if style.finish == "pixel" else size
    width = max(1, round(drawn * min(1.0, drawing.aspect)))
    png = resvg_py.svg_to_bytes(svg_string=drawing.svg, width=width, background=style.paper, skip_system_fonts=True)
    picture = Image.open(io.BytesIO(bytes(png))).convert("RGB")
    return finished(picture, style, size, drawing.seed)


def person_seed(seed: int) -> int:
    """The seed of the person in the picture of this seed."""
    return seed - 1 if seed % SHARED == SHARED - 1 else seed


def _single(seed: int, style: Style, special: str, framing: str | None) -> Drawing:
    person = sample_character(person_seed(seed))
    shot = sample_shot(seed, special)
    shot = fitting(person, replace(shot, framing=framing) if framing and special != "headless" else shot)
    if shot.cover == "blindfold":
        person = replace(person, accessories=tuple(a for a in person.accessories if a not in OVER_EYES))
    rig = make_rig(person, shot, style)
    view = view_of(person, shot, rig)
    pen = Pen(style, colourless=shot.grey)
    draw_background(pen, shot.background, shot.hue, view)
    draw_figure(pen, person, shot, rig)
    truth = describe(person, shot, rig, view)
    tags, stated = single_tags(person, shot, style, truth, seed)
    return _drawing(seed, pen, view, replace(truth, stated=stated, character=person.identity), tags)


def fitting(person: Character, shot: Shot) -> Shot:
    """The shot without what this person cannot do: wave in wide sleeves, hide the eyes behind no fringe."""
    if person.outfit.wide and shot.pose in {"wave", "hip"}:
        shot = replace(shot, pose="sides")
    bare = person.hair_covered or (
        person.hair.fringe == "" and person.hair.arrangement not in {"", "Bob Cut", "Ponytail"}
    )
    if shot.cover == "bangs" and bare:
        shot = replace(shot, cover="blindfold")
    if shot.back and shot.framing == "portrait":
        shot = replace(shot, framing="cowboy")
    if shot.grey and shot.background in {"sky", "meadow", "night"}:
        shot = replace(shot, background="white")
    return shot


def _several(seed: int, style: Style, rng: Random) -> Drawing:
    count = rng.choice([2, 2, 3, 4])
    people = [sample_character(10_000_000 + seed * 4 + i) for i in range(count)]
    shots = [
        replace(fitting(p, sample_shot(seed * 4 + i)), framing="full_body", background="white")
        for i, p in enumerate(people)
    ]
    rigs = [make_rig(p, s, style) for p, s in zip(people, shots, strict=True)]
    spread = max(150.0, 2.3 * max(rig.shoulder for rig in rigs))
    floor = max(rig.floor for rig in rigs)
    width = spread * (count - 1) + 320
    height = (floor + 190) if rng.random() < 0.5 else (floor * 0.55 + 190)
    view = (-width / 2, floor * 1.0 - floor - 180.0, width, max(height, width * 0.7))
    pen = Pen(style)
    draw_background(pen, sample_shot(seed).background, sample_shot(seed).hue, view)
    for i, (person, shot, rig) in enumerate(zip(people, shots, rigs, strict=True)):
        with pen.moved(f"translate({(i - (count - 1) / 2) * spread:.1f} {_drop(rig, rigs):.1f})"):
            draw_figure(pen, person, shot, rig)
    tags = group_tags(people, style, seed)
    return _drawing(seed, pen, view, Truth(people="multiple"), tags)


def _drop(rig: Rig, rigs: list[Rig]) -> float:
    return (max(other.floor for other in rigs) - rig.floor) * 0.7


def _empty(seed: int, style: Style, rng: Random) -> Drawing:
    pen, hue, land = Pen(style), rng.randrange(360), rng.random() < 0.6
    (draw_landscape if land else draw_still_life)(pen, hue)
    tags = empty_tags("landscape" if land else "still life", style, seed)
    return _drawing(seed, pen, (0.0, 0.0, 100.0, 100.0), Truth(people="none"), tags)


def _drawing(seed: int, pen: Pen, view: View, truth: Truth, tags: list[str]) -> Drawing:
    line = {"style": pen.style.name, "people": truth.people, **truth.to_json(), "tags": tags}
    return Drawing(pen.document(view), pen.style, line, tags, seed, view[2] / view[3])
