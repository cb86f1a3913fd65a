from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from character_pipeline.data import ERROR_KINDS
from character_pipeline.errors import ItemError
from character_pipeline.input_loader import ImageOptions, load_image
from tests.conftest import picture_bytes

Pixel = tuple[int, int, int]


def pixel(image: Image.Image) -> Pixel:
    found = image.getpixel((0, 0))
    assert isinstance(found, tuple)
    return found[0], found[1], found[2]


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_every_format_gives_rgb_of_the_same_size(kind: str) -> None:
    picture = load_image(picture_bytes(kind, (20, 12)))
    assert (picture.image.mode, picture.image.size) == ("RGB", (20, 12))
    assert (picture.format, picture.width, picture.height) == (kind, 20, 12)
    assert np.allclose(pixel(picture.image), (255, 0, 0), atol=6)


def test_exif_orientation_turns_the_picture_upright() -> None:
    image = Image.new("RGB", (20, 10), "red")
    image.paste("blue", (10, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = load_image(save(image, "PNG", exif=exif))
    assert (picture.width, picture.height) == picture.image.size == (10, 20)
    assert pixel(picture.image) == (255, 0, 0)
    assert picture.image.getpixel((0, 19)) == (0, 0, 255)


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 128)), (255, 127, 127)),
        (Image.new("LA", (4, 4), (0, 0)), (255, 255, 255)),
        (Image.new("L", (4, 4), 100), (100, 100, 100)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 32768, np.uint16)), (128, 128, 128)),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), (255, 255, 255)),
    ],
)
def test_modes_become_rgb_on_white(image: Image.Image, wanted: Pixel) -> None:
    assert np.allclose(pixel(load_image(save(image, "PNG")).image), wanted, atol=1)


def test_palette_with_a_transparent_colour_is_laid_on_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert pixel(load_image(save(image, "PNG", transparency=0)).image) == (255, 255, 255)


def test_cmyk_jpeg() -> None:
    raw = save(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    assert np.allclose(pixel(load_image(raw).image), (255, 0, 0), atol=12)


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("lime", "red")]
    raw = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixel(load_image(raw).image) == (0, 255, 0)


def test_a_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(picture_bytes("PNG"))
    assert load_image(path).format == "PNG"


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, and has none."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "empty_file"),
        (b"<html>404</html>", "not_an_image"),
        (picture_bytes("PNG", (64, 64))[:60], "truncated_image"),
        (picture_bytes("JPEG", (256, 256))[:500], "truncated_image"),
        (bomb(9_000, 9_950), "image_too_large"),
        (bomb(60_000, 60_000), "image_too_large"),
        (bomb(0, 10), "not_an_image"),
    ],
)
def test_bad_bytes_have_a_kind(raw: bytes, kind: str) -> None:
    with pytest.raises(ItemError) as caught:
        load_image(raw)
    assert caught.value.kind == kind


def test_the_pixel_limit_is_a_setting() -> None:
    with pytest.raises(ItemError, match="allowed are 10"):
        load_image(picture_bytes("PNG", (4, 4)), ImageOptions(max_pixels=10))


def test_draft_decodes_smaller_and_keeps_the_true_size() -> None:
    picture = load_image(picture_bytes("JPEG", (800, 600)), ImageOptions(jpeg_draft=150))
    assert (picture.width, picture.height) == (800, 600)
    assert picture.image.size == (200, 150)


def test_draft_leaves_the_picture_of_the_caller_alone() -> None:
    with Image.open(io.BytesIO(picture_bytes("JPEG", (800, 600)))) as given_picture:
        assert load_image(given_picture, ImageOptions(jpeg_draft=150)).image.size == (800, 600)


@pytest.mark.parametrize("place", [30, 500, 2_000, 6_000, -20])
def test_draft_finds_the_same_faults(place: int) -> None:
    noise = Image.effect_noise((320, 320), 90).convert("RGB")
    raw = bytearray(save(noise, "JPEG"))
    cut, bent = bytes(raw[:place]), bytes(raw[:place] + b"\xff\xd9" + raw[place + 2 :])
    for damaged in (cut, bent):
        assert outcome(damaged, 0) == outcome(damaged, 40)


def outcome(raw: bytes, draft: int) -> str:
    try:
        return load_image(raw, ImageOptions(jpeg_draft=draft)).format
    except ItemError as error:
        return error.kind


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for name, kind in (("missing.png", "not_found"), ("folder.png", "not_a_file")):
        with pytest.raises(ItemError) as caught:
            load_image(tmp_path / name)
        assert caught.value.kind == kind


@given(st.binary(max_size=200), st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP"]), st.integers(0, 400))
def test_damaged_pictures_never_raise_anything_else(noise: bytes, kind: str, place: int) -> None:
    raw = picture_bytes(kind, (16, 16))
    raw = raw[:place] + noise + raw[place + len(noise) :]
    try:
        outcome = load_image(raw).image.mode
    except ItemError as error:
        outcome = error.kind
    assert outcome == "RGB" or outcome in ERROR_KINDS
