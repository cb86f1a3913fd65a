"""Pictures without colours hide colours; pale ones with white hair do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter, ImageOps
from tests.extractors.test_color_analyzer import portrait

from character_pipeline.data import EMPTY, Evidence, Item
from character_pipeline.extractors.base import PictureReader, ReadingStage
from character_pipeline.extractors.picture_quality import FIELDS, PictureQuality, QualityReader, make_picture_quality
from character_pipeline.sample import draw, render
from character_pipeline.vocabulary import load_vocabulary

COLOURS = {"hair_color", "eye_color", "skin_tone"}


@pytest.fixture(scope="module")
def quality() -> PictureQuality:
    return make_picture_quality(load_vocabulary())


def claims(quality: PictureQuality, picture: Image.Image) -> tuple[Evidence, ...]:
    vector = quality.reader.read([picture])[0]
    return quality.process([Item("a", readings={quality.reader.key: vector})])[0]


def field(name: str, picture: Image.Image) -> float:
    return float(QualityReader().read([picture])[0, FIELDS.index(name)])


def test_a_prepared_picture_has_the_vector_of_the_whole_one() -> None:
    reader = QualityReader()
    many = [portrait("#302018"), portrait("#c03020", size=300), Image.new("RGB", (8, 6), "red")]
    prepared = [reader.prepare(picture) for picture in many]
    assert np.array_equal(reader.read(prepared), reader.read(many))


def test_it_is_a_stage_that_works_on_readings(quality: PictureQuality) -> None:
    assert isinstance(quality, ReadingStage)
    assert all(isinstance(reader, PictureReader) for reader in quality.readers)
    assert quality.process([Item("a")]) == [()]


def test_a_grey_picture_states_that_colours_are_hidden(quality: PictureQuality) -> None:
    found = claims(quality, ImageOps.grayscale(portrait("#c02c28")).convert("RGB"))
    assert {claim.attribute for claim in found} == COLOURS
    assert {(claim.stance, claim.score, claim.value, claim.source) for claim in found} == {
        ("hidden", 0.9, "", "picture_quality/3")
    }


def test_a_sepia_picture_hints_that_colours_are_hidden(quality: PictureQuality) -> None:
    grey = np.asarray(ImageOps.grayscale(portrait("#c02c28"))).astype(np.float64)
    found = claims(quality, Image.fromarray((grey[..., None] * [1.0, 0.86, 0.66]).astype(np.uint8)))
    assert {claim.attribute for claim in found} == COLOURS
    assert {claim.score for claim in found} <= {0.4, 0.7}


@pytest.mark.parametrize(
    "picture",
    [portrait("#f4f2f4", ground="#ffffff"), portrait("#c02c28")],
    ids=["white hair", "red hair"],
)
def test_of_other_pictures_it_says_nothing(quality: PictureQuality, picture: Image.Image) -> None:
    assert claims(quality, picture) == ()


def grain(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).normal(200, 3, (90, 120, 3))
    return Image.fromarray(pixels.round().astype(np.uint8))


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (Image.new("RGB", (64, 64), "white"), "without any edges"),
        (Image.radial_gradient("L").convert("RGB"), "without any edges"),
        (grain(0), "hardly more than one colour"),
        (portrait("#c02c28").resize((40, 15)), "fewer than 16 pixels"),
    ],
    ids=["white", "radial", "grain", "tiny"],
)
def test_where_there_is_nothing_to_see_it_says_only_that(
    quality: PictureQuality, picture: Image.Image, why: str
) -> None:
    (claim,) = claims(quality, picture)
    assert (claim.attribute, claim.value, claim.stance) == (EMPTY, "nothing to see", "is")
    assert why in claim.origin


def test_drawn_pictures_are_told_apart(quality: PictureQuality) -> None:
    for seed in range(3_000_000, 3_000_060):
        drawing = draw(seed)
        grey = bool({"monochrome", "greyscale"} & set(drawing.tags))
        assert {claim.attribute for claim in claims(quality, render(drawing, 128))} == (COLOURS if grey else set()), (
            seed
        )


def test_the_fields_say_what_they_are_called() -> None:
    picture = portrait("#c02c28", size=400)
    blurred = picture.filter(ImageFilter.GaussianBlur(6))
    assert field("sharpness", blurred) < field("sharpness", picture)
    assert field("brightness", ImageOps.invert(Image.new("RGB", (9, 9)))) == pytest.approx(1, abs=1e-3)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert field("entropy", noise) > field("entropy", picture)
    assert field("flatness", noise) < 0.2 < field("flatness", picture)
    assert field("contrast", noise) > 0 == field("contrast", Image.new("RGB", (9, 9), "red"))
    assert field("coloured", picture) > 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**32 - 1), st.integers(1, 256))
def test_any_picture_gives_finite_numbers_near_1_at_most(w: int, h: int, seed: int, levels: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, levels, (h, w, 3), dtype=np.uint8)
    vector = QualityReader().read([Image.fromarray(pixels)])
    assert vector.shape == (1, len(FIELDS))
    assert np.isfinite(vector).all()
    assert (abs(vector) <= 1.5).all()
