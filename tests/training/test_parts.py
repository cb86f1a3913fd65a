"""Labels, captions, colours, regions, calibration: the parts of the recipe."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.errors import ConfigError
from character_pipeline.extractors.color_names import load_color_names
from character_pipeline.extractors.lab import to_lab
from character_pipeline.training.augment import GROUND, HAIR, HAIR_RANGES, SKIN, distort, random_colour, recolour
from character_pipeline.training.avatars import avatar_pairs
from character_pipeline.training.calibration import calibrate
from character_pipeline.training.captions import english_caption, tag_caption
from character_pipeline.training.corpus import HEAD, Corpus
from character_pipeline.training.drawn import TEST_STYLES, training_drawing
from character_pipeline.training.labels import SMALL_HEAD, UNLABELLED, Targets, make_targets
from character_pipeline.training.losses import Asked, contrast_loss, lay_out, log_odds, margins, prompt_loss
from character_pipeline.training.regions import find_regions
from character_pipeline.vocabulary import load_vocabulary
from character_pipeline.vocabulary.prompts import Question, load_prompts

VOCABULARY = load_vocabulary()
BOOK = load_prompts(VOCABULARY)


def line(people: str = "single", labelled: dict[str, list[str]] | None = None, **attributes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"people": people, "attributes": {k.replace("_", " "): v for k, v in attributes.items()}}
    return found if labelled is None else {**found, "labelled": labelled}


def value_of(targets: Targets, key: str) -> str | None:
    values = list(BOOK.questions[key].values)
    place = int(targets.choice[key][0])
    return None if place == UNLABELLED else "unsure" if place == len(values) else values[place]


def test_whole_truth_says_what_cannot_be_told() -> None:
    targets = make_targets(VOCABULARY, BOOK, [line(Hair_Color="Red", Accessories=["Glasses"])])
    assert value_of(targets, "hair_color") == "Red"
    assert value_of(targets, "eye_color") == "unsure"
    glasses = list(BOOK.questions["accessories"].values).index("Glasses")
    assert targets.each["accessories"][0].sum() == 1
    assert targets.each["accessories"][0, glasses] == 1


def test_partial_labels_conclude_nothing_from_silence() -> None:
    targets = make_targets(VOCABULARY, BOOK, [line(labelled={"Accessories": ["Hat"]}, Facial_Hair=True)])
    assert value_of(targets, "eye_color") is None
    assert sorted(set(targets.each["accessories"][0])) == [UNLABELLED, 0]
    assert targets.some["facial_hair"][0] == 1
    assert set(targets.each["facial_hair"][0]) == {UNLABELLED}


def test_bald_heads_have_no_hair_color_to_tell() -> None:
    targets = make_targets(VOCABULARY, BOOK, [line(labelled={}, Hair_Style="Bald")])
    assert value_of(targets, "hair_color") == value_of(targets, "hair_length") == "unsure"


def test_several_people_teach_only_that() -> None:
    targets = make_targets(VOCABULARY, BOOK, [line("multiple")])
    assert value_of(targets, "people") == "multiple"
    assert all(found[0] == UNLABELLED for key, found in targets.choice.items() if key != "people")


def test_a_head_teaches_only_what_heads_show() -> None:
    one = line(Hair_Color="Red", Hair_Length="Long", Accessories=["Glasses", "Bag"], Facial_Hair=["Beard"])
    targets = make_targets(VOCABULARY, BOOK, [{**one, "view": HEAD}])
    assert value_of(targets, "hair_color") == "Red"
    assert value_of(targets, "hair_length") is value_of(targets, "people") is None
    worn = dict(zip(BOOK.questions["accessories"].values, targets.each["accessories"][0], strict=True))
    assert (worn["Glasses"], worn["Hat"], worn["Bag"]) == (1, 0, UNLABELLED)
    assert targets.some["facial_hair"][0] == 1


@given(st.floats(0.05, 1.0))
def test_eyes_of_small_heads_teach_nothing(side: float) -> None:
    found = make_targets(VOCABULARY, BOOK, [{**line(Eye_Color="Blue"), "square": (0.5, 0.5, side)}])
    assert value_of(found, "eye_color") == (None if side < SMALL_HEAD else "Blue")


def test_captions_say_only_what_is_true() -> None:
    one = line(Hair_Color="Red", Gender="Female", Accessories=["Hat"])
    true = {p for key, value in (("hair_color", "Red"), ("gender", "Female"), ("accessories", "Hat"))
            for p in BOOK.questions[key].values[value]}  # fmt: skip
    for seed in range(30):
        tags = set(tag_caption(one, BOOK, Random(seed)).split(", "))
        assert tags - {"solo"} <= {part for phrase in true for part in phrase.split(", ")}
        assert "blue" not in english_caption(one, BOOK, Random(seed))
    assert tag_caption(line("none"), BOOK, Random(0)) == "no people"


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(sorted(HAIR_RANGES)), st.integers(0, 2**32 - 1))
def test_new_hair_colors_stay_in_the_hair(name: str, seed: int) -> None:
    picture = np.full((32, 32, 3), 120, np.uint8)
    mask = np.zeros((32, 32), np.uint8)
    mask[:8], mask[8:16] = HAIR, SKIN
    out = recolour(picture, mask, name, np.random.default_rng(seed))
    assert (out[16:] == 120).all()
    assert np.ptp(out[:8].reshape(-1, 3), axis=0).max() == 0


def test_named_colors_are_far_apart() -> None:
    rng = np.random.default_rng(0)
    grey = to_lab(np.array([random_colour(HAIR_RANGES["Grey"], rng) for _ in range(50)]).astype(np.uint8))
    red = to_lab(np.array([random_colour(HAIR_RANGES["Red"], rng) for _ in range(50)]).astype(np.uint8))
    assert np.linalg.norm(grey[:, None] - red[None], axis=-1).min() > 20


@pytest.mark.parametrize("name", sorted(HAIR_RANGES))
def test_hair_is_given_colors_that_the_color_names_call_so(name: str) -> None:
    names, rng = load_color_names(VOCABULARY)["hair_color"], np.random.default_rng(0)
    for ranges in HAIR_RANGES[name]:
        colours = np.array([random_colour((ranges,), rng) for _ in range(200)]).astype(np.uint8)
        called = names.name(to_lab(colours)).argmax(axis=-1)
        assert (called == names.names.index(name)).mean() > 0.75


def test_distortion_keeps_range_and_shape_and_is_repeatable() -> None:
    pixels = torch.rand(12, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    one, two = (distort(pixels, 48, torch.Generator().manual_seed(7)) for _ in range(2))
    assert one.shape == (12, 3, 48, 48)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    assert torch.equal(one, two)
    assert not torch.equal(one, distort(pixels, 48, torch.Generator().manual_seed(8)))


def test_regions_of_a_flat_head() -> None:
    pixels = np.full((128, 128, 3), (200, 230, 255), np.uint8)
    pixels[40:110, 40:90] = (250, 210, 180)
    pixels[20:50, 35:95] = (190, 50, 40)
    found = find_regions(pixels, "fad2b4", "Red")
    assert found[5, 5] == GROUND
    assert found[80, 60] == SKIN
    assert found[30, 60] == HAIR
    assert not (find_regions(pixels, None, None) > GROUND).any()


def test_avatars_are_read_with_what_their_labeller_knew(archive: Path) -> None:
    pairs = avatar_pairs(archive)
    corpus = pairs.whole
    assert len(corpus) == len(pairs.head) == 40
    assert {one["style"] for one in corpus.lines} == {"plain"}
    known = set(corpus.lines[0]["labelled"]["Accessories"])
    assert {value for one in corpus.lines for value in one["attributes"].get("Accessories", [])} == known
    assert "skin_hex" not in corpus.lines[0]["attributes"]


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_bytes(b"no archive")
    with pytest.raises(ConfigError, match=r"bad\.tar"):
        avatar_pairs(tmp_path / "bad.tar")


def test_training_never_draws_test_styles(drawn: Corpus) -> None:
    assert not {one["style"] for one in drawn.lines} & set(TEST_STYLES)
    assert training_drawing(3).svg == training_drawing(3).svg


def test_calibration_finds_the_temperature_of_overconfident_logits() -> None:
    rng = np.random.default_rng(0)
    question = Question("hair_length", "choice", {v: (v,) for v in ("Short", "Medium", "Long")}, unsure=("?",))
    logits = rng.normal(0, 1.5, (4000, 4))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wanted = np.array([rng.choice(4, p=row) for row in chances])
    targets = Targets({"hair_length": wanted}, {}, {})
    (found,) = calibrate(logits * 3.0, [Asked(question, slice(0, 3), slice(3, 4))], targets)
    assert found.temperature == pytest.approx(3.0, rel=0.1)
    assert found.values == ("Short", "Medium", "Long")


def test_calibration_lowers_rare_values_and_drops_useless_ones() -> None:
    rng = np.random.default_rng(0)
    names = ("Hat", "Mask")
    question = Question("accessories", "each", {v: (v,) for v in names}, absent={v: (f"no {v}",) for v in names})
    wanted = (rng.random((3000, 2)) < 0.04).astype(np.int64)
    margins = np.stack([2.0 * (2 * wanted[:, 0] - 1) + rng.normal(0, 1, 3000), rng.normal(0, 1, 3000)], axis=1)
    similarity = np.concatenate([margins, np.zeros((3000, 2))], axis=1)
    targets = Targets({}, {"accessories": wanted}, {"accessories": np.full(3000, UNLABELLED)})
    (found,) = calibrate(similarity, [Asked(question, slice(0, 2), slice(2, 4))], targets)
    assert found.values == ("Hat",)
    assert found.offsets["Hat"] < -1


def test_what_is_merely_frequent_is_no_reason_to_move() -> None:
    lines = [line(Hair_Color="Red", Facial_Hair=["Beard"] if row % 20 == 0 else []) for row in range(4000)]
    targets = make_targets(VOCABULARY, BOOK, lines)
    asked, rows = lay_out(BOOK)
    similarity = torch.zeros(len(lines), len(rows), requires_grad=True)
    prompt_loss(similarity, asked, targets, log_odds(targets, BOOK)).backward()  # type: ignore[no-untyped-call]
    assert similarity.grad is not None
    assert similarity.grad.sum(0).abs().max() < 5e-4
    assert similarity.grad.abs().max() > 1e-6


def test_contrast_is_least_where_pairs_agree() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(8, 16, generator=torch.Generator().manual_seed(0)), dim=-1)
    assert contrast_loss(vectors, vectors, 20.0) < contrast_loss(vectors, vectors.flip(0), 20.0)


def test_answers_depend_on_margins_alone() -> None:
    asked, rows = lay_out(BOOK)
    similarity = torch.randn(6, len(rows), generator=torch.Generator().manual_seed(0))
    found = margins(similarity, asked)
    shifted = similarity.clone()
    for part in asked:
        shifted[:, part.values.start : part.others.stop] += 3.0
    assert torch.allclose(margins(shifted, asked), found, atol=1e-5)
    assert not torch.allclose(margins(similarity.flip(1), asked), found, atol=1e-1)


def test_every_question_has_its_rows() -> None:
    asked, rows = lay_out(BOOK)
    assert [part.question for part in asked] == list(BOOK.questions.values())
    assert sum(part.values.stop - part.values.start for part in asked) == sum(
        len(q.values) for q in BOOK.questions.values()
    )
    assert asked[-1].others.stop == len(rows)
