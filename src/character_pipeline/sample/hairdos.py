"""Which hair goes together: arrangement, texture, fringe, length and colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from character_pipeline.sample.palette import HAIR, vary
from character_pipeline.sample.pen import Blend, Paint

ANY_TEXTURE = ("", "Straight", "Wavy", "Curly", "Messy")
ANY_FRINGE = ("", "Bangs", "Blunt Bangs", "Swept Bangs", "Hair Over One Eye")


@dataclass(frozen=True, slots=True)
class Hairdo:
    """What an arrangement goes with. `women` and `men` are weights; "" among textures or fringes stands for none."""

    women: int
    men: int
    lengths: tuple[str, ...]
    textures: tuple[str, ...] = ("",)
    fringes: tuple[str, ...] = ANY_FRINGE
    sidelocks: bool = True
    ahoge: bool = True


LOOSE = ("Straight", "Wavy", "Curly", "Spiky", "Messy")
HAIRDOS: Mapping[str, Hairdo] = {
    "": Hairdo(40, 46, ("Short", "Medium", "Long"), LOOSE),
    "Ponytail": Hairdo(9, 5, ("Medium", "Long"), ("", "Wavy", "Straight")),
    "Side Ponytail": Hairdo(6, 0, ("Medium", "Long"), ("", "Wavy", "Curly")),
    "Twintails": Hairdo(9, 0, ("Medium", "Long"), ("", "Wavy", "Curly", "Straight")),
    "Braid": Hairdo(6, 2, ("Long",)),
    "Twin Braids": Hairdo(6, 0, ("Medium", "Long")),
    "Bun": Hairdo(5, 2, ("Medium",)),
    "Double Bun": Hairdo(5, 0, ("Medium",)),
    "Updo": Hairdo(5, 0, ("Medium",), ("",), ("", "Swept Bangs"), sidelocks=False, ahoge=False),
    "Half Updo": Hairdo(5, 1, ("Long",), ("", "Wavy", "Straight")),
    "One Side Up": Hairdo(5, 0, ("Medium", "Long"), ("", "Wavy", "Straight")),
    "Two Side Up": Hairdo(5, 0, ("Medium", "Long"), ("", "Wavy", "Straight")),
    "Bob Cut": Hairdo(8, 1, ("Short",), ("", "Straight")),
    "Hime Cut": Hairdo(5, 0, ("Long",), ("Straight",), ("Blunt Bangs",), sidelocks=False, ahoge=False),
    "Pixie Cut": Hairdo(5, 2, ("Short",), ("",), ("Bangs", "Swept Bangs"), sidelocks=False),
    "Drill Hair": Hairdo(5, 0, ("Medium", "Long"), ("",), ("Bangs", "Blunt Bangs", "Swept Bangs"), sidelocks=False),
    "Afro": Hairdo(4, 5, ("Medium",), ("",), ("",), sidelocks=False, ahoge=False),
    "Dreadlocks": Hairdo(3, 4, ("Medium", "Long"), ("",), ("",), sidelocks=False, ahoge=False),
    "Cornrows": Hairdo(3, 4, ("Short",), ("",), ("",), sidelocks=False, ahoge=False),
    "Mohawk": Hairdo(2, 5, ("Short",), ("",), ("",), sidelocks=False, ahoge=False),
    "Undercut": Hairdo(2, 6, ("Short",), ("",), ("",), sidelocks=False, ahoge=False),
    "Buzz Cut": Hairdo(1, 6, ("Short",), ("",), ("",), sidelocks=False, ahoge=False),
    "Pompadour": Hairdo(1, 5, ("Short",), ("",), ("",), sidelocks=False, ahoge=False),
    "Bald": Hairdo(1, 6, ("",), ("",), ("",), sidelocks=False, ahoge=False),
}
PATTERNS = {"": 86, "split": 3, "fade": 7, "streaks": 5}
SPANS: Mapping[str, tuple[float, float]] = {
    # from where to where hair runs that does not hang down
    "Mohawk": (-125, -45),
    "Undercut": (-95, -30),
    "Pompadour": (-120, -40),
    "Afro": (-120, 50),
    "Updo": (-115, -20),
    "Bun": (-115, -10),
    "Double Bun": (-95, 0),
}
STREAKED = frozenset(
    {"", "Ponytail", "Twintails", "Half Updo", "One Side Up", "Two Side Up", "Bob Cut", "Hime Cut", "Pixie Cut"}
)
"""Arrangements that are drawn with streaks."""
NO_PATTERN = frozenset({"Buzz Cut", "Cornrows", "Bald"})


@dataclass(frozen=True, slots=True)
class Hair:
    """The hair of one head. `arrangement`, `texture` and `fringe` are values of Hair Style, or "".

    `colours` are the names of its one or two colours, `hexes` what they look like; `pattern` tells how two of them
    share the head: "split", "fade" or "streaks".
    """

    arrangement: str
    texture: str
    fringe: str
    sidelocks: bool
    ahoge: bool
    length: str
    colours: tuple[str, ...]
    hexes: tuple[str, ...]
    pattern: str

    @property
    def styles(self) -> tuple[str, ...]:
        """The values of Hair Style that are true of it, the primary one first."""
        extra = (("Sidelocks",) if self.sidelocks else ()) + (("Ahoge",) if self.ahoge else ())
        return tuple(style for style in (self.arrangement, self.texture, self.fringe) if style) + extra

    @property
    def loose(self) -> bool:
        """Whether it hangs down behind."""
        return self.arrangement in {"", "Half Updo", "One Side Up", "Two Side Up", "Hime Cut"}

    @property
    def hangs(self) -> bool:
        """Whether some of it falls below the chin."""
        tied = {"Ponytail", "Side Ponytail", "Twintails", "Braid", "Twin Braids", "Drill Hair", "Dreadlocks"}
        return self.length != "Short" and (self.loose or self.arrangement in tied or self.sidelocks)

    @property
    def colour(self) -> str:
        """The value of Hair Color; "" for the bald."""
        return "Multicolored" if self.pattern else next(iter(self.colours), "")

    def paint(self, reach: float) -> Paint:
        """What to draw it with, down to `reach`."""
        if self.pattern in {"split", "fade"}:
            start, end = SPANS.get(self.arrangement, (-70.0, max(reach, 20.0)))
            return Blend(self.pattern, self.hexes, start, end)
        return self.hexes[0] if self.hexes else "#888888"


def sample_hair(rng: Random, age: str, gender: str) -> Hair:
    """Hair that suits the age and gender."""
    weights = [do.women if gender == "Female" else do.men for do in HAIRDOS.values()]
    arrangement = rng.choices(list(HAIRDOS), weights)[0]
    if arrangement == "Bald" and age in {"Child", "Teen"}:
        arrangement = "Buzz Cut"
    do = HAIRDOS[arrangement]
    length = _length(rng, do, gender)
    texture = rng.choice([t for t in do.textures if t != "Spiky" or length != "Long"])
    colours, hexes, pattern = _colours(rng, age, arrangement)
    if pattern == "streaks" and (arrangement not in STREAKED or texture == "Curly"):
        pattern = "fade"
    fringe = rng.choice(do.fringes)
    if texture == "Curly" and fringe in {"Blunt Bangs", "Swept Bangs"}:
        fringe = "Bangs"
    return Hair(
        arrangement=arrangement,
        texture=texture,
        fringe=fringe,
        sidelocks=do.sidelocks and length != "Short" and rng.random() < 0.35,
        ahoge=do.ahoge and rng.random() < 0.14,
        length=length,
        colours=colours,
        hexes=hexes,
        pattern=pattern,
    )


def _length(rng: Random, do: Hairdo, gender: str) -> str:
    if len(do.lengths) == 3 and gender == "Male":
        return rng.choices(do.lengths, [7, 2, 1])[0]
    return rng.choice(do.lengths)


def _colours(rng: Random, age: str, arrangement: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    if arrangement == "Bald":
        return (), (), ""
    names = rng.sample(list(HAIR), 2)
    if age == "Elderly":
        names[0] = rng.choice(["Grey", "White", "Grey"])
    elif rng.random() < 0.3:
        names[0] = rng.choice(["Black", "Brown", "Blonde"])
    pattern = rng.choices(list(PATTERNS), list(PATTERNS.values()))[0]
    if arrangement in NO_PATTERN or age == "Elderly" or names[0] == names[1] or set(names) == {"Grey", "White"}:
        pattern = ""
    used = tuple(names if pattern else names[:1])
    return used, tuple(vary(HAIR[name], rng, 0.015) for name in used), pattern
