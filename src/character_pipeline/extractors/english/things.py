"""Nouns for what is worn or had: whether it is worn, where on the body it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from character_pipeline.extractors.english.nouns import Nouns
from character_pipeline.extractors.english.state import NounPhrase
from character_pipeline.extractors.english.units import Unit
from character_pipeline.vocabulary.phrases import Claim

_NEAR_WORDS = frozenset(
    {"wear", "with", "in", "and", "or", "comma", "colon", "have", "negation", "stop", "of", "who", "be", "degree"}
)
_WORN_ON = frozenset(
    {"neck", "wrist", "throat", "finger", "waist", "head", "hand", "arm", "chest", "back", "collar", "ankle"}
)
_WORN = frozenset({"accessories", "dress", "features"})
LOOSE_THINGS = frozenset({"accessories", "dress"})
"""Attributes whose things can lie about; ears and scars cannot."""


class Things(Nouns):
    """The part of the reader that decides which things are the character's own."""

    def noun(self, unit: Unit, claims: Sequence[Claim]) -> None:
        """The noun is something worn or had. It is kept until the words after it show that it is not lying about."""
        self.take_loose()
        phrase, clause = self.phrase, self.clause
        start = phrase.start if phrase.start >= 0 else unit.start
        whole = self.text[start : unit.end]
        mine = clause.mine and not phrase.other
        hairy = any(claim.attribute == "hair_style" for claim in claims)
        if hairy and mine:
            self._for_head("hair", start, single=False, end=unit.end)
        met = [claim for claim in claims if claim.kind == "noun" and self._met(claim, unit)]
        if any(claim.head == "in_hair" for claim in met):
            met = [claim for claim in met if claim.head == "in_hair"]
        met = [claim for claim in met if not self._is_label(claim)]
        for claim in met if mine and not self.blocked else ():
            if claim.attribute == "dress" and self.denied and claim.value != "Nude":
                continue
            detail = whole.lower() if whole.lower() != claim.value.lower() else ""
            for placed in self.placed(claim, negated=self.denied):
                self.group.append((placed, (start, unit.end), self.denied, detail))
        if clause.mode in {"", "be"}:
            clause.subject = "thing"
        clause.focus = "hair" if hairy else ""
        clause.focus_mine, clause.focus_start = mine, start
        self.phrase = NounPhrase()

    def _met(self, claim: Claim, unit: Unit) -> bool:
        """Whether the words around the noun are as the claim needs them."""
        clause, need = self.clause, claim.head
        if clause.place == "near" and claim.attribute in _WORN:
            return False
        if (
            clause.mode == "hold"
            and need != "carried"
            and (claim.attribute in _WORN or claim.attribute == "facial_hair")
        ):
            return False
        check = _NEEDS.get(need)
        return check is None or check(self)

    def _is_label(self, claim: Claim) -> bool:
        """In "Facial hair: goatee" the first noun names the attribute alone."""
        if self.kind_at(self.index + 1) != "colon" or self.index + 2 >= len(self.units):
            return False
        return any(other.attribute == claim.attribute for other in self.units[self.index + 2].entry.claims)

    def _is_dressed(self) -> bool:
        return bool(self.phrase.det or self.phrase.mods) or self._before() in _NEAR_WORDS

    def _is_worn(self) -> bool:
        return self.clause.mode == "wear" or self._ahead(_WORN_ON)

    def _is_in_hair(self) -> bool:
        return (self.clause.focus == "hair" and self._before() != "stop") or self._hair_ahead()

    def _is_of_hair(self) -> bool:
        return self.clause.mode == "in" or any(unit.kind == "head_hair" for unit in self._window(8))

    def _is_described(self) -> bool:
        return bool(self.phrase.mods) or self.phrase.det == "poss"

    def _is_ring(self) -> bool:
        return self.clause.mode in {"wear", "with", "have"} and bool(self.phrase.det or self.phrase.mods)

    def _is_one(self) -> bool:
        return self.phrase.det == "indefinite" and self.clause.mode in {"have", "with"}

    def _before(self) -> str:
        """The kind of the unit before this noun and at most two unknown adjectives."""
        for position in range(self.index - 1, self.index - 4, -1):
            kind = self.kind_at(position)
            if kind != "word":
                return kind
        return "word"

    def _window(self, reach: int) -> Sequence[Unit]:
        return self.units[max(0, self.index - reach) : self.index + reach]

    def _ahead(self, words: frozenset[str]) -> bool:
        for unit in self.units[self.index + 1 : self.index + 6]:
            if unit.kind in {"stop", "comma"}:
                return False
            if unit.last in words:
                return True
        return False

    def _hair_ahead(self) -> bool:
        linked = False
        for unit in self.units[self.index + 1 : self.index + 7]:
            if unit.kind in {"stop", "comma", "with", "wear", "and"}:
                return False
            linked = linked or unit.kind in {"in", "behind", "near"}
            if unit.kind == "head_hair" and linked:
                return True
        return False

    def drop_loose(self) -> None:
        """The nouns that were kept lie about, or another wears them."""
        self.group = [kept for kept in self.group if kept[0].attribute not in LOOSE_THINGS]

    def release(self) -> None:
        """The nouns that were kept are truly worn."""
        for claim, span, negated, detail in self.group:
            self.collector.add(claim, span, factor=self.factor, negated=negated, detail="" if negated else detail)
        self.group.clear()


_NEEDS: dict[str, Callable[[Things], bool]] = {
    "np": Things._is_dressed,
    "carried": Things._is_dressed,
    "worn": Things._is_worn,
    "in_hair": Things._is_in_hair,
    "inhair": Things._is_of_hair,
    "colours": Things._is_described,
    "ringed": Things._is_ring,
    "indef": Things._is_one,
}
