"""Walks through the units of a text, clause by clause, and knows at each word of whom it speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from character_pipeline.extractors.english.collector import Collector
from character_pipeline.extractors.english.nouns import Nouns
from character_pipeline.extractors.english.scopes import compared_until, denied_until, doubted_until
from character_pipeline.extractors.english.state import Cast, Clause, NounPhrase, Pending
from character_pipeline.extractors.english.units import Unit
from character_pipeline.vocabulary.phrases import Claim, Person, Phrases

_GENDER = {"she": "Female", "her": "Female", "he": "Male", "his": "Male"}
_MOST_ADJECTIVES = 12
_DETS = {"definite", "indefinite", "another", "many"}


class Reader(Nouns):
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
        if kind.startswith("head_"):
            self._head(unit, kind[5:])
        elif kind.startswith("adjhead_"):
            self._adjective(unit, kind[8:])
        elif kind in _DETS:
            self.settle()
            self.phrase.det = kind
            self.start = self.index
        elif kind in {"her", "his", "their", "its"}:
            self._possessive(unit)
        elif kind in {"she", "he", "they"}:
            self._pronoun(unit)

    def _on_word(self, unit: Unit) -> None:
        if unit.word in {"'s", "'"}:
            self._owned()
        elif self.phrase.mods:
            self.phrase.tail += 1
        else:
            self.phrase.unknown = True

    def _owned(self) -> None:
        """ "the cat's": what follows belongs to the last noun."""
        before = self.units[self.index - 1] if self.index else None
        foreign = before is not None and (before.kind == "creature" or not self.clause.mine)
        self.phrase = NounPhrase(det="poss", other=foreign)
        if foreign and before is not None and before.kind != "creature":
            self.clause.mine = not self.clause.foreign

    def _on_degree(self, unit: Unit) -> None:
        if self.phrase.start < 0 and not self.phrase.unknown:
            self.phrase.start = unit.start

    def _on_hedge(self, unit: Unit) -> None:
        self.hedge = doubted_until(self.units, self.index)

    def _on_unsure(self, unit: Unit) -> None:
        self.settle()
        self.doubt = max(self.doubt, doubted_until(self.units, self.index))

    def _on_negation(self, unit: Unit) -> None:
        self.settle()
        self.deny = denied_until(self.units, self.index)
        self.clause.after_of = False

    def _on_simile(self, unit: Unit) -> None:
        if unit.word == "as" and self.kind_at(self.index + 1) in {"claim", "degree"}:
            ahead = self.units[self.index + 2 : self.index + 5]
            if any(other.word == "as" for other in ahead):
                return
        if self.clause.focus and self.phrase.mods:
            self._predicate(self.clause)
            self.phrase.mods = [p for p in self.phrase.mods if not any(c.head == self.clause.focus for c in p.claims)]
        self.settle()
        self.compare = compared_until(self.units, self.index)

    def _possessive(self, unit: Unit) -> None:
        self.settle()
        self.phrase.det = "poss"
        gender = _GENDER.get(unit.kind)
        self.phrase.other = unit.kind == "its" or not self._may_be(gender)
        if (
            not self.phrase.other
            and not self.clause.mine
            and not self.clause.foreign
            and self.kind_at(self.index + 1) != "person"
        ):
            self.clause.mine = True
        self._said(gender, unit)

    def _pronoun(self, unit: Unit) -> None:
        self.settle()
        self.release()
        gender = _GENDER.get(unit.kind)
        self.clause = Clause(mine=self._may_be(gender))
        self._said(gender, unit)

    def _may_be(self, gender: str | None) -> bool:
        main = self.cast.main
        return gender is None or main is None or main.gender in {"", gender, "Non-Binary"}

    def _said(self, gender: str | None, unit: Unit) -> None:
        if gender and not self.blocked:
            self.cast.pronouns.setdefault(gender, (unit.start, unit.end))

    def _on_it(self, unit: Unit) -> None:
        self.settle()
        self.release()
        self.clause = Clause(mine=False, foreign=True)

    def _on_who(self, unit: Unit) -> None:
        self.settle()
        if self.clause.focus == "":
            self.clause.subject = "person"
        self.clause.mode = self.clause.place = ""

    def _joined(self, unit: Unit) -> bool:
        """Whether "and" or a comma stands between two adjectives of one noun: "long, black hair"."""
        phrase, after = self.phrase, self.kind_at(self.index + 1)
        if not phrase.mods or phrase.tail or len(phrase.mods) > _MOST_ADJECTIVES:
            return False
        if after == "and" and unit.kind == "comma":
            return False
        ahead = self.units[self.index + 1 : self.index + 4]
        follower = next((other for other in ahead if other.kind not in {"degree", "word"}), None)
        if follower is None or follower.kind != "claim" or not follower.entry.claims:
            return False
        if any(claim.kind not in {"mod", "adj", "pred", "mark", "image"} for claim in follower.entry.claims):
            return False
        phrase.joined = unit.kind
        if unit.kind == "comma":
            for pending in phrase.mods:
                pending.loose = True
        return True

    def _on_and(self, unit: Unit) -> None:
        if not self._joined(unit):
            self.settle()

    _on_or = _on_and

    def _on_comma(self, unit: Unit) -> None:
        if self._joined(unit):
            return
        self.settle()
        clause, after = self.clause, self.kind_at(self.index + 1)
        if clause.fresh and not clause.foreign:
            clause.mine, clause.fresh = True, False
        if clause.mode == "hold" and after not in _DETS and after != "and":
            clause.mode = ""
        if not clause.label and clause.mode == "be":
            clause.mode = "" if after != "and" else "be"
        clause.place = "" if after not in {"and"} else clause.place
        if clause.subject == "thing" and clause.mode != "be":
            clause.subject = "person"
        if clause.subject == "part" and not clause.label and self.kind_at(self.index - 1) == "claim":
            clause.subject = "person"
        if after != "away":
            self.release()

    def _on_stop(self, unit: Unit) -> None:
        self.settle()
        self.release()
        self.clause = Clause()
        self.deny = self.doubt = self.compare = self.hedge = 0

    def _on_but(self, unit: Unit) -> None:
        self.settle()
        self.release()
        self.deny = self.doubt = self.compare = 0
        if self.clause.mode == "hold":
            self.clause.mode = ""

    def _on_colon(self, unit: Unit) -> None:
        """ "Hair: long, black": what follows speaks of the label."""
        self.settle()
        self.release()
        focus, start = self.clause.focus, self.clause.focus_start
        self.clause = Clause(mode="be", label=True, focus=focus, focus_start=start)

    def _subject(self) -> None:
        """A verb follows: an unknown noun with an article, or a thing, is its subject."""
        phrase, clause = self.phrase, self.clause
        if phrase.det and phrase.unknown and not phrase.mods:
            last = self.units[self.index - 1].last if self.index else ""
            if phrase.det != "poss":
                clause.mine, clause.foreign = False, True
            elif last not in self.phrases.body:
                clause.subject = "thing"
        self.settle()

    def _on_be(self, unit: Unit) -> None:
        self._subject()
        clause, before = self.clause, self.units[self.index - 1] if self.index else unit
        if (
            clause.carried
            and clause.subject == "part"
            and before.word not in {"that", "which"}
            and before.kind[:5] != "head_"
        ):
            clause.subject, clause.focus = "person", ""
        clause.mode, clause.place, clause.carried = "be", "", False

    _on_seem = _on_be

    def _on_have(self, unit: Unit) -> None:
        if self.kind_at(self.index + 1) == "be":
            return
        self._subject()
        if self.clause.subject == "thing" and self.kind_at(self.index - 1) == "word":
            self.clause.mine, self.clause.foreign = False, True
        self._verb("have")

    def _on_wear(self, unit: Unit) -> None:
        before = self.kind_at(self.index - 1)
        self._subject()
        if before in {"comma", "and"} and not self.clause.foreign:
            self.clause.mine = True
        self._verb("wear")

    def _on_hold(self, unit: Unit) -> None:
        if self.clause.focus == "hair":
            return
        self._subject()
        self._verb("hold")

    def _verb(self, mode: str) -> None:
        self.release()
        self.clause.mode, self.clause.place, self.clause.focus = mode, "", ""
        self.clause.subject = "person"

    def _on_with(self, unit: Unit) -> None:
        self.settle()
        self.release()
        clause = self.clause
        clause.mode, clause.place, clause.fresh = "with", "", False
        clause.subject = "person"

    def _on_of(self, unit: Unit) -> None:
        self.settle()
        self.clause.after_of = True

    def _on_in(self, unit: Unit) -> None:
        self.settle()
        if self.clause.mode != "hold":
            self.clause.mode = "in"
        self.clause.place = ""

    def _on_near(self, unit: Unit) -> None:
        self.settle()
        self.clause.place, self.clause.mode = "near", ""

    def _on_behind(self, unit: Unit) -> None:
        self.settle()
        self.clause.place = "behind"
        if self.clause.mode not in {"wear", "hold"}:
            self.clause.mode = ""

    def _on_background(self, unit: Unit) -> None:
        self.settle()
        self.release()
        self.clause.place = "background"

    def _on_away(self, unit: Unit) -> None:
        self.phrase = NounPhrase()
        self.group.clear()
        if self._mentioned(unit) and self.cast.main is None and self.kind_at(self.index - 1) == "stop":
            self.clause.place = "background"

    def _mentioned(self, unit: Unit) -> bool:
        """Whether a phrase has a pronoun in it, which may tell the gender: "in her hand"."""
        for word in self.text[unit.start : unit.end].lower().split():
            if word in _GENDER:
                self._said(_GENDER[word], unit)
                return True
        return False

    def _on_thing(self, unit: Unit) -> None:
        self.take_loose()
        self._mentioned(unit)
        self.phrase = NounPhrase(det=self.phrase.det, unknown=True)

    _on_skip = _on_thing

    def _on_creature(self, unit: Unit) -> None:
        """Animals, dolls, ghosts: the words around them are theirs."""
        after = self.units[self.index + 1] if self.index + 1 < len(self.units) else None
        if after is not None and (after.kind == "claim" or after.kind == "person"):
            return
        self.take_loose()
        self.phrase = NounPhrase()
        if self.index < self.compare or self.negated:
            return
        clause = self.clause
        clause.foreign = clause.foreign or self._opens()
        clause.mine, clause.fresh, clause.focus, clause.mode = False, True, "", ""

    def _opens(self) -> bool:
        """Whether nobody was spoken of yet in this sentence."""
        for position in range(self.index - 1, max(-1, self.index - 12), -1):
            kind = self.units[position].kind
            if kind == "stop":
                return True
            if kind in {"person", "she", "he", "wear", "comma"}:
                return False
        return True

    def _on_picture(self, unit: Unit) -> None:
        self.phrase = NounPhrase()
        if self.cast.main is not None and self.kind_at(self.index + 1) == "of":
            self.index += 1
            self.clause.place = "near"

    def _on_group(self, unit: Unit) -> None:
        if not self.blocked and not self.negated and self.clause.place != "background":
            self.cast.group = self.cast.group or (unit.start, unit.end)
        self.phrase = NounPhrase(det="many")

    def _on_alone(self, unit: Unit) -> None:
        return

    def _on_nobody(self, unit: Unit) -> None:
        self.cast.nobody = (unit.start, unit.end)
        self.phrase.unknown = True

    def _head(self, unit: Unit, head: str) -> None:
        clause, phrase = self.clause, self.phrase
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

    def _adjective(self, unit: Unit, head: str) -> None:
        """ "silver-haired": the colour and its noun are one adjective."""
        phrase = self.phrase
        fit = [p for p in phrase.mods if any(c.kind == "mod" and c.head == head for c in p.claims)]
        for pending in fit:
            claims = (
                Claim("adj", "", c.attribute, c.value, c.score, c.stance) for c in pending.claims if c.head == head
            )
            pending.claims = tuple(claims)
            pending.firm = True
        phrase.tail = 0

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
        if "none" in kinds and self.negated and self.clause.mine and not self.blocked:
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

    def _gates(self, unit: Unit, claims: Sequence[Claim]) -> None:
        """What must never be missed counts for anyone in the text, also in doubt and in comparisons."""
        if self.negated and unit.word not in {"no", "without", "wear"}:
            return
        if self.kind_at(self.index + 1) in {"colon", "thing"}:
            return
        for claim in claims:
            if claim.kind == "gate":
                self.collector.add(claim, (unit.start, unit.end))

    def _several(self, unit: Unit, claims: Sequence[Claim]) -> None:
        near = any(other.kind in {"head_hair", "adjhead_hair"} for other in self._window(8))
        if near and not self.blocked:
            start = self.phrase.start if self.phrase.start >= 0 else unit.start
            detail = self.text[start : unit.end].lower()
            for claim in claims:
                if claim.kind == "multi":
                    self.collector.add(claim, (start, unit.end), negated=self.negated, detail=detail)
            self.phrase = NounPhrase(joined=self.phrase.joined)

    def _on_person(self, unit: Unit) -> None:
        person, phrase = unit.entry.person, self.phrase
        if self.kind_at(self.index + 1) in {"person", "head_hair", "adjhead_hair"} or person is None:
            self.wait(unit.entry.claims, unit)
            return
        self._gates(unit, unit.entry.claims)
        self._young(person, phrase.mods)
        if self.blocked or self.negated:
            self.phrase = NounPhrase()
            return
        if self._is_main(unit, person):
            self._main(unit, person)
        else:
            self._someone(unit)
        self.phrase = NounPhrase()

    def _young(self, person: Person, mods: Sequence[Pending]) -> None:
        for pending in mods:
            for claim in pending.claims:
                if claim.attribute == "safety" and claim.head == person.kind and not pending.negated:
                    self.collector.add(claim, (pending.start, pending.end))

    def _is_main(self, unit: Unit, person: Person) -> bool:
        clause, phrase, cast = self.clause, self.phrase, self.cast
        if clause.place in {"near", "background"} or clause.mode == "hold" or phrase.det in {"poss", "another"}:
            return False
        if cast.main is None:
            return clause.place != "behind" and clause.mine
        if unit.plural or clause.place == "behind":
            return False
        if not cast.main.gender and self.start == self.last_main + 2 and self.kind_at(self.last_main + 1) == "comma":
            return True
        fits = not person.gender or not cast.main.gender or person.gender == cast.main.gender
        if phrase.det == "definite" or clause.mode == "be":
            return fits and (clause.mine or phrase.det == "definite")
        return not phrase.det and fits and self.kind_at(self.index - 1) not in {"and", "with"}

    def _main(self, unit: Unit, person: Person) -> None:
        cast, span = self.cast, (unit.start, unit.end)
        self.last_main = self.index
        mods = self.phrase.mods
        if cast.main is None:
            cast.main, cast.plural, cast.span = person, unit.plural, span
            cast.detail = self.text[unit.start : unit.end].lower()
        elif person.gender and not cast.main.gender:
            cast.main = person
        self.for_owner(mods, person.kind)
        mine = [Pending(unit.entry.claims, unit.start, unit.end)]
        self.for_owner(mine, person.kind)
        if person.gender:
            self.collector.put("gender", person.gender, person.score, span)
        if person.age:
            self.collector.put("age", person.age, person.score, span)
        label = self.clause.label
        self.clause = Clause(mode=self.clause.mode if label else "", label=label)

    def _someone(self, unit: Unit) -> None:
        clause, cast = self.clause, self.cast
        if clause.place == "background":
            cast.far += 1
        elif self.phrase.det != "poss" or self.kind_at(self.index - 2) in {"and", "with", "near", "behind"}:
            cast.others += 1
        first = self._opens() or clause.place == "background"
        clause.mine, clause.fresh, clause.focus, clause.mode = False, True, "", ""
        clause.foreign = clause.foreign or first
        clause.place = ""


_HANDLERS: dict[str, Callable[[Reader, Unit], None]] = {
    name.removeprefix("_on_"): method for name, method in vars(Reader).items() if name.startswith("_on_")
}
