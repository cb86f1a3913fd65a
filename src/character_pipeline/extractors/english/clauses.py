"""Verbs, prepositions and signs: what they make of the words that follow."""

from __future__ import annotations

from character_pipeline.extractors.english.scopes import compared_until, denied_until, doubted_until
from character_pipeline.extractors.english.state import Clause
from character_pipeline.extractors.english.things import Things
from character_pipeline.extractors.english.units import Unit

_MOST_ADJECTIVES = 12
DETERMINERS = frozenset({"definite", "indefinite", "another", "many"})


class Clauses(Things):
    """The part of the reader that follows the clauses of a sentence. `_on_x` takes a unit of the kind x."""

    def _on_degree(self, unit: Unit) -> None:
        if self.phrase.start < 0 and not self.phrase.unknown:
            self.phrase.start = unit.start

    def _on_hedge(self, unit: Unit) -> None:
        self.hedge = doubted_until(self.units, self.index)

    def _on_unsure(self, unit: Unit) -> None:
        self.settle()
        hyphen = self.text[unit.end : unit.end + 1] == "-"
        until = self.index + 2 if hyphen else doubted_until(self.units, self.index)
        self.doubt = max(self.doubt, until)

    def _on_negation(self, unit: Unit) -> None:
        self.settle()
        self.deny = 0 if unit.word == "none" else denied_until(self.units, self.index)
        self.clause.after_of = False

    def _on_simile(self, unit: Unit) -> None:
        if self.text[unit.start - 1 : unit.start] == "-":
            return
        if unit.word == "as" and self.kind_at(self.index + 1) in {"claim", "degree"}:
            ahead = self.units[self.index + 2 : self.index + 5]
            if any(other.word == "as" for other in ahead):
                return
        if self.clause.focus and self.phrase.mods:
            self._predicate(self.clause)
            self.phrase.mods = [p for p in self.phrase.mods if not any(c.head == self.clause.focus for c in p.claims)]
        self.settle()
        self.compare = compared_until(self.units, self.index)

    def _on_it(self, unit: Unit) -> None:
        self.settle()
        self.release()
        self.clause = Clause(mine=False, foreign=True)

    def _on_who(self, unit: Unit) -> None:
        self.settle()
        if self.clause.focus == "":
            self.clause.subject = "person"
        if unit.word == "whose":
            self.start, self.phrase.det = self.index, "poss"
        self.clause.mode = self.clause.place = ""

    def _joined(self, unit: Unit) -> bool:
        """Whether "and" or a comma stands between two adjectives of one noun: "long, black hair"."""
        phrase, after = self.phrase, self.kind_at(self.index + 1)
        if not phrase.mods or phrase.tail or len(phrase.mods) > _MOST_ADJECTIVES:
            return False
        if unit.kind == "comma" and (after == "and" or phrase.mods[-1].trails):
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
        if clause.fresh and not clause.foreign and after != "who":
            clause.mine, clause.fresh = True, False
        if clause.mode == "hold" and after not in DETERMINERS and after != "and":
            clause.mode = ""
        if not clause.label and clause.mode == "be":
            clause.mode = "" if after != "and" else "be"
        clause.place = clause.place if after == "and" or clause.place == "background" else ""
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
        clause.mode, clause.carried = "be", False
        clause.place = clause.place if clause.place == "background" else ""

    def _on_seem(self, unit: Unit) -> None:
        if unit.word == "looking" and self.phrase.mods and not self.phrase.tail:
            self.compound("face")
        else:
            self._on_be(unit)

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

    _on_carry = _on_hold

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
        if self.phrase.unknown and self.phrase.det == "definite":
            self.clause.subject = "thing"
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
