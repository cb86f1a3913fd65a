"""Undoes the syntax of image prompts: weights, brackets, wildcards, LoRA tags, escapes, generation metadata."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

LONGEST_TAG = 100

SEPARATOR = re.compile(r"\|\|\||[,，、；]|;(?=\s|$)|\b(?:BREAK|AND)\b")
_REGION = re.compile(r"\bBREAK\b")
_ONE_PERSON = re.compile(r"\b1(?:girl|boy|other)\b", re.IGNORECASE)
_METADATA = re.compile(r"\bnegative prompt:|\bsteps: ?\d+, ?(?:sampler|cfg|seed|size|schedule)", re.IGNORECASE)
_SYNTAX = re.compile(
    r"(?P<escape>\\[()\[\]{}])"
    r"|(?P<network><(?:lora|lyco|lycoris|locon|hypernet|embedding|ti|wlr):[^<>\n]{0,200}>)"
    r"|(?P<wildcard>(?<!\w)__[\w\-/*.]{1,60}?__(?!\w))"
    r"|(?P<face>\([^\s()]\)_\([^\s()]\)|\|_\|)"
    r"|(?P<emphasis>(?<![\w.])-?\d+(?:\.\d+)?::)"
    r"|(?P<calm>::)"
    r"|(?P<weight>:\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)\s*(?=[)\]]))"
    r"|(?P<bare>:\d?\.\d+$|:\d\.\d+$)"
    r"|(?P<open>[(\[{])"
    r"|(?P<close>[)\]}])"
    r"|(?P<bar>\|)",
    re.IGNORECASE,
)
_FACE = re.compile(r"[:;=>x]['o^-]?[()\[\]{}|]")
_PARTNER = {")": "(", "]": "[", "}": "{"}


@dataclass(slots=True)
class Segment:
    """A piece of text between two separators, and the separator that came before it."""

    text: str
    before: str


@dataclass(slots=True)
class _Bracket:
    kind: str
    segments: int
    pieces: int
    dropped: bool = False


@dataclass(slots=True)
class Undone:
    """The segments of one line without their syntax; `found` says whether there was any."""

    segments: list[Segment] = field(default_factory=list)
    found: bool = False


def without_metadata(text: str) -> str:
    """The text without the negative prompt and the settings that image generators write after a prompt."""
    cut = _METADATA.search(text)
    return text if cut is None else text[: cut.start()]


def is_regional(text: str) -> bool:
    """Whether several parts of a prompt each count a person of their own: "1girl, red hair BREAK 1girl, blue hair"."""
    counted = [part for part in _REGION.split(without_metadata(text)) if _ONE_PERSON.search(part)]
    return len(counted) > 1 and "solo" not in text.lower()


def undo(line: str, is_tag: Callable[[str], bool]) -> Undone:
    """Cut a line into segments, with all prompt syntax applied and removed."""
    scanner = _Scanner(is_tag)
    start, before = 0, ""
    for separator in SEPARATOR.finditer(line):
        scanner.segment(line[start : separator.start()], before)
        start, before = separator.end(), separator.group()
    scanner.segment(line[start:], before)
    return scanner.done


class _Scanner:
    """Walks over the segments of a line with a stack of open brackets, which may span several segments."""

    def __init__(self, is_tag: Callable[[str], bool]) -> None:
        self.is_tag = is_tag
        self.done = Undone()
        self.pieces: list[str] = []
        self.stack: list[_Bracket] = []
        self.before = ""

    def segment(self, raw: str, before: str) -> None:
        """Take one raw segment in. A whole known tag is never syntax: ":)", "bow_(weapon)"."""
        self.before = before
        raw = raw.strip()
        if len(raw) <= LONGEST_TAG and (self.is_tag(raw) or _FACE.fullmatch(raw)):
            self.pieces.append(raw)
        else:
            self._scan(raw)
        self._flush()

    def _scan(self, raw: str) -> None:
        position = 0
        for found in _SYNTAX.finditer(raw):
            start = found.start()
            if start < position:
                continue
            if start > position:
                self.pieces.append(raw[position:start])
            position = found.end()
            kind = found.lastgroup or ""
            if kind == "open" and (end := self._literal(raw, start)):
                self.pieces.append(raw[start:end])
                position = end
            else:
                self._apply(kind, found.group())
        self.pieces.append(raw[position:])

    def _literal(self, raw: str, start: int) -> int:
        """Where a parenthesis that belongs to a tag ends: "saber_(fate)", "bow (weapon)"; otherwise 0."""
        if raw[start] != "(" or not self.pieces:
            return 0
        end = raw.find(")", start, start + LONGEST_TAG) + 1
        head = self.pieces[-1]
        if not end or len(head) > LONGEST_TAG:
            return 0
        return end if head.endswith("_") or self.is_tag((head + raw[start:end]).strip()) else 0

    def _apply(self, kind: str, text: str) -> None:
        if kind == "face":
            self.pieces.append(text)
            return
        if kind == "bar" and not self.stack:
            self._flush()
            self.before = "|"
            return
        self.done.found = True
        if kind == "escape":
            self.pieces.append(text[1])
        elif kind == "open":
            self._push(text)
        elif kind == "emphasis":
            self._close("::")
            self._push("::", dropped=float(text[:-2]) <= 0)
        elif kind == "close":
            self._close(_PARTNER[text])
        else:
            self._inside(kind, text)

    def _inside(self, kind: str, text: str) -> None:
        """A sign that speaks of the bracket around it. Alternatives and scheduled words are not certain."""
        top = self.stack[-1] if self.stack else None
        if kind == "calm" and (top is None or top.kind != "["):
            self._close("::")
        elif top is not None and kind in {"bar", "calm"}:
            top.dropped = True
        elif top is not None and kind == "weight":
            top.dropped |= top.kind == "[" or float(text[1:]) <= 0

    def _push(self, kind: str, *, dropped: bool = False) -> None:
        self.stack.append(_Bracket(kind, len(self.done.segments), len(self.pieces), dropped))

    def _close(self, kind: str) -> None:
        if not self.stack or self.stack[-1].kind != kind:
            return
        bracket = self.stack.pop()
        if bracket.dropped:
            same = len(self.done.segments) == bracket.segments
            del self.pieces[bracket.pieces if same else 0 :]
            del self.done.segments[bracket.segments :]

    def _flush(self) -> None:
        text = "".join(self.pieces).strip()
        self.pieces = []
        if text:
            self.done.segments.append(Segment(text, self.before))
