"""What is looked at before an archive that somebody sent is believed."""

from __future__ import annotations

from typing import IO

CENTRAL_HEADER = b"PK\x01\x02"
PIECE = 2**20


def count_members(file: IO[bytes]) -> int:
    """How many files a zip archive lists, at most, found without believing any number in it."""
    count, tail = 0, b""
    file.seek(0)
    while piece := file.read(PIECE):
        count += (tail + piece).count(CENTRAL_HEADER)
        tail = (tail + piece)[-len(CENTRAL_HEADER) + 1 :]
    file.seek(0)
    return count
