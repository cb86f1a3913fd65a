"""What a noun makes of the adjectives before it: claims about the character, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from character_pipeline.extractors.english.collector import Collector
from character_pipeline.extractors.english.places import Places
from character_pipeline.extractors.english.state import Clause, NounPhrase, Pending
from character_pipeline.extractors.english.units import Unit
from character_pipeline.vocabulary.phrases import Claim, Phrases

COLOURS = frozenset({"hair_color", "eye_color"})
_SEVERAL = {"hair_color": ("Multicolored", 0.8), "eye_color": ("Heterochromia", 0.6)}
_TRAILING = frozenset({"to", "down", "past", "below", "over", "reaching", "reaches", "reached", "covering", "covers"})
_LOOSE_KINDS = frozenset({"adj", "mark", "verb", "trait", "mood", "pred"})


class Nouns(Places):
    """The part of the reader that joins adjectives and nouns. `Reader` walks; this class concludes."""

    def __init__(self, text: str, units: Sequence[Unit], phrases: Phrases, collector: Collector) -> None:
        super().__init__(units, phrases)
        self.text = text
        self.collector = collector
        self.clause = Clause()
        self.phrase = NounPhrase()
        self.deny = self.doubt = self.compare = self.hedge = 0
        self.shared: list[Pending] = []
        self.group: list[tuple[Claim, tuple[int, int], bool, str]] = []

    @property
    def blocked(self) -> bool:
        return self.index < self.doubt or self.index < self.compare

    @property
    def negated(self) -> bool:
        return self.index < self.deny

    @property
    def denied(self) -> bool:
        """Whether the noun here is denied, before it or as in "Tattoos: none"."""
        return self.negated or (self.kind_at(self.index + 1) == "colon" and self.kind_at(self.index + 2) == "negation")

    def wait(self, claims: tuple[Claim, ...], unit: Unit) -> None:
        """Keep an adjective until its noun is known."""
        phrase, end = self.phrase, self.text[unit.end - 3 : unit.end].lower()
        pending = Pending(claims, unit.start, unit.end, phrase.joined, self.negated, self.index < self.doubt)
        pending.compared = self.index < self.compare
        pending.trails = unit.word in _TRAILING
        pending.firm = end != "ing" and not end.endswith("ed")
        phrase.mods.append(pending)
        phrase.joined, phrase.tail = "", 0
        if phrase.start < 0:
            phrase.start = unit.start

    def compound(self, head: str) -> None:
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

    def settle(self) -> None:
        """The noun phrase ends without a noun: its adjectives speak of the subject, or of its hair, eyes…"""
        phrase, clause = self.phrase, self.clause
        if phrase.mods:
            self._predicate(clause)
            mine = clause.mine and not phrase.other and (clause.subject == "person" or clause.mode != "be")
            for pending in phrase.mods:
                self._alone(pending, mine)
        clause.after_of = False
        if not phrase.mods and not (phrase.det or phrase.unknown or phrase.joined or phrase.start >= 0):
            return
        self.phrase = NounPhrase()

    def _predicate(self, clause: Clause) -> None:
        near = self.phrase.tail == 0 or clause.mode == "be" or clause.after_of
        if clause.focus and clause.focus_mine and near:
            self._for_head(clause.focus, clause.focus_start, single=clause.focus_single)

    def _alone(self, pending: Pending, mine: bool) -> None:
        """An adjective without a noun: "she is smiling and bearded"; after "her hair is", it speaks of the hair."""
        phrase, clause = self.phrase, self.clause
        if pending.compared:
            return
        attributive = phrase.det and phrase.tail and clause.mode != "be"
        free = mine and (not clause.focus or clause.mode != "be")
        for claim in pending.claims:
            fits = self._fits(claim, clause.focus) and clause.focus_mine and clause.mine
            verbal = not attributive or (claim.kind == "verb" and pending.firm)
            if (free or fits) and verbal and self._stands_alone(claim):
                self.emit_pending(claim, pending)

    def _stands_alone(self, claim: Claim) -> bool:
        phrase, clause = self.phrase, self.clause
        if claim.head == "ethnic":
            bare = not (phrase.tail or phrase.det or phrase.unknown)
            bare = bare and (not clause.focus or self._fits(claim, clause.focus))
            return bare and clause.mode == "be"
        if claim.kind in {"pred", "trait"}:
            return clause.mode == "be" and (claim.kind == "pred" or not phrase.tail)
        return claim.kind in _LOOSE_KINDS

    def _fits(self, claim: Claim, head: str) -> bool:
        return bool(head) and claim.attribute in self.phrases.carriers.get(head, ())

    def emit_pending(self, claim: Claim, pending: Pending) -> None:
        if pending.blocked or (pending.compared and claim.kind != "image"):
            return
        for placed in self.placed(claim, negated=pending.negated):
            self.collector.add(placed, (pending.start, pending.end), factor=self.factor, negated=pending.negated)

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
        self._share(head)
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

    def _share(self, head: str) -> None:
        """ "blue hair and eyes": the adjective of the first noun is that of the second."""
        phrase, before = self.phrase, self.kind_at(self.index - 2)
        alone = not (phrase.mods or phrase.det) and self.kind_at(self.index + 1) not in {"be", "colon"}
        if alone and self.kind_at(self.index - 1) == "and" and before.startswith("head_"):
            phrase.mods = self.shared
        self.shared = [pending for pending in phrase.mods if not pending.loose]

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
            self.collector.put((attribute, value), score, (live[0][1].start, live[-1][1].end), detail)
            return
        for claim, pending in kept:
            if single and (claim, pending) in live:
                self.collector.single_eyes.append((claim.value, pending.start, pending.end))
            else:
                self._one(claim, pending, start, end)
