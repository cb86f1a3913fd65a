"""How a person is seen in one picture: expression, pose, framing, what hides what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

EXPRESSIONS: Mapping[str, int] = {
    "Happy": 30, "Neutral": 16, "Sad": 6, "Angry": 6, "Surprised": 6, "Embarrassed": 6, "Scared": 4, "Disgusted": 4,
    "Smug": 5, "Sleepy": 5, "Pouting": 5, "Serious": 7,
}  # fmt: skip
POSES = ("sides", "sides", "hip", "wave", "behind", "front")
FRAMINGS: Mapping[str, int] = {"portrait": 5, "upper_body": 9, "cowboy": 3, "full_body": 7}
BACKGROUNDS: Mapping[str, int] = {
    "white": 5, "colour": 4, "gradient": 3, "dots": 2, "stripes": 1, "sunburst": 1, "sky": 2, "meadow": 1, "room": 1,
    "night": 1,
}  # fmt: skip
SPECIAL = ("closed eyes", "from behind", "monochrome", "covered eyes", "headless", "closed eyes", "from behind")


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of one person.

    Attributes:
        framing: "portrait", "upper_body", "cowboy", "full_body" or "headless" (the head is out of the frame).
        cover: what hides the eyes: "", "bangs" or "blindfold".
        tilt: of the head, in degrees; turn: how far the face looks aside, in units of `geometry`.
    """

    expression: str
    pose: str
    framing: str
    background: str
    hue: int
    back: bool = False
    closed: bool = False
    grey: bool = False
    cover: str = ""
    tilt: float = 0.0
    turn: float = 0.0
    glance: float = 0.0


def sample_shot(seed: int, special: str = "") -> Shot:
    """The picture of this seed; `special` is one of `SPECIAL` or ""."""
    rng = Random(f"shot {seed}")
    framing = rng.choices(list(FRAMINGS), list(FRAMINGS.values()))[0]
    return Shot(
        expression=rng.choices(list(EXPRESSIONS), list(EXPRESSIONS.values()))[0],
        pose=rng.choice(POSES),
        framing="headless" if special == "headless" else framing,
        background=rng.choices(list(BACKGROUNDS), list(BACKGROUNDS.values()))[0],
        hue=rng.randrange(360),
        back=special == "from behind",
        closed=special == "closed eyes",
        grey=special == "monochrome",
        cover=rng.choice(["bangs", "blindfold"]) if special == "covered eyes" else "",
        tilt=rng.choice([0.0, 0.0, rng.uniform(-6, 6)]),
        turn=rng.choice([0.0, rng.uniform(-6, 6)]),
        glance=rng.choice([0.0, 0.0, 0.0, -3.5, 3.5]),
    )
