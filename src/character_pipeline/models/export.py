"""From a checkpoint that torch runs to one that ONNX Runtime runs, with a check that both say the same."""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.errors import MissingExtraError, ModelError
from character_pipeline.models import machine
from character_pipeline.models.checkpoint import CONFIG, PREPROCESSOR, PROMPTS, Tower, open_checkpoint
from character_pipeline.models.domain import DOMAIN
from character_pipeline.models.load import open_encoder, resolve
from character_pipeline.models.manifest import MANIFEST
from character_pipeline.models.plan import Plan, make_plan
from character_pipeline.models.tokenizer import TOKENIZER
from character_pipeline.models.torch_backend import TorchEncoder

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image

COPIED = (CONFIG, PREPROCESSOR, TOKENIZER, "tokenizer_config.json", "special_tokens_map.json", DOMAIN, PROMPTS)
ONE_FILE = 1_900_000_000
"""Bytes of weights up to which they fit into the ONNX file itself; the format ends at 2 GB."""
CHECKED = 4
SENTENCES = ("a person with red hair", "glasses", "no people")
TOLERANCE = {"fp32": 1e-3, "int8": 0.5}
"""The largest difference between numbers of unit vectors at which an export is taken for right."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an exported model is from the original: largest difference, and least cosine, over a few rows."""

    precision: str
    difference: float
    cosine: float


def export_onnx(name: str, folder: Path, int8: bool = False) -> list[Parity]:
    """Export a checkpoint to a folder, and compare it with the original on a few random pictures and sentences.

    Args:
        name: a folder, or a name on the hub.
        int8: also write files with 8-bit weights for CPUs.

    Raises MissingExtraError without torch and the exporter, ModelError where the checkpoint cannot be had or the
    result does not say the same as the original.
    """
    if not machine.has_torch() or not machine.has_package("onnx") or not machine.has_package("onnxscript"):
        raise MissingExtraError("charpipe export-onnx", "clip")
    settings = ClipAnalyzerConfig(model_name=name, backend="torch", precision="fp32", device="cpu", on_missing="error")
    plan = resolve(settings)
    encoder = TorchEncoder(plan)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    _export_vision(encoder, folder / "onnx" / "vision_model.onnx")
    _export_text(encoder, folder / "onnx" / "text_model.onnx")
    for tower in ("vision", "text") if int8 else ():
        quantise(folder / "onnx" / f"{tower}_model.onnx", folder / "onnx" / f"{tower}_model_int8.onnx")
    _copy_small(plan, encoder, folder)
    return [_compare(encoder, folder, precision) for precision in (["fp32", "int8"] if int8 else ["fp32"])]


def _copy_small(plan: Plan, encoder: TorchEncoder, folder: Path) -> None:
    """The files beside the weights, and the logits that ONNX has no place for."""
    source = plan.checkpoint.folder
    for name in COPIED:
        if (source / name).is_file() and source.absolute() != folder.absolute():
            shutil.copyfile(source / name, folder / name)
    known = plan.checkpoint.manifest.model_dump(exclude_defaults=True)
    table = {**known, "logit_scale": encoder.scale, "logit_bias": encoder.bias}
    (folder / MANIFEST).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def _export_vision(encoder: TorchEncoder, path: Path) -> None:
    import torch

    pixels = torch.zeros(2, 3, *encoder.plan.checkpoint.preprocessing.shape)
    _export(encoder, "vision", {"pixel_values": pixels}, {"pixel_values": {0: "batch"}}, path)


def _export_text(encoder: TorchEncoder, path: Path) -> None:
    """The text tower; the length of the sentences stays open, save where the model reads the padding too."""
    import torch

    tokens = encoder.tokenizer
    arrays = tokens.groups([SENTENCES[0], SENTENCES[0]])[0][1]
    names = encoder.text_inputs
    inputs = {name: torch.from_numpy(arrays[name]) for name in names}
    axes: dict[int, Any] = {0: "batch"} if tokens.fixed else {0: "batch", 1: "sequence"}
    _export(encoder, "text", inputs, dict.fromkeys(names, axes), path)


def _export(
    encoder: TorchEncoder, tower: Tower, inputs: dict[str, torch.Tensor], axes: dict[str, Any], path: Path
) -> None:
    import torch

    size = sum(weights.nbytes for weights in encoder.model.parameters())
    with quiet(), torch.no_grad():
        torch.onnx.export(
            _module(encoder, tower, list(inputs)),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=["image_embeds" if tower == "vision" else "text_embeds"],
            dynamic_shapes=dict(zip(("first", "second"), axes.values(), strict=False)),
            dynamo=True,
            external_data=size > ONE_FILE,
            verbose=False,
        )


def _module(encoder: TorchEncoder, tower: Tower, names: list[str]) -> torch.nn.Module:
    """One tower with its projection as a module of its own, which takes its inputs in the order of `names`."""
    import torch

    work = encoder.model.get_image_features if tower == "vision" else encoder.model.get_text_features

    class One(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = encoder.model

        def forward(self, first: torch.Tensor, second: torch.Tensor | None = None) -> torch.Tensor:
            found = work(**dict(zip(names, (first, second), strict=False)))
            embeds: torch.Tensor = getattr(found, "pooler_output", found)
            return embeds

    return One().eval()


def quantise(source: Path, target: Path) -> None:
    """The same model with 8-bit weights in its matrix products; convolutions stay, as 8-bit ones are slower."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with quiet():
        quantize_dynamic(
            source,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm"],
            use_external_data_format=source.stat().st_size > ONE_FILE,
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the exporters' notes, which tell a user of the command nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)


def _compare(encoder: TorchEncoder, folder: Path, precision: Any) -> Parity:
    settings = ClipAnalyzerConfig(backend="onnx", precision=precision, device="cpu")
    other = open_encoder(make_plan(open_checkpoint(folder, encoder.name), settings))
    pairs = [
        (encoder.embed_pictures(_pictures()), other.embed_pictures(_pictures())),
        (encoder.embed_texts(SENTENCES), other.embed_texts(SENTENCES)),
    ]
    parity = Parity(precision, *map(float, _worst(pairs)))
    if not parity.difference <= TOLERANCE[precision]:
        raise ModelError(
            f"the export of {encoder.name} as {precision} differs from the original by {parity.difference:.3g}; "
            f"allowed is {TOLERANCE[precision]:g}. Do not use {folder}; try other versions of torch and onnxscript"
        )
    return parity


def _worst(pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> tuple[float, float]:
    difference = max(float(abs(one - other).max()) for one, other in pairs)
    return difference, min(float((one * other).sum(axis=1).min()) for one, other in pairs)


def _pictures() -> list[Image.Image]:
    """A few random pictures, the same every time."""
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(0)
    coarse = chance.integers(0, 256, (CHECKED, 9, 7, 3), dtype=np.uint8)
    return [Image.fromarray(pixels).resize((280, 360), Image.Resampling.BICUBIC) for pixels in coarse]
