"""The one written form of a tag, so that every spelling of it is found under the same name."""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = str.maketrans({"‘": "'", "’": "'", "ʼ": "'", "′": "'"})
_ESCAPED = re.compile(r"\\([()])")
_NAMESPACE = re.compile(r"^(rating|general|tags?|meta):_+")


def tag_form(written: str) -> str:
    """Lower case, underscores for spaces, parentheses without their backslashes; kaomoji stay as they are.

    >>> tag_form("  Bow \\\\(Weapon\\\\) ")
    'bow_(weapon)'
    """
    if written.isascii():
        return _shape(written.lower())
    text = unicodedata.normalize("NFKC", written.translate(_APOSTROPHES))
    # Lower case may bring back marks that can be composed, so the form is taken once more.
    return _shape(unicodedata.normalize("NFKC", text.lower()).translate(_APOSTROPHES))


def _shape(text: str) -> str:
    # A lone "\(" is an arm, as in "\(^o^)/"; an escape always closes.
    if "\\" in text and text.count("\\(") == text.count("\\)"):
        text = _ESCAPED.sub(r"\1", text)
    if text.endswith("\\") and text[-2:-1].isalnum():
        text = text[:-1]  # what is left of an escaped comma
    text = "_".join(text.split())
    return _NAMESPACE.sub(r"\1:", text) if ":" in text else text
