"""Sentences become the tokens that transformers would make of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from character_pipeline.errors import ModelError
from character_pipeline.models.tokenizer import TextTokenizer, read_tokenizer

TEXTS = ["red hair", "a person with blue eyes and glasses, and brown hair", "", "a photo of " + "red " * 90]


def load(folder: Path) -> TextTokenizer:
    return read_tokenizer(folder, json.loads((folder / "config.json").read_text()))


def test_same_tokens_as_transformers(original: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    said = json.loads((original / "tokenizer_config.json").read_text())
    own = load(original)
    make: Any = PreTrainedTokenizerFast
    other = make(tokenizer_file=str(original / "tokenizer.json"), pad_token=said["pad_token"])
    for places, arrays in own.groups(TEXTS):
        width = arrays["input_ids"].shape[1]
        texts = [TEXTS[place] for place in places]
        expected = other(texts, padding="max_length", truncation=True, max_length=width, return_tensors="np")
        assert np.array_equal(arrays["input_ids"], expected["input_ids"])
        assert np.array_equal(arrays["attention_mask"], expected["attention_mask"])


def test_lengths(original: Path) -> None:
    config = json.loads((original / "config.json").read_text())
    limit = config["text_config"]["max_position_embeddings"]
    own = load(original)
    widths = {arrays["input_ids"].shape[1] for _, arrays in own.groups(TEXTS)}
    assert max(widths) == own.length == limit
    # Only SigLIP reads the padding, so only there every sentence is padded in full.
    assert (widths == {limit}) == own.fixed == (config["model_type"] == "siglip")
    assert {arrays["input_ids"].shape[1] for _, arrays in own.groups(TEXTS, 9)} == {9}


def test_clip_pads_with_its_end(clip: Path) -> None:
    own = load(clip)
    ((_, arrays),) = own.groups(["red"])
    assert arrays["input_ids"][0, 2:].tolist() == [own.pad] * 6


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read"):
        read_tokenizer(tmp_path, {})
