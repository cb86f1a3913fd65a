"""What goes in and out of the REST service."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, WithJsonSchema, model_validator

from character_pipeline.data import PEOPLE, STATUSES, People
from character_pipeline.database.feedback import MOST_TEXT, Feedback
from character_pipeline.database.jobs import Job, JobState

MOST_VALUES = 100
SHOWN = tuple(status for status in STATUSES if status != "quarantined")
ShownStatus = Literal["ok", "partial", "ambiguous", "no_character", "failed"]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
"""A picture of one pixel, for examples."""


def _decode(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"no base64: {error}") from error


Base64 = Annotated[
    bytes,
    BeforeValidator(_decode),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "description": "the bytes of a picture file"}),
]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=False)


class Problem(BaseModel):
    """What went wrong, by RFC 9457."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=["urn:charpipe:not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no item 'a.png'"])
    instance: str | None = Field(None, examples=["urn:charpipe:request:5f0c"])


class Described(Model):
    """A picture, a text, or both."""

    text: str | None = Field(None, description="tags, a prompt or plain English", examples=["1girl, solo, red hair"])
    image: Base64 | None = Field(None, examples=[PIXEL])

    @model_validator(mode="after")
    def _has_something(self) -> Self:
        if self.text is None and self.image is None:
            raise ValueError("give a text, an image, or both")
        return self


class ExtractRequest(Described):
    strategy: str | None = Field(None, description="who decides; see /v1/vocabulary", examples=["hierarchical"])
    detail: bool = Field(False, description="every attribute with state, alternatives and evidence")


class BatchItem(Described):
    id: str | None = Field(None, max_length=500, description="none: its place, from 1", examples=["0001.png"])


class BatchRequest(Model):
    items: Annotated[list[BatchItem], FailFast()] = Field(min_length=1)


class FlatRecord(BaseModel):
    """What is known of an item: each attribute that is known, under its label."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [
        {"item_id": "0001.png", "status": "ok", "people": "single", "Gender": "Female", "Hair Color": "Red",
         "Accessories": ["Hat"], "Confidence Score": 0.91}
    ]})  # fmt: skip
    item_id: str
    status: Literal[STATUSES]  # type: ignore[valid-type]
    people: Literal[PEOPLE]  # type: ignore[valid-type]
    confidence: float = Field(alias="Confidence Score", ge=0, le=1)
    errors: list[dict[str, str]] | None = Field(None, description="what went wrong with a part of the item")


class DetailRecord(BaseModel):
    """Everything that was decided of an item, and why."""

    model_config = ConfigDict(extra="allow")
    item_id: str
    status: Literal[STATUSES]  # type: ignore[valid-type]
    people: People
    confidence: float = Field(ge=0, le=1)
    errors: list[dict[str, str]]
    reasons: list[dict[str, Any]]
    attributes: dict[str, dict[str, Any]]


class ResultPage(BaseModel):
    items: list[FlatRecord | DetailRecord]
    next_cursor: str | None = Field(description="give it as `cursor` for the next page; null: this is the last one")


class JobAnswer(BaseModel):
    """A batch as it stands."""

    id: str = Field(examples=["batch-0123456789abcdef"])
    state: JobState
    cancelling: bool = Field(description="it stops as soon as it can")
    total: int
    done: int
    items_per_second: float
    seconds_left: float | None
    failures: dict[str, int] = Field(description="errors by kind", examples=[{"truncated_image": 2}])
    error: str | None = Field(description="why the batch itself failed")
    created: datetime
    started: datetime | None
    ended: datetime | None
    item_prefix: str | None = Field(description="what the ids of its items begin with in the results")
    results: str = Field(description="where its results are", examples=["/v1/results?batch=batch-0123456789abcdef"])

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        return cls(
            id=job.name,
            state=job.state,
            cancelling=job.stopping and not job.finished,
            total=job.total,
            done=job.done,
            items_per_second=round(job.per_second, 2),
            seconds_left=None if job.seconds_left is None else round(job.seconds_left, 1),
            failures=dict(job.failures),
            error=job.error,
            created=_time(job.created),
            started=None if job.started is None else _time(job.started),
            ended=None if job.ended is None else _time(job.ended),
            item_prefix=job.prefix,
            results=f"/v1/results?batch={job.name}",
        )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class JobList(BaseModel):
    items: list[JobAnswer] = Field(description="newest first")


class FeedbackRequest(Model):
    """What is true of an attribute of an item."""

    item_id: str = Field(min_length=1, max_length=MOST_TEXT, examples=["0001.png"])
    attribute: str = Field(max_length=100, description="its key or label", examples=["hair_color"])
    values: list[Annotated[str, Field(max_length=100)]] = Field(
        max_length=MOST_VALUES, description="empty: none is true or visible", examples=[["Red"]]
    )
    author: str = Field("", max_length=MOST_TEXT)


class FeedbackAnswer(BaseModel):
    number: int
    item_id: str
    attribute: str
    values: list[str]
    author: str
    given: datetime

    @classmethod
    def of(cls, one: Feedback) -> FeedbackAnswer:
        return cls(
            number=one.number,
            item_id=one.item_id,
            attribute=one.label,
            values=list(one.values),
            author=one.author,
            given=_time(one.given),
        )


class AttributeAbout(BaseModel):
    key: str
    label: str
    many: bool = Field(description="whether an item may have several of the values")
    values: list[str]


class VocabularyAnswer(BaseModel):
    version: int
    digest: str
    attributes: list[AttributeAbout]
    states: list[str]
    strategies: list[str] = Field(description="that a single item may be decided with; the first is the usual one")


class StatisticsAnswer(BaseModel):
    items: int
    waiting: int
    by_status: dict[str, int]
    success_rate: float
    mean_confidence: float
    seconds_per_item: float
    attributes: dict[str, dict[str, int]] = Field(description="items by value or state, by attribute")
    errors_by_kind: dict[str, int]


class Health(BaseModel):
    status: str = Field(examples=["ok"])
    version: str
