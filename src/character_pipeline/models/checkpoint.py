"""A checkpoint's folder: what must be in it, what may be, and what names its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from character_pipeline.errors import ModelError
from character_pipeline.models.domain import DOMAIN
from character_pipeline.models.manifest import MANIFEST, Manifest, read_manifest
from character_pipeline.models.preprocess import Preprocessing, read_preprocessing
from character_pipeline.models.tokenizer import TOKENIZER

Tower = Literal["vision", "text"]
CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"
PROMPTS = "prompt_embeddings.safetensors"
SUFFIXES: Mapping[str, tuple[str, ...]] = {"fp32": ("",), "fp16": ("_fp16",), "int8": ("_int8", "_quantized")}
"""How ONNX files of a precision end, the best first."""
UNSAFE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
REMEDY = "fetch the model again, or make the folder with: charpipe export-onnx MODEL --output FOLDER"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that holds a model, checked for what every backend needs.

    Attributes:
        name: the model as users say it.
        size: the length of its vectors.
    """

    folder: Path
    name: str
    config: Mapping[str, Any]
    preprocessing: Preprocessing
    manifest: Manifest
    size: int

    def onnx_file(self, tower: Tower, precision: str) -> Path | None:
        """The ONNX file of a tower at a precision, or None."""
        names = (f"{tower}_model{suffix}.onnx" for suffix in SUFFIXES.get(precision, ()))
        places = (self.folder / "onnx" / name for name in names)
        return next((path for path in places if path.is_file()), None)

    @property
    def has_onnx(self) -> bool:
        return any(self.onnx_file("vision", precision) for precision in SUFFIXES)

    @property
    def weights(self) -> list[Path]:
        """The weights for torch: one file, or several with an index."""
        return sorted([*self.folder.glob("model.safetensors"), *self.folder.glob("model-*-of-*.safetensors")])

    def digest(self, *names: str) -> str:
        """Names the content of these files of the folder; a file that is not there counts as such."""
        return digest_files([self.folder / name for name in names])

    @property
    def claims_digest(self) -> str:
        """Names all that decides what is claimed from a vector, beside the weights."""
        return self.digest(MANIFEST, DOMAIN, PROMPTS)


def open_checkpoint(folder: Path, name: str) -> Checkpoint:
    """The checkpoint in a folder. Raises ModelError that names the file that is missing or damaged, and the remedy."""
    config = _read_table(folder / CONFIG)
    preprocessing = read_preprocessing(_read_table(folder / PREPROCESSOR))
    checkpoint = Checkpoint(folder, name, config, preprocessing, read_manifest(folder), _size(folder, config))
    if not checkpoint.has_onnx and not checkpoint.weights:
        _refuse_unsafe(folder)
        raise ModelError(f"{folder} holds no weights: neither onnx/vision_model.onnx nor model.safetensors. {REMEDY}")
    if not (folder / TOKENIZER).is_file() and not (folder / PROMPTS).is_file():
        raise ModelError(f"{folder / TOKENIZER} is missing: without it no sentence can be read. {REMEDY}")
    return checkpoint


def _refuse_unsafe(folder: Path) -> None:
    found = sorted(path.name for path in folder.iterdir() if path.suffix in UNSAFE)
    if found:
        raise ModelError(
            f"{folder} holds its weights only as {found[0]}, a format that can run code when it is opened. Allowed: "
            "model.safetensors or ONNX. Take a revision of the model that has model.safetensors, or convert it first"
        )


def _read_table(path: Path) -> Mapping[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing: the folder is no whole model. {REMEDY}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}. {REMEDY}") from error
    if not isinstance(table, dict):
        raise ModelError(f"{path} must hold a JSON object. {REMEDY}")
    return table


def _size(folder: Path, config: Mapping[str, Any]) -> int:
    """The length of the vectors: that of the projection, or of the pictures' tower where there is none."""
    found = config.get("projection_dim")
    if found is None or str(config.get("model_type", "")).startswith("siglip"):
        found = config.get("vision_config", {}).get("hidden_size", found)
    if not isinstance(found, int) or found < 1:
        raise ModelError(f"{folder / CONFIG} names no projection_dim: it is not that of a model like CLIP. {REMEDY}")
    return found


def digest_files(paths: Iterable[Path]) -> str:
    """Names the content of files, by their names and in their order."""
    total = hashlib.blake2b(digest_size=16)
    for path in paths:
        known = path.stat() if path.is_file() else None
        content = _digest_file(path, known.st_size, known.st_mtime_ns) if known else "-"
        total.update(f"{path.name}\0{content}\n".encode())
    return total.hexdigest()


@lru_cache(maxsize=256)
def _digest_file(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
