"""Pictures become the numbers that the models were trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from character_pipeline.errors import ModelError
from character_pipeline.models.preprocess import read_preprocessing
from tests.models.checkpoints import pictures

MEAN = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
CLIP = {**MEAN, "size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True}
SIGLIP = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": 48, "width": 48}, "resample": 2}
CONVNEXT = {**MEAN, "size": {"shortest_edge": 56}, "crop_pct": 0.875}


def odd_pictures() -> list[Image.Image]:
    """Besides the usual ones: very small, very long, and one pixel."""
    sizes = [(1, 1), (500, 7), (9, 300), (33, 32), (32, 32)]
    return [*pictures(6), *(Image.effect_noise(size, 80).convert("RGB") for size in sizes)]


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("CLIPImageProcessor", CLIP),
        ("SiglipImageProcessor", SIGLIP),
        ("ConvNextImageProcessor", CONVNEXT),
        ("ConvNextImageProcessor", {**CONVNEXT, "size": {"shortest_edge": 384}}),
    ],
)
def test_same_as_transformers(kind: str, table: dict[str, Any]) -> None:
    """But for one level of 255 here and there: what is cut away is not made, and its places are rounded."""
    import transformers

    processor = getattr(transformers, f"{kind}Pil")(**table)
    said = json.loads(json.dumps(processor.to_dict(), default=str))
    own = read_preprocessing({**table, "image_processor_type": kind, "resample": said["resample"]})
    for picture in odd_pictures():
        expected = np.asarray(processor(picture, return_tensors="np")["pixel_values"])
        levels = np.abs(own([picture]) - expected)[0] * np.array(table["image_std"])[:, None, None] * 255
        assert levels.max() < 1.01
        assert (levels > 0.05).mean() < 0.02


def test_the_old_form_of_clip_files() -> None:
    old = {
        **MEAN,
        "size": 32,
        "crop_size": 32,
        "do_center_crop": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
    }
    assert read_preprocessing(old) == read_preprocessing(CLIP)


@pytest.mark.parametrize(("size", "box"), [((80, 40), (0, 16, 64, 48)), ((10, 20), (16, 0, 48, 64))])
def test_padding_keeps_the_whole_picture(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    table = {"image_mean": [0] * 3, "image_std": [1] * 3, "size": {"height": 64, "width": 64}, "fit": "pad"}
    (found,) = read_preprocessing(table)([Image.new("RGB", size, (255, 0, 51))])
    left, top, right, bottom = box
    inside = np.zeros((64, 64), dtype=bool)
    inside[top:bottom, left:right] = True
    assert np.allclose(found[:, inside], np.array([[1.0], [0.0], [0.2]]))
    assert np.allclose(found[:, ~inside], 1.0)
    (edged,) = read_preprocessing({**table, "pad_color": "edge"})([Image.new("RGB", size, (255, 0, 51))])
    assert np.allclose(edged, np.array([1.0, 0.0, 0.2])[:, None, None])


def test_batches_are_single_pictures_side_by_side() -> None:
    how, many = read_preprocessing(SIGLIP), odd_pictures()
    assert np.array_equal(how(many), np.concatenate([how([picture]) for picture in many]))


PADDED = {**SIGLIP, "fit": "pad", "pad_color": "edge"}
KINDS = [
    CLIP,
    {**CLIP, "crop_size": 24},
    SIGLIP,
    PADDED,
    {**CONVNEXT, "image_processor_type": "ConvNextImageProcessor"},
]


@pytest.mark.parametrize("table", KINDS)
def test_prepared_pictures_give_the_same_numbers(table: dict[str, Any]) -> None:
    how = read_preprocessing(table)
    sizes = [how.shape[::-1], (57, 56), (640, 480)]
    many = [*odd_pictures(), *(Image.effect_noise(size, 80).convert("RGB") for size in sizes)]
    untouched = [picture.tobytes() for picture in many]
    prepared = [how.prepared(picture) for picture in many]
    assert {picture.size for picture in prepared} == {how.shape[::-1]}
    assert np.array_equal(how(prepared), how(many))
    assert np.array_equal(how([how.prepared(picture) for picture in prepared]), how(many))
    assert [picture.tobytes() for picture in many] == untouched
    assert not any(picture.info for picture in many)


def test_a_very_long_picture_is_not_made_huge(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def watched(picture: Image.Image, size: tuple[int, int], *more: Any) -> Image.Image:
        sizes.append(size)
        return resize(picture, size, *more)

    monkeypatch.setattr(Image.Image, "resize", watched)
    for size in ((1, 60_000), (60_000, 1)):
        assert read_preprocessing(CLIP)([Image.new("RGB", size)]).shape == (1, 3, 32, 32)
    assert max(max(size) for size in sizes) <= 128 * 32


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"max_num_patches": 256, "patch_size": 16}, "fixed picture size"),
        ({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}, "size"),
        ({**SIGLIP, "image_mean": [0.5]}, "preprocessor_config.json"),
    ],
)
def test_what_is_not_understood_is_told(table: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=told):
        read_preprocessing(table)
