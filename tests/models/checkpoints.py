"""Small random checkpoints in the layout of the field, made with the libraries that make real ones."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WORDS = ["a", "an", "photo", "of", "person", "hair", "eyes", "red", "blue", "brown", "black", "no", "with", "glasses"]


def save_tokenizer(folder: Path, start: str, end: str, pad: str, limit: int) -> int:
    """A word tokenizer with a start and an end; returns the number of tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    names = [pad, *dict.fromkeys(name for name in (start, end) if name != pad), "[UNK]"]
    vocabulary = {word: number for number, word in enumerate([*names, *WORDS, *string.ascii_lowercase[1:]])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(name, vocabulary[name]) for name in {start, end}]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {"pad_token": pad, "eos_token": end, "model_max_length": limit}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    return max(vocabulary.values()) + 1


def write_preprocessor(folder: Path, **table: Any) -> None:
    plain = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.3, 0.25, 0.2], "resample": 3, "rescale_factor": 1 / 255}
    (folder / "preprocessor_config.json").write_text(json.dumps({**plain, **table}))


def make_clip(folder: Path, seed: int = 0) -> Path:
    """A CLIP model for pictures of 32 x 32, with vectors of 24."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    folder.mkdir(parents=True, exist_ok=True)
    count = save_tokenizer(folder, "<|start|>", "<|end|>", "<|end|>", 77)
    torch.manual_seed(seed)
    layer = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}
    text = {**layer, "vocab_size": count, "max_position_embeddings": 16, "eos_token_id": 0, "pad_token_id": 0}
    vision = {**layer, "image_size": 32, "patch_size": 8}
    model = CLIPModel(CLIPConfig(text_config={**text, "bos_token_id": 1}, vision_config=vision, projection_dim=24))
    _shake(model)
    model.save_pretrained(folder)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True}
    write_preprocessor(folder, image_processor_type="CLIPImageProcessor", **size)
    return folder


def make_siglip(folder: Path) -> Path:
    """A SigLIP model, which pads every sentence to 12 tokens."""
    import torch
    from transformers import SiglipConfig, SiglipModel

    folder.mkdir(parents=True, exist_ok=True)
    count = save_tokenizer(folder, "<s>", "</s>", "</s>", 12)
    torch.manual_seed(1)
    layer = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}
    text = {
        **layer,
        "vocab_size": count,
        "max_position_embeddings": 12,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 0,
    }
    text["projection_size"] = 32
    model = SiglipModel(SiglipConfig(text_config=text, vision_config={**layer, "image_size": 32, "patch_size": 8}))
    _shake(model)
    model.save_pretrained(folder)
    write_preprocessor(folder, image_processor_type="SiglipImageProcessor", size={"height": 32, "width": 32})
    return folder


def make_convnext(folder: Path) -> Path:
    """A ConvNeXt V2 for pictures and a BERT for sentences, whole pictures on white, vectors of 24."""
    import torch
    from transformers import (
        BertConfig,
        ConvNextV2Config,
        VisionTextDualEncoderConfig,
        VisionTextDualEncoderModel,
    )

    folder.mkdir(parents=True, exist_ok=True)
    count = save_tokenizer(folder, "[CLS]", "[SEP]", "[PAD]", 32)
    torch.manual_seed(2)
    vision = ConvNextV2Config(num_stages=2, hidden_sizes=[8, 16], depths=[1, 1], image_size=64)
    vision.hidden_size = 16  # the dual encoder asks for it
    layer: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
    }
    text = BertConfig(**layer, vocab_size=count, max_position_embeddings=32, pad_token_id=0)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=24)
    model = VisionTextDualEncoderModel(config)
    _shake(model)
    model.save_pretrained(folder)
    write_preprocessor(folder, size={"height": 64, "width": 64}, fit="pad")
    return folder


def _shake(model: Any) -> None:
    """Random weights that are large enough for different pictures to have different vectors."""
    import torch

    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn_like(weights) * (0.5 if "projection" in name else 0.15))


def pictures(count: int, seed: int = 0) -> list[Image.Image]:
    """Pictures of many shapes: noise over colours, so that no two are alike."""
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        width, height = (int(side) for side in chance.integers(20, 90, 2))
        coarse = chance.integers(0, 256, (5, 4, 3), dtype=np.uint8)
        found.append(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return found
