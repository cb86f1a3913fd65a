"""Who is in the text: the character, other people, animals, pictures; and whose the words are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from character_pipeline.extractors.english.clauses import Clauses
from character_pipeline.extractors.english.state import Cast, Clause, NounPhrase, Pending
from character_pipeline.extractors.english.units import Unit
from character_pipeline.vocabulary.phrases import Claim, Person

_BESIDE = frozenset({"and", "with", "near", "behind", "carry", "meet"})
_ACTS = frozenset({"wear", "hold", "carry", "meet"})
_GENDER = {"she": "Female", "her": "Female", "he": "Male", "his": "Male"}


class People(Clauses):
    """The part of the reader that knows the cast. The character is the first person who is no mere neighbour."""

    cast: Cast
    last_main = start = -3

    def _possessive(self, unit: Unit) -> None:
        self.settle()
        self.start = self.index
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

    def _mentioned(self, unit: Unit) -> bool:
        """Whether a phrase has a pronoun in it, which may tell the gender: "in her hand"."""
        for word in self.text[unit.start : unit.end].lower().split():
            if word in _GENDER:
                self._said(_GENDER[word], unit)
                return True
        return False

    def _owned(self) -> None:
        """ "the cat's": what follows belongs to the last noun."""
        before = self.units[self.index - 1] if self.index else None
        foreign = before is not None and (before.kind == "creature" or not self.clause.mine)
        self.phrase = NounPhrase(det="poss", other=foreign)
        if foreign and before is not None and before.kind != "creature":
            self.clause.mine = not self.clause.foreign

    def _on_creature(self, unit: Unit) -> None:
        """Animals, dolls, ghosts: the words around them are theirs."""
        after = self.units[self.index + 1] if self.index + 1 < len(self.units) else None
        if after is not None and after.kind in {"claim", "person"}:
            return
        self.take_loose()
        self.phrase = NounPhrase()
        if self.index < self.compare or self.negated:
            return
        clause = self.clause
        if clause.place == "behind" and not clause.mode:
            self.drop_loose()
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
        self.clause.subject = "thing"
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

    def _on_person(self, unit: Unit) -> None:
        person, after = unit.entry.person, self.kind_at(self.index + 1)
        self._gates(unit, unit.entry.claims)
        if person is None or after in {"person", "head_hair", "adjhead_hair"}:
            self.wait(unit.entry.claims, unit)
            self.phrase.person = person if after == "person" else None
            return
        if self.phrase.det == "poss" and self.clause.mode == "wear" and self._owns():
            return
        person = _together(self.phrase.person, person)
        self._young(person, self.phrase.mods)
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
            return clause.place != "behind" and (clause.mine or clause.mode == "be")
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
            self.collector.put(("gender", person.gender), person.score, span)
        if person.age:
            self.collector.put(("age", person.age), person.score, span)
        label = self.clause.label
        self.clause = Clause(mode=self.clause.mode if label else "", label=label)

    def _someone(self, unit: Unit) -> None:
        clause, cast = self.clause, self.cast
        if clause.place == "background":
            cast.far += 1
        elif self._is_there():
            cast.others += 1
        first = self._opens() or clause.place == "background"
        clause.mine, clause.fresh, clause.focus, clause.mode = False, True, "", ""
        clause.foreign = clause.foreign or first
        clause.place = ""

    def _is_there(self) -> bool:
        """Whether a person is in the picture, and not only named, as in "his father's eyes"."""
        if self.phrase.det != "poss":
            return True
        after, following = self.units[self.index + 1 : self.index + 3], self.kind_at(self.index + 1)
        if self._owns():
            return False
        acts = following in _ACTS or (following == "comma" and after[-1].kind == "who")
        return self.kind_at(self.start - 1) in _BESIDE or (acts and self.kind_at(self.start - 1) == "stop")

    def _owns(self) -> bool:
        """Whether an owner is named: "her mother's necklace" is worn by her."""
        after = self.units[self.index + 1 : self.index + 2]
        return bool(after) and after[0].word in {"'s", "'"}

    def _gates(self, unit: Unit, claims: Sequence[Claim]) -> None:
        """What must never be missed counts for anyone in the text, also in doubt and in comparisons."""
        if self.negated and unit.word not in {"no", "without", "wear"}:
            return
        if self.kind_at(self.index + 1) == "thing" or self._names_gender():
            return
        for claim in claims:
            if claim.kind == "gate":
                self.collector.add(claim, (unit.start, unit.end))

    def _names_gender(self) -> bool:
        """In "Sex: female" the first word is harmless."""
        after = self.units[self.index + 2] if self.index + 2 < len(self.units) else None
        if after is None or self.kind_at(self.index + 1) != "colon":
            return False
        if self.units[self.index].kind == "head_gender":
            return True
        return after.kind == "person" or any(claim.attribute == "gender" for claim in after.entry.claims)


def _together(first: Person | None, last: Person) -> Person:
    """Two nouns for one person: "a girl soldier"."""
    if first is None:
        return last
    return replace(last, kind=first.kind, gender=last.gender or first.gender, age=last.age or first.age)
