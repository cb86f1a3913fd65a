"""From a training to a folder that is loaded like any other checkpoint: weights, tokenizer, ONNX files, prompts."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.models.checkpoint import PREPROCESSOR, PROMPTS
from character_pipeline.models.domain import DOMAIN
from character_pipeline.models.export import export_onnx
from character_pipeline.models.manifest import MANIFEST
from character_pipeline.models.prompt_cache import digest, write_embeddings
from character_pipeline.training.calibration import Calibrated
from character_pipeline.training.corpus import HEAD, Pairs
from character_pipeline.training.familiar import write_domain
from character_pipeline.training.network import MEAN, PICTURE, STD
from character_pipeline.training.validation import WHOLE, embed

if TYPE_CHECKING:
    from character_pipeline.training.embedded import Trainer


def write_checkpoint(
    trainer: Trainer, held_out: Pairs, calibrated: list[Calibrated], folder: Path, about: Mapping[str, Any]
) -> None:
    """Write the model, what it can be trusted with, and where it is at home: pictures like those held out."""
    with tempfile.TemporaryDirectory() as temporary:
        half = Path(temporary) / "model"
        _write_weights(trainer, half)
        _write_tables(trainer, half, calibrated, about)
        write_domain(half / DOMAIN, held_out.whole, partial(embed, trainer))
        shutil.rmtree(folder / "onnx", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        export_onnx(str(half), folder, int8=True)
        # Sentences are few, and those of the package are embedded already: 8 bits would save nobody anything.
        (folder / "onnx" / "text_model_int8.onnx").unlink()
        for name in ("model.safetensors", "tokenizer_config.json"):
            shutil.copyfile(half / name, folder / name)
    _write_prompts(trainer, folder)


def _write_weights(trainer: Trainer, folder: Path) -> None:
    """In half precision: the numbers are what the weights are, and the file is half as large."""
    import copy

    model = copy.deepcopy(trainer.model).half()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    trainer.tokenizer.save_pretrained(folder)


def _write_tables(trainer: Trainer, folder: Path, calibrated: list[Calibrated], about: Mapping[str, Any]) -> None:
    preprocessing = {
        "fit": "pad", "size": {"height": PICTURE, "width": PICTURE}, "resample": 2, "do_normalize": True,
        "image_mean": list(MEAN), "image_std": list(STD), "rescale_factor": 1 / 255,
    }  # fmt: skip
    manifest = {
        "prompt_set": trainer.settings.prompt_set,
        "views": [WHOLE, HEAD],
        "attributes": {one.attribute: one.to_manifest() for one in calibrated},
        "about": dict(about),
    }
    for name, table in ((PREPROCESSOR, preprocessing), (MANIFEST, manifest)):
        (folder / name).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def _write_prompts(trainer: Trainer, folder: Path) -> None:
    """Embeddings of all sentences of the package, so that the text tower is not needed for them."""
    import torch

    from character_pipeline.training.network import text_features

    sentences = [s for row in trainer.rows for name in trainer.book.sets for s in trainer.book.sentences(row, name)]
    sentences = list(dict.fromkeys(sentences))
    with torch.no_grad():
        parts = [
            text_features(trainer.model, trainer.tokens(sentences[at : at + 64])) for at in range(0, len(sentences), 64)
        ]
    vectors = torch.cat(parts).float().numpy()
    write_embeddings(folder / PROMPTS, {digest(s): vector for s, vector in zip(sentences, vectors, strict=True)})
