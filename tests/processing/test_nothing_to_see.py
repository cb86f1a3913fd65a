"""Pictures that show nothing: nothing is claimed to be seen in them, and the record says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from character_pipeline import CharacterPipeline, create_pipeline
from character_pipeline.extractors.picture_quality import TINY
from tests.extractors.test_color_analyzer import portrait

EMBEDDED = {"clip_analyzer": {"model_name": "embedded", "threads": 1}}
COLOUR = st.tuples(*[st.integers(0, 255)] * 3)
SIDE = st.integers(TINY, 300)
LONG_SIDE = st.integers(4 * TINY, 300)
"""Over a few pixels, a gradient from one colour to another is an edge."""
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=[True, False], ids=["quality", "no quality"])
def pipeline(request: pytest.FixtureRequest) -> Iterator[CharacterPipeline]:
    with create_pipeline({**EMBEDDED, "picture_analyzers": {"quality": request.param}}) as made:
        yield made


def says_nothing(pipeline: CharacterPipeline, picture: Image.Image) -> bool:
    record = pipeline.extract_from_image(picture).to_detail()
    assert (record["status"], record["people"], record["errors"]) == ("ok", "unknown", [])
    assert [(reason["gate"], reason["value"]) for reason in record["reasons"]] == [("picture", "nothing to see")]
    return all(found["state"] == "unknown" and not found["evidence"] for found in record["attributes"].values())


@FEW
@given(COLOUR, SIDE, SIDE)
def test_one_colour_says_nothing(pipeline: CharacterPipeline, colour: Any, width: int, height: int) -> None:
    assert says_nothing(pipeline, Image.new("RGB", (width, height), colour))


@FEW
@given(COLOUR, COLOUR, st.floats(0, 6.3), LONG_SIDE, LONG_SIDE)
@example((0, 0, 0), (255, 255, 255), 0.0, TINY, TINY)
@example((255, 255, 255), (0, 0, 0), 1.3, 128, 128)
def test_a_linear_gradient_says_nothing(
    pipeline: CharacterPipeline, one: Any, other: Any, turn: float, width: int, height: int
) -> None:
    rows, columns = np.mgrid[:height, :width]
    along = np.cos(turn) * columns + np.sin(turn) * rows
    share = (along - along.min()) / max(np.ptp(along), 1e-9)
    pixels = np.array(one) + share[..., None] * (np.array(other) - one)
    assert says_nothing(pipeline, Image.fromarray(pixels.round().astype(np.uint8)))


@FEW
@given(st.integers(1, TINY - 1), st.integers(1, 300), st.booleans(), st.integers(0, 2**32 - 1))
def test_a_tiny_picture_says_nothing(
    pipeline: CharacterPipeline, short: int, other: int, tall: bool, seed: int
) -> None:
    shape = (other, short, 3) if tall else (short, other, 3)
    assert says_nothing(pipeline, Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)))


def test_a_character_is_still_described(pipeline: CharacterPipeline) -> None:
    record = pipeline.extract_from_image(portrait("#c02c28", size=128))
    assert record.attributes["Hair Color"].value == "Red"
    assert not [reason for reason in record.reasons if reason.attribute == "picture"]


def test_the_text_of_such_a_picture_is_read(pipeline: CharacterPipeline) -> None:
    record = pipeline.extract_from_image(Image.new("RGB", (64, 64), "white"), "1girl, red hair")
    assert record.to_dict().keys() == {"Gender", "Hair Color", "Confidence Score"}
    assert {reason.attribute for reason in record.reasons} == {"people", "picture"}
