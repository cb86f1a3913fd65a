"""The architecture of the embedded model: a small ConvNeXt and a small BERT, in the Hugging Face format."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, VisionTextDualEncoderModel

PICTURE = 96
"""Pixels of a side, after letterboxing."""
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of the channels, as they are usual for networks of this kind."""
WIDTH = 128
"""Length of an embedding."""
TOKENS = 48
WORDS = 1500
"""Whole words that the tokenizer knows."""
VISION: dict[str, Any] = {
    "hidden_sizes": [32, 64, 128, 256],
    "depths": [1, 2, 3, 1],
    "layer_scale_init_value": 1.0,
    "image_size": PICTURE,
}
TEXT: dict[str, Any] = {
    "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256,
    "max_position_embeddings": TOKENS, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}


def make_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer with the most frequent words of some texts, and letters for all others.

    The same texts give the same tokenizer, which the trainer of the library does not warrant.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    normal, cut = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    counts = Counter(word for text in texts for word, _ in cut.pre_tokenize_str(normal.normalize_str(text)))
    letters = sorted({letter for word in counts for letter in word} | set(string.ascii_lowercase + string.digits))
    words = sorted(counts, key=lambda word: (-counts[word], word))[:WORDS]
    pieces = dict.fromkeys([*SPECIAL.values(), *letters, *(f"##{letter}" for letter in letters), *words])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normal, cut
    ends = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    fast: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, model_max_length=TOKENS, **SPECIAL
    )
    return fast


def make_network(words: int, scale: float = 20.0) -> VisionTextDualEncoderModel:
    """An untrained dual encoder; `scale` is what its cosines are multiplied with at first."""
    import math

    from transformers import BertConfig, ConvNextConfig, VisionTextDualEncoderConfig, VisionTextDualEncoderModel

    vision = ConvNextConfig(**VISION)
    vision.hidden_size = VISION["hidden_sizes"][-1]  # the dual encoder asks for it by this name
    text = BertConfig(vocab_size=words, **TEXT)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(
        vision, text, projection_dim=WIDTH, logit_scale_init_value=math.log(scale)
    )
    model = VisionTextDualEncoderModel(config)
    _begin(model)
    return model


def _begin(model: VisionTextDualEncoderModel) -> None:
    """Starting weights by fan-in; the usual ones are made for layers ten times as wide and hardly pass a signal."""
    import torch

    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2 and "grn" not in name and "position" not in name:
            fan = parameter.shape[-1] if "embeddings" in name and parameter.ndim == 2 else parameter[0].numel()
            torch.nn.init.trunc_normal_(parameter, std=fan**-0.5)


def picture_features(model: VisionTextDualEncoderModel, pixels: Any) -> Any:
    """Embeddings of pictures, (N, WIDTH), L2-normalised."""
    pooled = model.vision_model(pixel_values=pixels).pooler_output
    return _unit(model.visual_projection(pooled))


def text_features(model: VisionTextDualEncoderModel, tokens: Any) -> Any:
    """Embeddings of tokenized texts, (N, WIDTH), L2-normalised."""
    pooled = model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).pooler_output
    return _unit(model.text_projection(pooled))


def _unit(vectors: Any) -> Any:
    vectors = vectors.float()
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp_min(1e-6)
