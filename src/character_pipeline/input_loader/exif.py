"""Reads from EXIF how a picture lies, and nothing else: a library would copy all that its entries claim to have."""

from __future__ import annotations

from typing import Literal

PREFIX = b"Exif\0\0"
ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
FIRST, ENTRY = 8, 12
"""Bytes before the first directory can begin, and of an entry."""
ORIENTATION, SHORT = 0x0112, 3
UPRIGHT, LAST = 1, 8


def read_orientation(exif: bytes) -> int:
    """1 to 8 as EXIF defines them; 1, upright, where it says nothing that can be understood."""
    raw = exif.removeprefix(PREFIX)
    order = ORDERS.get(raw[:4])
    if order is None or len(raw) < FIRST:
        return UPRIGHT

    def number(place: int, length: int = 2) -> int:
        return int.from_bytes(raw[place : place + length], order)

    start = number(4, 4)
    for place in range(start + 2, min(start + 2 + number(start) * ENTRY, len(raw) - ENTRY + 1), ENTRY):
        if number(place) == ORIENTATION and number(place + 2) == SHORT:
            return number(place + 8) if 1 <= number(place + 8) <= LAST else UPRIGHT
    return UPRIGHT
