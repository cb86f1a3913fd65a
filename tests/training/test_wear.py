"""Heads that are dressed, and where their faces are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from character_pipeline.training.augment import GROUND, HAIR, SKIN
from character_pipeline.training.brush import Shape, arc, paint
from character_pipeline.training.corpus import HEAD, STORED, Corpus
from character_pipeline.training.distractions import KINDS
from character_pipeline.training.eyewear import glasses
from character_pipeline.training.faces import Face, find_face
from character_pipeline.training.labels import UNLABELLED, make_targets
from character_pipeline.training.wear import DRAW, EYEWEAR, dress
from character_pipeline.vocabulary import load_vocabulary
from character_pipeline.vocabulary.prompts import load_prompts

VOCABULARY = load_vocabulary()
BOOK = load_prompts(VOCABULARY)
FACE = Face(x=64, y=60, mouth_x=66, mouth_y=90, apart=16, wide=38)


def face_regions() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A square face with two eyes, an ear and a mouth, under hair."""
    regions = np.full((STORED, STORED), GROUND, np.uint8)
    regions[30:115, 26:102], regions[15:40, 26:102] = SKIN, HAIR
    regions[56:64, 44:52] = regions[56:64, 76:84] = regions[86:94, 54:78] = regions[70:76, 28:32] = 0
    return regions


def heads(count: int, **attributes: Any) -> Corpus:
    given = {"Facial Hair": False, "Accessories": [], "Hair Color": "Red", **attributes}
    line = {"style": "plain", "people": "single", "view": HEAD, "attributes": given}
    lines = [{**line, "labelled": {"Accessories": ["Glasses", "Hat"]}} for _ in range(count)]
    regions = face_regions()
    pixels = np.where(regions[..., None] == HAIR, np.array([190, 50, 40]), np.array([250, 210, 180])).astype(np.uint8)
    return Corpus(np.stack([pixels] * count), np.stack([regions] * count), lines)


def test_a_face_is_found_by_the_holes_in_its_skin() -> None:
    face = find_face(face_regions())
    assert face is not None
    assert (face.x, face.y) == pytest.approx((63.5, 59.5), abs=1)
    assert (face.mouth_x, face.mouth_y) == pytest.approx((65.5, 89.5), abs=1)
    assert face.apart == pytest.approx(16, abs=2)


def test_no_face_without_skin_or_without_a_mouth() -> None:
    regions = face_regions()
    regions[86:94] = np.where(regions[86:94] == 0, SKIN, regions[86:94])
    assert find_face(regions) is None
    assert find_face(np.zeros((STORED, STORED), np.uint8)) is None


@settings(deadline=None, max_examples=50)
@given(arrays(np.uint8, (24, 24), elements=st.integers(0, 3)))
def test_a_face_lies_in_the_picture_whatever_the_regions(regions: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    face = find_face(regions)
    if face is not None:
        assert 0 <= face.x < 24
        assert 0 <= face.y < face.mouth_y < 24
        assert 0 < face.apart < face.wide


@pytest.mark.parametrize("draw", [*DRAW.values(), *KINDS])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_drawn_shows_on_the_face(draw: Any, seed: int) -> None:
    shape = Shape(STORED)
    draw(shape, FACE, np.random.default_rng(seed))
    cover = shape.cover()
    assert 3 < cover.sum() < STORED**2 / 2
    assert 0 <= cover.min() <= cover.max() <= 1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_glasses_have_their_lenses_around_the_eyes(seed: int) -> None:
    frame, lenses = Shape(STORED), Shape(STORED)
    glasses(frame, lenses, FACE, np.random.default_rng(seed))
    covered = lenses.cover()
    assert min(covered[45:80, 32:64].sum(), covered[45:80, 64:96].sum()) == pytest.approx(covered.sum() / 2, rel=0.35)
    assert covered[90:].sum() == 0
    assert frame.cover().max() > 0.4


def test_paint_covers_inside_and_leaves_outside() -> None:
    picture, shape = np.full((32, 32, 3), 100, np.float32), Shape(32)
    shape.area(arc((16, 16), 8, 8, 0, 2))
    paint(picture, shape, np.array([200, 0, 100], np.float32), 0.5)
    assert picture[16, 16] == pytest.approx([150, 50, 100])
    assert picture[2, 2] == pytest.approx([100, 100, 100])
    assert shape.thicker().cover().sum() > shape.cover().sum()


def test_dressing_labels_what_it_draws_and_is_repeatable() -> None:
    plain = heads(150)
    one, two = dress(plain, 3), dress(plain, 3)
    assert np.array_equal(one.pixels, two.pixels)
    assert one.lines == two.lines
    assert np.array_equal(plain.pixels, heads(150).pixels)
    bearded = [line for line in one.lines if line["attributes"]["Facial Hair"]]
    glazed = [line for line in one.lines if set(line["attributes"]["Accessories"]) & EYEWEAR]
    assert 15 < len(bearded) < 90
    assert 10 < len(glazed) < 70
    for line, pixels in zip(one.lines, one.pixels, strict=True):
        assert line["attributes"] == plain.lines[0]["attributes"] or (pixels != plain.pixels[0]).any()


def test_targets_of_dressed_heads() -> None:
    corpus = dress(heads(150), 3)
    targets = make_targets(VOCABULARY, BOOK, corpus.lines)
    told = np.array([bool(line["attributes"]["Facial Hair"]) for line in corpus.lines])
    assert np.array_equal(targets.some["facial_hair"], told.astype(np.int64))
    assert not targets.each["facial_hair"][~told].any()
    assert (targets.each["facial_hair"][told].max(axis=1) == 1).all()
    worn = targets.each["accessories"][:, list(BOOK.questions["accessories"].values).index("Glasses")]
    assert set(worn) == {0, 1}


@pytest.mark.parametrize(
    "unsuitable",
    [{"Facial Hair": True, "Accessories": ["Glasses"]}, {"Gender": "Female", "Accessories": ["Eyepatch"]}],
)
def test_what_a_head_has_or_would_not_have_is_not_added(unsuitable: dict[str, Any]) -> None:
    corpus = heads(60, **unsuitable)
    assert [line["attributes"] for line in dress(corpus, 0).lines] == [line["attributes"] for line in corpus.lines]


def test_whole_pictures_and_hidden_faces_stay_as_they_are() -> None:
    lines = [{"style": "flat", "people": "single", "attributes": {"Hair Color": "Red"}}]
    lines += [{**lines[0], "view": HEAD}]
    corpus = Corpus(np.zeros((2, STORED, STORED, 3), np.uint8), np.zeros((2, STORED, STORED), np.uint8), lines)
    dressed = [dress(corpus, seed) for seed in range(10)]
    assert not any(one.pixels.any() for one in dressed)


def test_no_facial_hair_means_none_of_its_kinds() -> None:
    targets = make_targets(VOCABULARY, BOOK, heads(1).lines)
    assert not targets.each["facial_hair"].any()
    some = make_targets(VOCABULARY, BOOK, heads(1, **{"Facial Hair": True}).lines)
    assert (some.each["facial_hair"] == UNLABELLED).all()
