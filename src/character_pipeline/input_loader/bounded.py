"""Keeps pictures that are made to take long from the decoder: a few bytes in a file can cost it minutes or gigabytes.

Pixels are bounded elsewhere. What is left are passes over all of them (scans of a JPEG), and metadata that a decoder
copies again and again: nobody needs those.
"""

from __future__ import annotations

import re

from character_pipeline.errors import ItemError
from character_pipeline.input_loader.exif import PREFIX

SCAN = b"\xff\xda"
MOST_SCANS = 100
"""Passes over a progressive JPEG; usual are 1 to 14. Each takes as long as the picture has pixels, and a dozen bytes
are enough for one: without a bound, half a megabyte takes half a minute."""
PARTS = frozenset(
    bytes([code]) for code in (*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE)
)
"""What comes before the first scan of a JPEG: each part has its length behind its code."""
PICTURES = b"MPF\0"
"""How a list of further pictures in a JPEG begins. A decoder would copy all that each entry of it claims, as of EXIF:
what begins in small letters, it leaves alone."""
MOST_EXIF = 2**16
GIF_HEAD, COLORS = 13, 0x80
EXTENSION, FRAME_CONTROL = b"!", b"\xf9"
BLOCK = re.compile(rb"[!,;]")
"""How a part of a GIF begins: an extension, a frame, the end. Decoders pass over what lies between."""


def bounded(raw: bytes) -> tuple[bytes, bytes]:
    """The bytes of a picture that its decoder gets, and the EXIF that it does not get. Raises ItemError where it would
    take too long all the same."""
    if raw.startswith(b"\xff\xd8"):
        return _plain_jpeg(raw)
    return (_without_comments(raw) if raw.startswith((b"GIF87a", b"GIF89a")) else raw), b""


def _plain_jpeg(raw: bytes) -> tuple[bytes, bytes]:
    scans = raw.count(SCAN)
    if scans > MOST_SCANS:
        raise ItemError("image_too_large", f"a JPEG of {scans:,} scans, which takes long; allowed are {MOST_SCANS}")
    head = raw[: _first_scan(raw)]
    if PREFIX not in head and PICTURES not in head:
        return raw, b""
    unread = raw.replace(PREFIX, PREFIX.lower()).replace(PICTURES, PICTURES.lower())
    begin = head.find(PREFIX)  # a picture that follows has its own, which says nothing of this one
    return unread, raw[begin : begin + MOST_EXIF] if begin >= 0 else b""


def _first_scan(raw: bytes) -> int:
    """Where a JPEG's pixels begin, beyond which no metadata is looked for; its end where that is not plain."""
    place = 2
    while raw[place : place + 1] == b"\xff" and raw[place + 1 : place + 2] in PARTS:
        place += 2 + max(2, int.from_bytes(raw[place + 2 : place + 4]))
    return place if raw.startswith(SCAN, place) else len(raw)


def _without_comments(raw: bytes) -> bytes:
    """A GIF without what comes before its first frame, but for how that is shown (the last one counts)."""
    colors = 3 * 2 ** ((raw[10] & 7) + 1) if len(raw) > 10 and raw[10] & COLORS else 0
    start = place = GIF_HEAD + colors
    control = b""
    while (found := BLOCK.search(raw, place)) and found[0] == EXTENSION:
        end = _end_of_blocks(raw, found.end() + 1)
        if raw[found.end() : found.end() + 1] == FRAME_CONTROL:
            control = raw[found.start() : end]
        place = end
    return raw if place == start else raw[:start] + control + raw[place:]


def _end_of_blocks(raw: bytes, place: int) -> int:
    """Where the blocks end that begin here, each with its length before it; one of length 0 is the last."""
    while place < len(raw) and raw[place]:
        place += 1 + raw[place]
    return place + 1
