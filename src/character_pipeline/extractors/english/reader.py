"""Walks through the units of a text and knows at each word of whom it speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from character_pipeline.extractors.english.clauses import DETERMINERS
from character_pipeline.extractors.english.collector import Collector
from character_pipeline.extractors.english.people import People
from character_pipeline.extractors.english.scopes import compared_until
from character_pipeline.extractors.english.state import Cast, Clause, NounPhrase
from character_pipeline.extractors.english.units import Unit
from character_pipeline.vocabulary.phrases import Claim, Phrases

_POSSESSIVES = frozenset({"her", "his", "their", "its"})
_PRONOUNS = frozenset({"she", "he", "they"})


class Reader(People):
    """Reads one text. After `run`, the collector has the claims and `cast` the people."""

    def __init__(self, text: str, units: Sequence[Unit], phrases: Phrases, collector: Collector) -> None:
        super().__init__(text, units, phrases, collector)
        self.cast = Cast()
        self.last_main = self.start = -3

    def run(self) -> None:
        handlers, other = _HANDLERS, Reader._other
        for index, unit in enumerate(self.units):
            self.index = index
            handlers.get(unit.kind, other)(self, unit)
        self.index = len(self.units)
        self.settle()
        self.release()

    def _other(self, unit: Unit) -> None:
        """Kinds that come in families: articles, nouns with a name of their own, possessives."""
        kind = unit.kind
        if kind in DETERMINERS:
            self._determiner(unit)
        elif kind in _POSSESSIVES:
            self._possessive(unit)
        elif kind in _PRONOUNS:
            self._pronoun(unit)
        elif kind[:5] == "head_":
            self._head(unit, kind[5:])
        elif kind[:8] == "adjhead_":
            self.compound(kind[8:])

    def _determiner(self, unit: Unit) -> None:
        self.settle()
        self.phrase.det = unit.kind
        self.start = self.index
        if unit.word == "one" and self.clause.focus == "eyes":
            self.clause.focus_single = True

    def _on_word(self, unit: Unit) -> None:
        if unit.word in {"'s", "'"}:
            self._owned()
        elif self.phrase.mods:
            self.phrase.tail += 1
        else:
            self.phrase.unknown = True

    def _on_away(self, unit: Unit) -> None:
        self.phrase = NounPhrase()
        self.drop_loose()
        if self._mentioned(unit) and self.cast.main is None and self.kind_at(self.index - 1) == "stop":
            self.clause.place = "background"

    def _on_thing(self, unit: Unit) -> None:
        self.take_loose()
        self._mentioned(unit)
        self.phrase = NounPhrase(det=self.phrase.det, unknown=True)

    _on_skip = _on_thing

    def _head(self, unit: Unit, head: str) -> None:
        clause, phrase = self.clause, self.phrase
        self._gates(unit, unit.entry.claims)
        if self.kind_at(self.index + 1) == "colon":
            self.settle()
            self.clause = clause = Clause()
            phrase = self.phrase
        if clause.after_of and clause.focus and not phrase.mods:
            return
        if head in self.phrases.without and self.kind_at(self.index - 1) == "negation" and clause.mine:
            self._without(unit, self.phrases.without[head])
        self.head(unit, head, mine=clause.mine and not phrase.other)

    def _without(self, unit: Unit, word: str) -> None:
        for claim in self.phrases.table[word][-1][1].claims if not self.blocked else ():
            self.collector.add(claim, (unit.start, unit.end), factor=0.8)

    def _on_claim(self, unit: Unit) -> None:
        claims = unit.entry.claims
        kinds = {claim.kind for claim in claims}
        self._gates(unit, claims)
        if unit.last != unit.word:
            self._mentioned(unit)
        if "scene" in kinds and not self.negated and not self.blocked:
            for claim in claims:
                self.collector.add(claim, (unit.start, unit.end))
        if "multi" in kinds and self.clause.mine:
            self._several(unit, claims)
        if "none" in kinds and self.denied and self.clause.mine and not self.blocked:
            self.collector.add(claims[0], (unit.start, unit.end))
        if "noun" in kinds and (len(kinds) == 1 or any(self._met(c, unit) for c in claims if c.kind == "noun")):
            self._worn(unit, claims)
        elif kinds - {"scene", "gate", "none"}:
            self._waiting(unit, claims, kinds)

    def _worn(self, unit: Unit, claims: tuple[Claim, ...]) -> None:
        """A noun; before another one it only describes that: "a flower clip"."""
        after = self.units[self.index + 1] if self.index + 1 < len(self.units) else None
        if after is not None and not unit.plural and any(claim.kind == "noun" for claim in after.entry.claims):
            self.phrase.start = self.phrase.start if self.phrase.start >= 0 else unit.start
            self.phrase.det = self.phrase.det or "noun"
        else:
            self.noun(unit, claims)

    def _waiting(self, unit: Unit, claims: tuple[Claim, ...], kinds: set[str]) -> None:
        if (
            kinds == {"mood"}
            and self.kind_at(self.index - 1) not in {"in", "with", "of"}
            and self.clause.focus != "face"
        ):
            return
        self.wait(claims, unit)
        if unit.last == "as":
            self.settle()
            self.compare = compared_until(self.units, self.index)

    def _several(self, unit: Unit, claims: Sequence[Claim]) -> None:
        near = any(other.kind in {"head_hair", "adjhead_hair"} for other in self._window(8))
        if near and not self.blocked:
            start = self.phrase.start if self.phrase.start >= 0 else unit.start
            detail = self.text[start : unit.end].lower()
            for claim in claims:
                if claim.kind == "multi":
                    self.collector.add(claim, (start, unit.end), negated=self.negated, detail=detail)
            self.phrase = NounPhrase(joined=self.phrase.joined)


_HANDLERS: dict[str, Callable[[Reader, Unit], None]] = {
    name.removeprefix("_on_"): getattr(Reader, name) for name in dir(Reader) if name.startswith("_on_")
}
