"""The nouns of the pipeline: what goes in, what is claimed, what is decided, what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from character_pipeline.rl_optimizer.choices import Choice, Dealing

STATEMENT = 0.6
"""A claim whose score is at least this states its value; a weaker one hints at it, and yields to any statement."""

EMPTY = "picture"
"""The gate that a claim speaks of which says that a picture shows nothing."""

Stance = Literal["is", "not", "hidden", "absent"]
"""What a piece of evidence says of its attribute: it is this value; it is not this value (or, with an empty value,
none at all); it cannot be seen; there is nothing to describe (no hair to colour)."""

State = Literal["known", "unknown", "not_visible", "conflicting", "not_applicable"]
STATES: tuple[State, ...] = ("known", "unknown", "not_visible", "conflicting", "not_applicable")

People = Literal["single", "multiple", "none", "unknown"]
PEOPLE: tuple[People, ...] = ("single", "multiple", "none", "unknown")

Status = Literal["ok", "partial", "ambiguous", "no_character", "quarantined", "failed"]
STATUSES: tuple[Status, ...] = ("ok", "partial", "ambiguous", "no_character", "quarantined", "failed")

View = Literal["whole", "head"]
VIEWS: tuple[View, ...] = ("whole", "head")
"""What a model may be shown of a picture, in the order in which a vector holds it."""

ERROR_KINDS: Mapping[str, tuple[bool, str]] = {
    # kind: (passing: worth another try by itself, what a user can do)
    "empty_file": (False, "the file has no bytes: fetch it again or delete it"),
    "not_an_image": (False, "the bytes are no picture: the name's ending is wrong, or the download failed"),
    "truncated_image": (False, "the picture breaks off: fetch it again"),
    "corrupt_image": (False, "the picture cannot be decoded: fetch it again"),
    "image_too_large": (False, "more pixels than input_loader.max_pixels allows: raise it if you trust the file"),
    "file_too_large": (False, "more bytes than input_loader.max_file_bytes allows: raise it if you trust the file"),
    "text_too_large": (False, "more text than input_loader.max_text_bytes allows: shorten it or raise the limit"),
    "not_a_file": (False, "a folder, device or socket with the name of a picture: rename or remove it"),
    "not_found": (False, "the file is gone or the link points nowhere: restore it or remove the entry"),
    "permission_denied": (True, "the file may not be read: change its permissions"),
    "io_error": (True, "reading failed: run the same command again"),
    "out_of_memory": (True, "not enough memory: run again, with fewer workers"),
    "corrupt_file": (False, "the archive or table cannot be read to its end: fetch it again"),
    "bad_row": (False, "the manifest row cannot be understood: see the message"),
    "worker_died": (False, "the item killed the process that worked on it: leave it out, or report it"),
    "extractor_failed": (False, "a stage raised an error on this item: please report it with the message"),
    "invalid_record": (False, "the record broke its own schema: please report it with the message"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong with one item: where (`stage`), what kind (of `ERROR_KINDS`), and in words."""

    stage: str
    kind: str
    message: str

    @property
    def passing(self) -> bool:
        """Whether another try may succeed by itself."""
        return ERROR_KINDS.get(self.kind, (False, ""))[0]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to describe: an encoded picture, a text (tags, a prompt or plain English), or both."""

    item_id: str
    text: str | None = None
    image: bytes | None = None
    content_hash: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    picture: Image.Image | None = None
    """The decoded picture (RGB, upright), for the stages that need one."""
    readings: Mapping[str, NDArray[np.float16]] = field(default_factory=dict)
    """What picture readers found in the picture, by their key: an embedding, colours, sharpness."""
    facts: PictureFacts | None = None
    """What an earlier run learned of the picture's file."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One claim of one source about one attribute. Immutable and compared by identity, so that it can be shared.

    Attributes:
        attribute: a key of the vocabulary ("hair_color"), or one of the gates "people", "safety" and EMPTY.
        value: a value of that attribute; "" where the stance speaks of the whole attribute.
        score: the source's own score in [0, 1]; for text, the prior probability that the claim is right.
        source: extractor and version, "tag_parser/1".
        origin: what it was read from: the exact tag, the phrase, the prompt.
        stance: see `Stance`.
        detail: what the value leaves out: "green yukata", "silver".
    """

    attribute: str
    value: str
    score: float
    source: str
    origin: str
    stance: Stance = "is"
    detail: str | None = None

    @property
    def extractor(self) -> str:
        """The name of the source, without its version."""
        return self.source.partition("/")[0]

    @property
    def said(self) -> str:
        """What it claims, in words."""
        words = {
            "is": self.value,
            "not": f"not {self.value or 'any'}",
            "hidden": "not visible",
            "absent": "nothing there",
        }
        return words[self.stance]

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "source": self.source,
            "from": self.origin,
            "value": self.value,
            "score": round(self.score, 4),
        }
        if self.stance != "is":
            record["stance"] = self.stance
        if self.detail:
            record["detail"] = self.detail
        return record


Claims = Mapping[str, Sequence[Evidence]]
"""Evidence by the attribute or gate that it speaks of."""


def by_attribute(evidence: Iterable[Evidence]) -> dict[str, list[Evidence]]:
    claims: dict[str, list[Evidence]] = {}
    for claim in evidence:
        claims.setdefault(claim.attribute, []).append(claim)
    return claims


@dataclass(frozen=True, slots=True, eq=False)
class AttributeValue:
    """What was decided about one attribute of one item, and why."""

    state: State = "unknown"
    values: tuple[str, ...] = ()
    confidence: float = 0.0
    detail: str | None = None
    alternatives: tuple[tuple[str, float], ...] = ()
    evidence: tuple[Evidence, ...] = ()
    listed: bool = False
    """Whether the flat record shows all values as a list, or the first alone."""
    choice: Choice | None = None
    """What the policy chose, where one decided."""

    @property
    def value(self) -> str | None:
        return self.values[0] if self.values else None

    def to_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "value": self.value,
            "values": list(self.values),
            "detail": self.detail,
            "confidence": round(self.confidence, 4),
            "alternatives": [[value, round(probability, 4)] for value, probability in self.alternatives],
            "evidence": [claim.to_json() for claim in self.evidence],
            **({"policy": self.choice.to_json()} if self.choice is not None else {}),
        }


@dataclass(frozen=True, slots=True)
class CharacterAttributes:
    """The record of one item. `attributes` maps every label of the vocabulary, in its order, to what was decided."""

    attributes: Mapping[str, AttributeValue]
    people: People = "unknown"
    status: Status = "ok"
    confidence: float = 0.0
    item_id: str = ""
    content_hash: str = ""
    fingerprint: str = ""
    errors: tuple[Problem, ...] = field(default=())
    reasons: tuple[Evidence, ...] = field(default=())
    """The evidence of the gates: why this is one character, several or none, why it is quarantined, or why
    nothing was seen in its picture."""
    dealing: Dealing | None = None
    """How a policy dealt with the item, where there is more to say than what it chose for each attribute."""

    def to_dict(self) -> dict[str, Any]:
        """The flat record: what is known, in the order of the vocabulary, and the confidence score last."""
        flat: dict[str, Any] = {
            label: list(decided.values) if decided.listed else decided.value
            for label, decided in self.attributes.items()
            if decided.state == "known"
        }
        flat["Confidence Score"] = round(self.confidence, 4)
        return flat

    def to_detail(self) -> dict[str, Any]:
        """The detailed record: every attribute with its state, alternatives and evidence."""
        return {
            "people": self.people,
            "status": self.status,
            "confidence": round(self.confidence, 4),
            "item_id": self.item_id,
            "content_hash": self.content_hash,
            "fingerprint": self.fingerprint,
            "errors": [{"stage": p.stage, "kind": p.kind, "message": p.message} for p in self.errors],
            "reasons": [{"gate": claim.attribute, **claim.to_json()} for claim in self.reasons],
            **({"policy": self.dealing.to_json()} if self.dealing is not None else {}),
            "attributes": {label: decided.to_json() for label, decided in self.attributes.items()},
        }


@dataclass(frozen=True, slots=True)
class ExtractionResult:
    """What became of one item."""

    item_id: str
    attributes: CharacterAttributes
    seconds: float = 0.0

    @property
    def status(self) -> Status:
        return self.attributes.status

    @property
    def success(self) -> bool:
        return self.status in {"ok", "partial"}

    @property
    def error(self) -> str | None:
        """The first problem in words, or None."""
        first = next(iter(self.attributes.errors), None)
        return None if first is None else f"{first.stage}: {first.kind}: {first.message}"


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What the file itself says of a picture; kept in the cache, so that an unchanged picture is not opened again."""

    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True)
class Processed:
    """One item's result, with what the store keeps beside it."""

    item: Item
    result: ExtractionResult
    facts: PictureFacts | None = None
    fresh: Mapping[str, bytes] = field(default_factory=dict)
    """The vectors that were read just now, by the key of their reader: little-endian float16."""
