"""Sentences to token numbers, as the checkpoint's tokenizer.json says; the same for every backend."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Arrays = dict[str, NDArray[np.int64]]

TOKENIZER = "tokenizer.json"
STEP = 8
"""Sentences are padded to a multiple of this, so that a length is shared by many and none is worked on in vain."""
LONGEST = 4096
"""Some tokenizer_config.json say a huge number for "no limit"."""


class TextTokenizer:
    """Turns sentences into arrays of token numbers, in groups of one length.

    How far a sentence is padded depends on that sentence alone, so that its vector does too.

    Attributes:
        length: the longest sentence in tokens; what is longer is cut.
        fixed: whether every sentence is padded to `length`, because the model reads the padding too (SigLIP).
        pad: the number of the padding token.
    """

    def __init__(self, tokenizer: Tokenizer, length: int, pad: int, fixed: bool) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(length)
        self._tokenizer = tokenizer
        self.length = length
        self.pad = pad
        self.fixed = fixed

    def groups(self, sentences: Sequence[str], length: int | None = None) -> list[tuple[list[int], Arrays]]:
        """Places in `sentences`, and the arrays for them: input_ids, attention_mask and token_type_ids, int64.

        Args:
            length: pad to exactly this many tokens, for a model that takes no other.
        """
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(sentences))]
        places: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(length or self._padded(len(row)), []).append(place)
        return [(found, self._arrays([rows[place] for place in found], width)) for width, found in places.items()]

    def _padded(self, tokens: int) -> int:
        return self.length if self.fixed else min(self.length, -(-max(tokens, 1) // STEP) * STEP)

    def _arrays(self, rows: Sequence[Sequence[int]], width: int) -> Arrays:
        import numpy as np

        numbers = np.full((len(rows), width), self.pad, dtype=np.int64)
        mask = np.zeros_like(numbers)
        for place, row in enumerate(rows):
            numbers[place, : len(row)] = row[:width]
            mask[place, : len(row)] = 1
        return {"input_ids": numbers, "attention_mask": mask, "token_type_ids": np.zeros_like(numbers)}


def read_tokenizer(folder: Path, config: Mapping[str, Any]) -> TextTokenizer:
    """The tokenizer of a checkpoint's folder; `config` is its config.json. Raises ModelError naming the file."""
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    try:
        tokenizer = Tokenizer.from_file(str(path))
        said = _read_json(folder / "tokenizer_config.json")
    except Exception as error:
        raise ModelError(f"{path} cannot be read as a tokenizer: {error}. Fetch it again") from error
    text = config.get("text_config", {})
    limits = (text.get("max_position_embeddings"), said.get("model_max_length"))
    length = min((int(n) for n in limits if n and n <= LONGEST), default=77)
    fixed = str(config.get("model_type", "")).startswith("siglip")
    return TextTokenizer(tokenizer, length, _pad_token(tokenizer, said, text), fixed)


def _pad_token(tokenizer: Tokenizer, said: Mapping[str, Any], text: Mapping[str, Any]) -> int:
    """The number of the padding token: by its name, as the tokenizer itself pads, or as the model says."""
    name = said.get("pad_token")
    name = name.get("content") if isinstance(name, dict) else name
    number = tokenizer.token_to_id(name) if name else None
    if number is None and tokenizer.padding:
        number = tokenizer.padding["pad_id"]
    return int(text.get("pad_token_id") or 0) if number is None else int(number)


def _read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
