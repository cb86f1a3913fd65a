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
    begin = raw.find(PREFIX)
    if begin < 0:
        return raw.replace(PICTURES, PICTURES.lower()), b""
    unread = raw.replace(PREFIX, PREFIX.lower()).replace(PICTURES, PICTURES.lower())
    return unread, raw[begin : begin + MOST_EXIF]


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
