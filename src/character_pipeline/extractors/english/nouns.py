"""What a noun makes of the adjectives before it: claims about the character, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from character_pipeline.extractors.english.collector import Collector
from character_pipeline.extractors.english.state import Clause, NounPhrase, Pending
from character_pipeline.extractors.english.units import Unit
from character_pipeline.vocabulary.phrases import Claim, Phrases

COLOURS = frozenset({"hair_color", "eye_color"})
_SEVERAL = {"hair_color": ("Multicolored", 0.8), "eye_color": ("Heterochromia", 0.6)}
_LOOSE_KINDS = frozenset({"adj", "mark", "verb", "trait", "mood", "pred"})
_NEAR_WORDS = frozenset(
    {"wear", "with", "in", "and", "or", "comma", "colon", "have", "negation", "stop", "of", "who", "be", "degree"}
)
_WORN_ON = frozenset(
    {"neck", "wrist", "throat", "finger", "waist", "head", "hand", "arm", "chest", "back", "collar", "ankle"}
)


class Nouns:
    """The part of the reader that joins adjectives and nouns. `Reader` walks; this class concludes."""

    def __init__(self, text: str, units: Sequence[Unit], phrases: Phrases, collector: Collector) -> None:
        self.text = text
        self.units = units
        self.phrases = phrases
        self.collector = collector
        self.clause = Clause()
        self.phrase = NounPhrase()
        self.index = 0
        self.deny = self.doubt = self.compare = self.hedge = 0
        self.group: list[tuple[Claim, tuple[int, int], bool, str, str | None]] = []

    @property
    def blocked(self) -> bool:
        return self.index < self.doubt or self.index < self.compare

    @property
    def negated(self) -> bool:
        return self.index < self.deny

    def kind_at(self, index: int) -> str:
        return self.units[index].kind if 0 <= index < len(self.units) else "stop"

    def wait(self, claims: tuple[Claim, ...], unit: Unit) -> None:
        """Keep an adjective until its noun is known."""
        phrase, end = self.phrase, self.text[unit.end - 3 : unit.end].lower()
        pending = Pending(claims, unit.start, unit.end, phrase.joined, self.negated, self.index < self.doubt)
        pending.compared = self.index < self.compare
        pending.firm = end != "ing" and not end.endswith("ed")
        phrase.mods.append(pending)
        phrase.joined, phrase.tail = "", 0
        if phrase.start < 0:
            phrase.start = unit.start

    def settle(self) -> None:
        """The noun phrase ends without a noun: its adjectives speak of the subject, or of its hair, eyes…"""
        phrase, clause = self.phrase, self.clause
        if phrase.mods:
            self._predicate(clause)
            mine = clause.mine and not phrase.other and (clause.subject == "person" or clause.mode != "be")
            for pending in phrase.mods:
                self._alone(pending, mine)
        clause.after_of = False
        self.phrase = NounPhrase()

    def _predicate(self, clause: Clause) -> None:
        if clause.focus:
            if clause.focus_mine and (self.phrase.tail == 0 or clause.mode == "be" or clause.after_of):
                self._for_head(clause.focus, clause.focus_start, single=clause.focus_single)

    def _alone(self, pending: Pending, mine: bool) -> None:
        phrase, mode = self.phrase, self.clause.mode
        attributive = phrase.det and phrase.tail and mode != "be"
        for claim in pending.claims:
            if claim.kind not in _LOOSE_KINDS or pending.compared:
                continue
            if claim.kind == "pred" and mode != "be":
                continue
            if claim.head == "ethnic" and (
                mode != "be" or phrase.tail or phrase.det or phrase.unknown or self.clause.focus
            ):
                continue
            if claim.kind == "trait" and (mode != "be" or phrase.tail):
                continue
            fits = self._fits(claim, self.clause.focus) and self.clause.focus_mine and self.clause.mine
            if (mine and not self.clause.focus) or fits or (mine and self.clause.mode != "be"):
                if not attributive or (claim.kind == "verb" and pending.firm):
                    self.emit_pending(claim, pending)

    def _fits(self, claim: Claim, head: str) -> bool:
        return bool(head) and claim.attribute in self.phrases.carriers.get(head, ())

    def emit_pending(self, claim: Claim, pending: Pending, *, detail: str = "", start: int = -1) -> None:
        if pending.blocked or (pending.compared and claim.kind != "image"):
            return
        span = (pending.start if start < 0 else start, pending.end)
        value = self.place(claim.attribute, negated=pending.negated) if claim.value == "@" else None
        self.collector.add(claim, span, factor=self.factor, negated=pending.negated, detail=detail, value=value)

    @property
    def factor(self) -> float:
        return 0.75 if self.index < self.hedge else 1.0

    def take_loose(self) -> None:
        """Adjectives before a comma, when what follows is no person: "muscular, long hair"."""
        mine = self.clause.mine and not self.phrase.det
        for pending in [pending for pending in self.phrase.mods if pending.loose]:
            self._alone(pending, mine)

    def for_owner(self, mods: Sequence[Pending], person: str) -> None:
        """The noun is the character: all adjectives before it are claims."""
        for pending in mods:
            for claim in pending.claims:
                if claim.kind in {"adj", "mark", "verb", "trait"} or (claim.kind == "mod" and claim.head == person):
                    self.emit_pending(claim, pending)

    def head(self, unit: Unit, head: str, *, mine: bool) -> None:
        """The noun is hair, eyes, skin…: the adjectives that can describe it are claims."""
        clause = self.clause
        self.take_loose()
        single = head == "eyes" and not unit.plural and unit.last == "eye"
        start = self.phrase.start if self.phrase.start >= 0 else unit.start
        if mine:
            self._for_head(head, start, single=single, end=unit.end)
            for pending in self.phrase.mods:
                for claim in pending.claims:
                    fits = claim.kind == "mark" or (claim.kind in {"adj", "verb"} and self._fits(claim, head))
                    if fits and not pending.loose:
                        self.emit_pending(claim, pending)
        clause.focus, clause.focus_mine, clause.focus_single, clause.focus_start = head, mine, single, start
        clause.subject = "part"
        clause.carried = clause.mode in {"with", "have", "in", "wear"}
        clause.after_of = False
        self.phrase = NounPhrase()

    def _for_head(self, head: str, start: int, *, single: bool, end: int = 0) -> None:
        chosen: dict[str, list[tuple[Claim, Pending]]] = {}
        for pending in self.phrase.mods:
            for claim in pending.claims:
                if claim.kind not in {"mod", "image", "multi"} or (claim.head != head):
                    continue
                if claim.kind == "image" and not (pending.compared or self.clause.after_of):
                    continue
                chosen.setdefault(claim.attribute, []).append((claim, pending))
        for attribute, pairs in chosen.items():
            self._colours(pairs, start, single, end) if attribute in COLOURS else self._all(pairs, start, end)

    def _all(self, pairs: list[tuple[Claim, Pending]], start: int, end: int) -> None:
        for claim, pending in pairs:
            self._one(claim, pending, start, end)

    def _one(self, claim: Claim, pending: Pending, start: int, end: int) -> None:
        low, high = min(start, pending.start), max(end, pending.end)
        span = (low, high) if high - low <= 80 else (pending.start, pending.end)
        detail = self.text[pending.start : pending.end]
        if pending.blocked or (pending.compared and claim.kind != "image"):
            return
        quiet = not claim.value or detail.lower().replace("-", " ") == claim.value.lower()
        self.collector.add(
            claim, span, factor=self.factor, negated=pending.negated, detail="" if quiet else detail.lower()
        )

    def _colours(self, pairs: list[tuple[Claim, Pending]], start: int, single: bool, end: int) -> None:
        """Of colours side by side the last one counts; two joined by "and" are two; "or" says nothing certain."""
        if any(pending.joined == "or" and not pending.negated for _, pending in pairs):
            return
        kept: list[tuple[Claim, Pending]] = []
        for claim, pending in pairs:
            if single and claim.stance == "hidden":
                continue
            if kept and not pending.joined and not kept[-1][1].negated and claim.stance == "is":
                kept.pop()
            kept.append((claim, pending))
        live = [pair for pair in kept if pair[0].stance == "is" and not pair[1].negated and not pair[1].blocked]
        values = {claim.value for claim, _ in live}
        attribute = pairs[0][0].attribute
        if len(values) > 1:
            value, score = _SEVERAL[attribute]
            detail = self.text[live[0][1].start : live[-1][1].end].lower()
            self.collector.put(attribute, value, score, (live[0][1].start, live[-1][1].end), "is", detail)
            return
        for claim, pending in kept:
            if single and (claim, pending) in live:
                self.collector.single_eyes.append((claim.value, pending.start, pending.end))
            else:
                self._one(claim, pending, start, end)

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
        for claim in met if mine and not self.blocked else ():
            if claim.attribute == "dress" and self.negated and claim.value != "Nude":
                continue
            detail = whole.lower() if whole.lower() != claim.value.lower() else ""
            value = self.place(claim.attribute, negated=self.negated) if claim.value == "@" else None
            self.group.append((claim, (start, unit.end), self.negated, detail, value))
        if clause.mode in {"", "be"}:
            clause.subject = "thing"
        clause.focus = "hair" if hairy else ""
        clause.focus_mine, clause.focus_start = mine, start
        self.phrase = NounPhrase()

    def _met(self, claim: Claim, unit: Unit) -> bool:
        clause, phrase, need = self.clause, self.phrase, claim.head
        if clause.place == "near" and claim.attribute in {"accessories", "dress", "features"}:
            return False
        if (
            clause.mode == "hold"
            and need != "carried"
            and claim.attribute in {"accessories", "dress", "features", "facial_hair"}
        ):
            return False
        before = self._before()
        dressed = bool(phrase.det or phrase.mods) or before in _NEAR_WORDS
        if need in {"", "np", "carried"}:
            return dressed or need == ""
        if need == "worn":
            return clause.mode == "wear" or self._ahead(_WORN_ON)
        if need == "in_hair":
            return (clause.focus == "hair" and before != "stop") or self._hair_ahead()
        if need == "inhair":
            return clause.mode == "in" or any(u.kind == "head_hair" for u in self._window(8))
        if need == "colours":
            return bool(phrase.mods) or phrase.det == "poss"
        if need == "ringed":
            return clause.mode in {"wear", "with", "have"} and bool(phrase.det or phrase.mods)
        return phrase.det == "indefinite" and clause.mode in {"have", "with"}

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

    def release(self) -> None:
        """The nouns that were kept are truly worn."""
        for claim, span, negated, detail, value in self.group:
            self.collector.add(
                claim, span, factor=self.factor, negated=negated, detail="" if negated else detail, value=value
            )
        self.group.clear()

    def place(self, attribute: str, *, negated: bool) -> str:
        """Where on the body a scar or a tattoo is: after it ("on her arm"), before it ("facial"), or its owner."""
        table = self.phrases.places.get(attribute, {})
        index = self.index
        found = chained = ""
        for unit in self.units[index : index + 9]:
            if unit.last in table:
                found = table[unit.last]
            elif unit is self.units[index]:
                continue
            elif unit.kind in {"stop", "comma", "with", "wear", "claim", "she", "he", "and"} or (
                found and unit.kind != "of"
            ):
                break
            elif unit.kind == "of":
                found, chained = "", found
        if found or chained:
            return found or chained
        for unit in reversed(self.units[max(0, index - 6) : index]):
            noun = any(claim.kind == "noun" for claim in unit.entry.claims)
            if noun or unit.kind in {"stop", "comma", "with", "she", "he"}:
                break
            if unit.last in table and not (negated and table[unit.last] == table.get("")):
                return table[unit.last]
        return "" if negated else table.get("", "Other")
