"""Where on the body a scar or a tattoo is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from character_pipeline.extractors.english.units import Unit
from character_pipeline.vocabulary.phrases import Claim, Phrases

_REACH = 10
_ENDS = frozenset({"stop", "comma", "with", "wear", "claim", "she", "he", "and"})
_STARTS = frozenset({"stop", "comma", "with", "she", "he"})
_BETWEEN = frozenset({"her", "his", "their", "degree", "word", "behind", "and"})
_OTHER_TALK = frozenset({"be", "have", "wear", "seem"})


class Places:
    """The part of the reader that looks around a noun for places on the body."""

    def __init__(self, units: Sequence[Unit], phrases: Phrases) -> None:
        self.units = units
        self.phrases = phrases
        self.index = 0

    def kind_at(self, index: int) -> str:
        return self.units[index].kind if 0 <= index < len(self.units) else "stop"

    def placed(self, claim: Claim, *, negated: bool) -> list[Claim]:
        """The claim, once for each place on the body if that is its value."""
        if claim.value != "@":
            return [claim]
        table = self.phrases.places.get(claim.attribute, {})
        found = self._after(table) or self._before_it(table, "Other" if negated else "")
        whole = "" if negated else table.get("", "Other")
        return [replace(claim, value=value) for value in found or [whole]]

    def _after(self, table: Mapping[str, str]) -> list[str]:
        """ "on her arm and chest"; of "the back of her neck", the neck."""
        places: list[str] = []
        found = chained = ""
        for position in range(self.index, min(self.index + _REACH, len(self.units))):
            unit = self.units[position]
            if unit.last in table:
                found = table[unit.last]
            elif unit.kind == "of":
                found, chained = "", found
            elif found and unit.kind in {"and", "comma"} and self._goes_on(position, table):
                places.append(found)
                found = ""
            elif position > self.index and (found or unit.kind in _ENDS):
                break
        last = found or chained
        return [*places, last] if last and last not in places else places

    def _goes_on(self, position: int, table: Mapping[str, str]) -> bool:
        for ahead in range(position + 1, min(position + 4, len(self.units))):
            unit = self.units[ahead]
            if unit.last in table and unit.kind in {"word", "head_body", "degree"}:
                return self.kind_at(ahead + 1) not in _OTHER_TALK
            if unit.kind not in _BETWEEN:
                return False
        return False

    def _before_it(self, table: Mapping[str, str], passed: str) -> list[str]:
        """ "a facial scar", "his arms are covered in tattoos"; a denial passes over "skin"."""
        for unit in reversed(self.units[max(0, self.index - 6) : self.index]):
            noun = any(claim.kind == "noun" for claim in unit.entry.claims)
            if noun or unit.kind in _STARTS:
                break
            if unit.last in table and table[unit.last] != passed:
                return [table[unit.last]]
        return []
