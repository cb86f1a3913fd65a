"""What a policy chose, as a record tells it and as the store keeps it: short, for there may be millions of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ACTIONS = (
    "conservative_clip", "aggressive_clip", "tag_priority", "visual_priority", "confidence_weighted",
    "uncertainty_aware",
)  # fmt: skip
"""The store keeps their places: a new one goes to the end."""
PURCHASES = ("color", "model")
"""What a policy buys of a picture: small readers such as that of colors, and the model."""
SAMPLES = ("audit", "explore")
"""Items on which everything runs, whatever the budget; and items on which another action is drawn now and then."""
ASKED = 4
"""The bit of a stored `Dealing` that says that a purchase was asked about; below are `PURCHASES`, above `SAMPLES`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy chose for one attribute of an item.

    Attributes:
        action: the one of `ACTIONS` that answered.
        drawn: of an item that explores, the one that was drawn and is logged; it answers nothing.
        propensity: the chance with which it was drawn.
    """

    action: str
    drawn: str = ""
    propensity: float = 1.0

    def to_json(self) -> dict[str, Any]:
        logged = {"drawn": self.drawn, "propensity": round(self.propensity, 6)} if self.drawn else {}
        return {"action": self.action, **logged}


@dataclass(frozen=True, slots=True)
class Dealing:
    """How a policy dealt with an item as a whole.

    Attributes:
        bought: which of `PURCHASES` were worth their cost; None where that was not asked: there is no budget, or
            nothing to buy.
        samples: which of `SAMPLES` the item belongs to.
    """

    bought: tuple[str, ...] | None = None
    samples: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        bought = {} if self.bought is None else {"bought": list(self.bought)}
        return {**bought, **({"samples": list(self.samples)} if self.samples else {})}


def write_choice(choice: Choice) -> str:
    """As JSON; `read_choice` reads it back."""
    place = ACTIONS.index(choice.action)
    return f"[{place},{ACTIONS.index(choice.drawn)},{choice.propensity!r}]" if choice.drawn else str(place)


def read_choice(stored: int | Sequence[Any]) -> Choice:
    if isinstance(stored, int):
        return Choice(ACTIONS[stored])
    action, drawn, propensity = stored
    return Choice(ACTIONS[action], ACTIONS[drawn], float(propensity))


def write_dealing(dealing: Dealing) -> int:
    """As bits; `read_dealing` reads them back."""
    bits = _bits(PURCHASES, dealing.bought or ()) | _bits(SAMPLES, dealing.samples) * 2 * ASKED
    return bits | (ASKED if dealing.bought is not None else 0)


def read_dealing(bits: int) -> Dealing:
    return Dealing(_names(PURCHASES, bits) if bits & ASKED else None, _names(SAMPLES, bits // (2 * ASKED)))


def _bits(names: Sequence[str], chosen: Sequence[str]) -> int:
    return sum(1 << place for place, name in enumerate(names) if name in chosen)


def _names(names: Sequence[str], bits: int) -> tuple[str, ...]:
    return tuple(name for place, name in enumerate(names) if bits >> place & 1)
