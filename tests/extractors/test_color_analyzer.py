"""Colours of hair are told from where colours lie, and nothing is said of grey, empty or unclear pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from character_pipeline.data import Evidence, Item
from character_pipeline.errors import ConfigError
from character_pipeline.extractors.base import PictureReader, ReadingStage
from character_pipeline.extractors.color_analyzer import ColorAnalyzer, make_color_analyzer
from character_pipeline.extractors.color_names import load_color_names
from character_pipeline.extractors.color_regions import REGIONS, SIZE, RegionReader, unpack
from character_pipeline.extractors.lab import hex_to_lab, to_hex
from character_pipeline.sample import draw, render
from character_pipeline.vocabulary import DATA, load_vocabulary


@pytest.fixture(scope="module")
def analyzer() -> ColorAnalyzer:
    return make_color_analyzer(load_vocabulary())


def test_a_prepared_picture_has_the_vector_of_the_whole_one() -> None:
    reader = RegionReader()
    many = [portrait("#302018"), portrait("#c03020", size=300), Image.new("RGB", (8, 6), "red")]
    prepared = [reader.prepare(picture) for picture in many]
    assert np.array_equal(reader.read(prepared), reader.read(many))


def portrait(hair: str, skin: str = "#fcdac4", ground: str = "#d0e0c8", size: int = 200) -> Image.Image:
    """A head with hair over and beside the face, on a body."""
    picture = Image.new("RGB", (size, size), ground)
    pen, s = ImageDraw.Draw(picture), size / 100
    pen.ellipse((22 * s, 10 * s, 78 * s, 76 * s), fill=hair)
    pen.rectangle((42 * s, 66 * s, 58 * s, 82 * s), fill=skin)
    pen.ellipse((32 * s, 28 * s, 68 * s, 74 * s), fill=skin)
    pen.ellipse((20 * s, 80 * s, 80 * s, 130 * s), fill="#4466aa")
    for x in (42, 58):
        pen.ellipse(((x - 3) * s, 48 * s, (x + 3) * s, 53 * s), fill="#202020")
    return picture


def claims(analyzer: ColorAnalyzer, picture: Image.Image) -> tuple[Evidence, ...]:
    vector = analyzer.reader.read([picture])[0]
    return analyzer.process([Item("a", readings={analyzer.reader.key: vector})])[0]


def test_it_is_a_stage_that_works_on_readings(analyzer: ColorAnalyzer) -> None:
    assert isinstance(analyzer, ReadingStage)
    assert all(isinstance(reader, PictureReader) for reader in analyzer.readers)


@pytest.mark.parametrize(
    ("hair", "name"),
    [
        ("#1a1618", "Black"), ("#6a3f22", "Brown"), ("#f0d47c", "Blonde"), ("#c02c28", "Red"), ("#f59cc2", "Pink"),
        ("#8050b0", "Purple"), ("#3c68c8", "Blue"), ("#4a9c50", "Green"), ("#9898a0", "Grey"),
    ],
)  # fmt: skip
def test_the_colour_of_plain_hair_is_named(analyzer: ColorAnalyzer, hair: str, name: str) -> None:
    found = claims(analyzer, portrait(hair))
    assert [(claim.attribute, claim.value, claim.stance) for claim in found] == [("hair_color", name, "is")]
    assert found[0].source == "color_analyzer/1"
    assert found[0].origin.endswith("in the hair region")
    assert 0.5 <= found[0].score <= 0.97
    assert found[0].score == round(found[0].score, 2)


def test_like_pictures_share_their_evidence(analyzer: ColorAnalyzer) -> None:
    first, second = (claims(analyzer, portrait("#c02c28"))[0] for _ in range(2))
    assert first is second


def test_grey_pictures_tell_no_colours(analyzer: ColorAnalyzer) -> None:
    grey = ImageOps.grayscale(portrait("#c02c28")).convert("RGB")
    assert claims(analyzer, grey) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (3, 2), (13, 500)])
def test_any_size_is_read(analyzer: ColorAnalyzer, size: tuple[int, int]) -> None:
    for colour in ("white", "black", "#c02c28"):
        picture = Image.new("RGB", size, colour)
        assert np.isfinite(analyzer.reader.read([picture])).all()
        claims(analyzer, picture)


def test_an_item_without_a_reading_is_passed_over(analyzer: ColorAnalyzer) -> None:
    assert analyzer.process([Item("a"), Item("b")]) == [(), ()]
    assert analyzer.reader.read([]).shape == (0, SIZE)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 256))
def test_wild_pictures_are_read_the_same_alone_and_among_others(w: int, h: int, seed: int, colours: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, colours, (h, w, 3), dtype=np.uint8)
    picture, other = Image.fromarray(pixels), portrait("#c02c28")
    reader, analyzer = RegionReader(), make_color_analyzer(load_vocabulary())
    together = reader.read([other, picture])
    assert np.isfinite(together).all()
    assert (reader.read([picture])[0] == together[1]).all()
    items = [Item(str(n), readings={reader.key: vector}) for n, vector in enumerate(together)]
    assert analyzer.process(items) == [analyzer.process([item])[0] for item in items]


def test_an_answer_does_not_depend_on_how_many_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    reader, analyzer = RegionReader(), make_color_analyzer(load_vocabulary())
    shades = ["#" + bytes(rng.integers(0, 256, 3, dtype=np.uint8)).hex() for _ in range(70)]
    vectors = [*reader.read([portrait(shade) for shade in shades]), None]
    items = [Item(str(n), readings={} if vector is None else {reader.key: vector}) for n, vector in enumerate(vectors)]
    alone = [analyzer.process([item])[0] for item in items]
    assert sum(map(bool, alone)) > 20
    assert analyzer.process(items) == alone


def test_regions_hold_colours_and_places() -> None:
    regions = unpack(RegionReader().read([portrait("#c02c28")]))
    hair = int(np.linalg.norm(regions.lab[0] - hex_to_lab("#c02c28"), axis=1).argmin())
    shirt = int(np.linalg.norm(regions.lab[0] - hex_to_lab("#4466aa"), axis=1).argmin())
    assert np.linalg.norm(regions.lab[0, hair] - hex_to_lab("#c02c28")) < 3
    assert regions.column("crown")[0, hair] > 0.5 > regions.column("crown")[0, shirt]
    assert regions.column("y")[0, hair] < 0.5 < regions.column("y")[0, shirt]
    assert regions.column("bottom")[0, shirt] > 0 == regions.column("bottom")[0, hair]
    assert regions.column("share")[0].sum() == pytest.approx(1, abs=0.05)
    assert len(regions.below[0]) == REGIONS + 1


@given(st.integers(0, 0xFFFFFF))
def test_colours_come_back_from_cielab(number: int) -> None:
    colour = f"#{number:06x}"
    assert to_hex(hex_to_lab(colour)) == colour


def test_every_colour_of_the_table_is_called_what_the_table_says() -> None:
    for names in load_color_names(load_vocabulary()).values():
        best = names.name(names.points).argmax(axis=-1)
        assert (best == names.owner).all()
        assert names.name(names.points).sum(axis=-1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("color_names.toml", '"#0e0c0c"', '"0e0c0c"'),
        ("color_names.toml", "Black = [", "Blakc = ["),
        ("color_names.toml", 'Aqua = ["#63d3d0", "#30d5c8", "#40e0d0", "#7fffd4"]', "Aqua = []"),
        ("color_names.toml", "reach = 9.0", ""),
        ("color_model.toml", "trust =", "thrust ="),
        ("color_model.toml", "crown_not_skin", "crown"),
    ],
)
def test_a_data_file_that_is_wrong_is_named(tmp_path: Path, file: str, old: str, new: str) -> None:
    shutil.copytree(DATA, tmp_path / "v")
    path = tmp_path / "v" / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=file):
        make_color_analyzer(load_vocabulary(tmp_path / "v"))


def test_most_claims_on_drawn_portraits_are_right(analyzer: ColorAnalyzer) -> None:
    right = said = met = 0
    for seed in range(2_000_000, 2_000_120):
        drawing = draw(seed)
        true = drawing.truth["attributes"].get("Hair Color")
        if true in {None, "Multicolored"} or not {"portrait", "upper_body"} & set(drawing.tags):
            continue
        found = [claim.value for claim in claims(analyzer, render(drawing, 160))]
        met, said, right = met + 1, said + len(found), right + (found == [true])
    assert said >= 0.5 * met
    assert right >= 0.8 * said
