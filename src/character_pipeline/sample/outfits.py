"""The wardrobe: its data is in outfits.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Outfit:
    """One outfit.

    Attributes:
        dress: the value of the vocabulary.
        garment: its name in the detail, after the colour.
        top: "shirt", "open" (a jacket over a shirt), "robe" (crossed over the chest), "plate" or "straps".
        sleeve: share of the arm that it covers, 0 to 1; `wide` lets it hang.
        bottom: "pants", "shorts", "skirt", "gown", "hakama" or "suit" (nothing over the body of the garment).
        reach: share of the leg that the bottom covers.
        extras: further parts, by their names in `trimmings`.
        colours: what the main, second and trimming colour may be.
        tags: Danbooru tags; {a}, {b}, {c} are the three colours.
        wears: accessories that belong to it.
        gender: "Male" or "Female" where only they wear it here.
        shoes: "shoes", "boots", "heels", "sandals" or "bare".
        telling: whether head and shoulders suffice to know it.
    """

    dress: str
    garment: str
    top: str
    sleeve: float
    bottom: str
    reach: float
    colours: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    tags: tuple[str, ...]
    extras: tuple[str, ...] = ()
    wears: tuple[str, ...] = ()
    gender: str | None = None
    shoes: str = "shoes"
    telling: bool = False
    wide: bool = False

    @property
    def bare_legs(self) -> bool:
        """Whether the shins show."""
        short = self.bottom in {"shorts", "suit", "skirt"}
        return short and self.shoes != "boots" and self.dress != "School Uniform"


def _outfit(row: Mapping[str, Any]) -> Outfit:
    main, second, trim = (tuple(names) for names in row["colours"])
    lists = {key: tuple(row.get(key, ())) for key in ("extras", "tags", "wears")}
    return Outfit(**{**row, **lists, "colours": (main, second, trim)})


OUTFITS: tuple[Outfit, ...] = tuple(
    _outfit(row)
    for row in tomllib.loads((Path(__file__).parent / "outfits.toml").read_text(encoding="utf-8"))["outfit"]
)
