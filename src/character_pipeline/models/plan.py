"""What will run a checkpoint, decided from the settings and the machine before anything heavy is loaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.data import View
from character_pipeline.errors import MissingExtraError, ModelError
from character_pipeline.models import machine
from character_pipeline.models.checkpoint import CONFIG, PREPROCESSOR, SUFFIXES, Checkpoint, Tower, digest_files
from character_pipeline.models.tokenizer import TOKENIZER

Backend = Literal["onnx", "torch"]
KEY_VERSION = {"onnx": "1", "onnx-int8": "2", "torch": "2"}
"""By backend, or by backend and precision. Changes whenever the same files would give other vectors."""
TORCH_PRECISIONS = ("fp32", "fp16", "bf16", "int8")


@dataclass(frozen=True, slots=True)
class Plan:
    """A checkpoint and how it is run. Small, and the same in every process.

    Attributes:
        precision: "fp32", "fp16", "bf16" or "int8".
        device: "cpu", "cuda" or "cuda:N".
        threads: for the CPU; 0 for all processors.
        strict: the device was asked for, so another one is an error.
        views: what the model is shown of a picture.
        note: what the user should know: that it stands in for another model, and how to get that one.
    """

    checkpoint: Checkpoint
    backend: Backend
    precision: str
    device: str
    threads: int = 0
    batch_size: int = 32
    compile: bool = False
    strict: bool = False
    views: tuple[View, ...] = ("whole",)
    note: str = ""

    def onnx_file(self, tower: Tower) -> str | None:
        """The ONNX file of a tower: at the precision of the plan, else at another. None where there is none."""
        for precision in (self.precision, "fp32", "int8", "fp16"):
            if found := self.checkpoint.onnx_file(tower, precision):
                return str(found)
        return None

    @property
    def key(self) -> str:
        """Names model, weights, preprocessing, backend and precision, by the content of the files in use; not what
        pictures are shown to it."""
        how = f"{self.backend}-{self.precision}"
        return f"{how}-{_short(KEY_VERSION.get(how, KEY_VERSION[self.backend]), self._files_digest())}"

    def _files_digest(self) -> str:
        folder = self.checkpoint.folder
        small = [folder / CONFIG, folder / PREPROCESSOR, folder / TOKENIZER, folder / "tokenizer_config.json"]
        return digest_files([*small, *self._weights("vision", "text")])

    @property
    def weight(self) -> int:
        """The bytes that are loaded when the first picture comes."""
        return sum(path.stat().st_size for path in self._weights("vision"))

    def _weights(self, *towers: Tower) -> list[Path]:
        if self.backend == "torch":
            return self.checkpoint.weights
        found = [Path(name) for tower in towers if (name := self.onnx_file(tower))]
        beside = [path.with_name(f"{path.name}_data") for path in found]
        return [*found, *(path for path in beside if path.is_file())]


def make_plan(checkpoint: Checkpoint, settings: ClipAnalyzerConfig) -> Plan:
    """How to run a checkpoint. Raises ModelError or MissingExtraError where the settings ask for what cannot be."""
    backend = _backend(checkpoint, settings)
    device = _device(backend, settings.device)
    return Plan(
        checkpoint=checkpoint,
        backend=backend,
        precision=_precision(checkpoint, backend, device, settings.precision),
        device=device,
        threads=settings.threads,
        batch_size=settings.batch_size,
        compile=settings.compile,
        strict=settings.device != "auto",
        views=checkpoint.manifest.views if settings.views == "auto" else settings.views,
    )


def _backend(checkpoint: Checkpoint, settings: ClipAnalyzerConfig) -> Backend:
    if settings.backend == "onnx" and not checkpoint.has_onnx:
        raise ModelError(
            f"{checkpoint.name} has no onnx/vision_model.onnx, which clip_analyzer.backend 'onnx' needs: make it with "
            f"charpipe export-onnx {checkpoint.name} --output FOLDER, or set the backend to 'torch'"
        )
    if settings.backend == "torch" and not checkpoint.weights:
        raise ModelError(
            f"{checkpoint.name} has no model.safetensors, which clip_analyzer.backend 'torch' needs: "
            "set the backend to 'auto' or 'onnx'"
        )
    wanted = settings.backend if settings.backend != "auto" else _best_backend(checkpoint, settings.device)
    if wanted == "torch" and not machine.has_torch():
        raise MissingExtraError(f"running {checkpoint.name} with torch", "clip")
    return wanted


def _best_backend(checkpoint: Checkpoint, device: str) -> Backend:
    if not checkpoint.has_onnx:
        return "torch"
    on_gpu = device != "cpu" and checkpoint.weights and machine.torch_sees_gpu()
    return "torch" if on_gpu else "onnx"


def _device(backend: Backend, wanted: str) -> str:
    sees_gpu = machine.torch_sees_gpu() if backend == "torch" else machine.onnx_sees_gpu()
    if wanted == "auto":
        return "cuda" if sees_gpu else "cpu"
    if wanted != "cpu" and not sees_gpu:
        needed = "a torch built for CUDA" if backend == "torch" else "the package onnxruntime-gpu"
        remedy = f"install the driver and {needed}, or set clip_analyzer.device to 'auto' or 'cpu'"
        raise ModelError(f"the device '{wanted}' was asked for, and {backend} finds no GPU here: {remedy}")
    return wanted


def _precision(checkpoint: Checkpoint, backend: Backend, device: str, wanted: str) -> str:
    if backend == "torch":
        return wanted if wanted != "auto" else _torch_precision(device)
    there = [precision for precision in SUFFIXES if checkpoint.onnx_file("vision", precision)]
    if wanted == "auto":
        # Our own export has compared its int8 file with the original; those of others are taken on request.
        own = (checkpoint.folder / "onnx" / "vision_model_int8.onnx").is_file()
        return "int8" if own and device == "cpu" else there[0]
    if wanted not in there:
        raise ModelError(
            f"{checkpoint.name} has no ONNX file for the precision '{wanted}'. There is: {', '.join(there)}. "
            f"Set clip_analyzer.precision to one of these, or export it anew with charpipe export-onnx --int8"
        )
    return wanted


def _torch_precision(device: str) -> str:
    capability = machine.gpu_capability()
    if device == "cpu" or capability is None:
        return "fp32"
    return "bf16" if capability[0] >= machine.BF16_SINCE else "fp16"


def _short(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=10).hexdigest()
