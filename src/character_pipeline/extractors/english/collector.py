"""Gathers the claims of one text: the best of each, and what only the whole text tells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from character_pipeline.data import Evidence, Stance
from character_pipeline.vocabulary.phrases import Claim

_FLOOR = 0.5
_Key = tuple[str, str, Stance, str]


@dataclass(slots=True)
class Collector:
    """The claims about one character, keyed so that a repetition adds nothing."""

    text: str
    source: str
    found: dict[_Key, Evidence] = field(default_factory=dict)
    single_eyes: list[tuple[str, int, int]] = field(default_factory=list)

    def add(
        self, claim: Claim, span: tuple[int, int], *, factor: float = 1.0, negated: bool = False, detail: str = ""
    ) -> None:
        """Take in a claim that was read from `span`; `negated` turns it round, and a denied denial says nothing."""
        stance = claim.stance
        if negated:
            if stance != "is":
                return
            stance = "not"
        key = (claim.attribute, claim.value, stance, detail if claim.attribute == "dress" else "")
        score = max(_FLOOR, round(claim.score * factor, 3))
        old = self.found.get(key)
        if old is not None and (old.score > score or (old.score == score and (old.detail or not detail))):
            return
        origin = self.text[span[0] : span[1]]
        self.found[key] = Evidence(claim.attribute, claim.value, score, self.source, origin, stance, detail or None)

    def put(self, named: tuple[str, str], score: float, span: tuple[int, int], detail: str = "") -> None:
        """Take in that an attribute has a value, both given in `named`."""
        self.add(Claim("", "", *named, score), span, detail=detail)

    def has(self, attribute: str) -> bool:
        return any(key[0] == attribute and key[2] == "is" for key in self.found)

    def evidence(self) -> tuple[Evidence, ...]:
        """All claims. Two single eyes of different colours are one claim."""
        self._eyes()
        self._colours()
        return tuple(self.found.values())

    def _colours(self) -> None:
        """The detail of multicolored hair names all of its colours."""
        key: _Key = ("hair_color", "Multicolored", "is", "")
        several = self.found.get(key)
        if several is None:
            return
        others = [claim for claim in self.found.values() if claim.attribute == "hair_color" and claim.stance == "is"]
        names = [claim.detail or claim.value.lower() for claim in others if claim is not several]
        self.found[key] = replace(several, detail=", ".join([*names, several.detail or ""]).strip(", ") or None)

    def _eyes(self) -> None:
        colours = {value: (start, end) for value, start, end in self.single_eyes}
        if len(colours) > 1:
            spans = list(colours.values())
            detail = " and ".join(value.lower() for value in colours)
            wide = (min(start for start, _ in spans), max(end for _, end in spans))
            span = wide if wide[1] - wide[0] <= 120 else spans[0]
            self.put(("eye_color", "Heterochromia"), 0.85, span, detail)
        else:
            for value, span in colours.items():
                self.put(("eye_color", value), 0.75, span)
