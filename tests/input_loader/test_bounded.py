"""Pictures of a few bytes that would take a decoder minutes or gigabytes."""

from __future__ import annotations

import io
import struct
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from character_pipeline.errors import ItemError
from character_pipeline.input_loader import load_image
from character_pipeline.input_loader.bounded import MOST_SCANS, bounded
from character_pipeline.input_loader.exif import read_orientation

SIZE = (30, 20)
COLOR = (120, 30, 200)


def save(kind: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", SIZE, COLOR).save(buffer, kind, **how)
    return buffer.getvalue()


def exif(orientation: int, claims: int = 0, each: int = 0, order: str = "<") -> bytes:
    """EXIF with an orientation and further entries, each of which claims so many bytes."""
    entries = [struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)]
    entries += [struct.pack(f"{order}HHII", 0x8000 + number, 1, each, 8) for number in range(claims)]
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}IH", 8, len(entries)) + b"".join(entries) + bytes(each)


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    raw = save("JPEG", progressive=True)
    last = raw[raw.rindex(b"\xff\xda") : -2]
    return raw[:-2] + last * (count - raw.count(b"\xff\xda")) + raw[-2:]


def test_passes_over_a_jpeg_are_bounded() -> None:
    assert load_image(scans(MOST_SCANS)).image.size == SIZE
    with pytest.raises(ItemError, match="a JPEG of 101 scans") as caught:
        load_image(scans(MOST_SCANS + 1))
    assert caught.value.kind == "image_too_large"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_metadata_claims_is_not_copied(kind: str, order: str) -> None:
    said = exif(6, claims=500, each=50_000, order=order)
    raw = save(kind, exif=b"Exif\0\0" + said)
    tracemalloc.start()
    picture = load_image(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (picture.width, picture.height) == picture.image.size == (20, 30)
    assert peak < 5_000_000


def test_many_exif_segments_of_a_jpeg_are_not_joined() -> None:
    raw = save("JPEG", exif=b"Exif\0\0" + exif(3))
    part = b"\xff\xe1" + struct.pack(">H", 60_008) + b"Exif\0\0" + bytes(60_000)
    given_, found = bounded(raw[:2] + raw[2:] + part)
    assert b"Exif\0\0" not in given_
    assert read_orientation(found) == 3


def test_damaged_metadata_leaves_a_picture_whole() -> None:
    for damage in (b"", b"II*\0", b"II*\0\xff\xff\xff\xff", exif(6)[:15], exif(9)):
        assert load_image(save("JPEG", exif=b"Exif\0\0" + damage)).image.size == SIZE


@given(st.binary(max_size=200), st.sampled_from([b"", b"Exif\0\0", b"II*\0", b"MM\0*", b"Exif\0\0MM\0*\0\0\0\x08"]))
def test_any_bytes_have_an_orientation(noise: bytes, begin: bytes) -> None:
    assert 1 <= read_orientation(begin + noise) <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_are_those_of_exif(orientation: int) -> None:
    assert (
        read_orientation(exif(orientation))
        == read_orientation(b"Exif\0\0" + exif(orientation, order=">"))
        == orientation
    )


def test_further_pictures_of_a_jpeg_are_left_alone() -> None:
    buffer = io.BytesIO()
    first, second = Image.new("RGB", SIZE, COLOR), Image.new("RGB", SIZE, "white")
    first.save(buffer, "MPO", save_all=True, append_images=[second])
    picture = load_image(buffer.getvalue())
    assert (picture.format, picture.image.size) == ("JPEG", SIZE)
    red = picture.image.getpixel((5, 5))
    assert isinstance(red, tuple)
    assert abs(red[0] - COLOR[0]) < 5


def gif(before: bytes) -> bytes:
    """A GIF with a transparent color, and something before its first frame."""
    image = Image.new("P", SIZE, 1)
    image.putpixel((0, 0), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    buffer = io.BytesIO()
    image.save(buffer, "GIF", transparency=0)
    raw = buffer.getvalue()
    start = raw.index(b"!\xf9")
    return raw[:start] + before + raw[start:]


def test_comments_of_a_gif_are_not_joined() -> None:
    plain, full = gif(b""), gif(b"!\xfe\x01a\x00" * 50_000)
    assert len(bounded(full)[0]) == len(bounded(plain)[0])
    assert load_image(full).image.tobytes() == load_image(plain).image.tobytes()
    junk = gif(b"\0\0" + b"!\xfe\x01a\x00" * 9 + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    assert load_image(junk).image.tobytes() == load_image(plain).image.tobytes()


@given(st.binary(max_size=80), st.integers(0, 120))
def test_damaged_gifs_never_raise_anything_else(noise: bytes, place: int) -> None:
    raw = gif(b"!\xfe\x01a\x00")
    with suppress(ItemError):
        load_image(raw[:place] + noise + raw[place:])


def test_a_jpeg_without_metadata_is_handed_on_as_it_is() -> None:
    raw = save("JPEG")
    assert bounded(raw) == (raw, b"")
    assert bounded(raw)[0] is raw


part = st.tuples(
    st.one_of(st.integers(0, 255), st.sampled_from([0xC4, 0xDA, 0xE0, 0xE1, 0xE2, 0xFE])),
    st.sampled_from([b"", b"Exif\0\0", b"MPF\0", b"\xff\xe1\0\x20Exif\0\0", b"\xff\xda"]),
    st.binary(max_size=12),
    st.integers(-3, 3),
)


@given(st.lists(part, max_size=6), st.binary(max_size=3))
def test_no_metadata_reaches_the_decoder_however_it_is_hidden(
    parts: list[tuple[int, bytes, bytes, int]], junk: bytes
) -> None:
    raw, added = save("JPEG"), b""
    for code, begin, rest, off in parts:
        length = max(0, 2 + len(begin + rest) + off)
        added += b"\xff" + bytes([code]) + struct.pack(">H", length) + begin + rest
    given_, _ = bounded(raw[:2] + added + junk + raw[2:] + added)
    found: set[object] = set()
    with suppress(Exception), Image.open(io.BytesIO(given_)) as picture:
        found = set(picture.info)
    assert not {"exif", "mp", "mpoffset"} & found


def test_how_a_following_picture_lies_says_nothing_of_the_first() -> None:
    pictures = b"MPF\0" + bytes(8)
    first, second = save("JPEG"), save("JPEG", exif=b"Exif\0\0" + exif(6))
    listed = first[:2] + b"\xff\xe2" + struct.pack(">H", 2 + len(pictures)) + pictures + first[2:]
    for raw in (first + second, listed + second):
        assert load_image(raw).image.size == SIZE
