"""Bytes to text. Whatever comes in, text comes out, with a note where something had to be replaced."""

from __future__ import annotations

import codecs

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

REPLACED = "text_decoded_with_replacement"
NUL = "nul_bytes_removed"


def encoding_of(head: bytes) -> str:
    """The encoding that a byte order mark states, or UTF-8."""
    return next((name for bom, name in BOMS if head.startswith(bom)), "utf-8")


def decode_text(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and a note for each thing that was lost on the way."""
    encoding = encoding_of(raw)
    notes: list[str] = []
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode(encoding, errors="replace")
        notes.append(REPLACED)
    if "\0" in text:
        text = text.replace("\0", " ")
        notes.append(NUL)
    return text, tuple(notes)


def clean_text(text: str) -> str:
    """Text as any store can hold it: lone surrogates replaced, NUL removed."""
    if "\0" in text:
        text = text.replace("\0", " ")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def name_of(path: str) -> str:
    """A file name as an item id: names that are not valid Unicode keep their odd bytes as \\xNN."""
    if path.isascii():
        return path.replace("\0", "\\x00")
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")
