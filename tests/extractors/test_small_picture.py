"""What several readers share of a picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from character_pipeline.extractors import small_picture
from character_pipeline.extractors.color_regions import RegionReader
from character_pipeline.extractors.lab import to_lab, to_planes
from character_pipeline.extractors.picture_quality import QualityReader
from character_pipeline.extractors.small_picture import LEAST, SIDE, SmallPicture
from character_pipeline.input_loader import ImageOptions
from character_pipeline.processing.decode_pool import decode


def noise(width: int, height: int, seed: int, mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32 - 1), st.sampled_from(["RGB", "L", "P"]))
def test_a_shared_small_picture_gives_the_same_vectors(width: int, height: int, seed: int, mode: str) -> None:
    picture = noise(width, height, seed, mode)
    small = SmallPicture(picture)
    assert max(small.rgb.size) <= SIDE
    assert min(small.rgb.size) >= LEAST
    for reader in (QualityReader(), RegionReader(), QualityReader()):
        assert np.array_equal(reader.prepare_small(small), reader.prepare(picture))


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_planes_hold_the_same_colours(width: int, height: int, seed: int) -> None:
    pixels = np.asarray(noise(width, height, seed))
    planes = to_planes(np.moveaxis(pixels, -1, 0))
    assert planes.shape == (3, height, width)
    assert np.array_equal(np.moveaxis(planes, 0, -1), to_lab(pixels))
    assert to_lab(pixels[0, 0]) == pytest.approx(planes[:, 0, 0])


def test_a_decoded_picture_is_made_small_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = [], small_picture._reduced

    def reduced(picture: Image.Image) -> Image.Image:
        made.append(picture)
        return real(picture)

    monkeypatch.setattr(small_picture, "_reduced", reduced)
    raw = io.BytesIO()
    noise(300, 200, 1).save(raw, "PNG")
    readers = {reader.key: reader for reader in (RegionReader(), QualityReader())}
    decoded = decode(raw.getvalue(), ImageOptions(), readers, keep=False)
    assert len(made) == 1
    for key, reader in readers.items():
        assert np.array_equal(decoded.prepared[key], reader.prepare(noise(300, 200, 1)))
