"""The scale and the bias of a model's logits, found without loading the model."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

from character_pipeline.models.checkpoint import Checkpoint

DEFAULT_SCALE = 100.0
"""What CLIP models learn, nearly all of them: it is where their training stops the scale from growing."""
FORMATS = {"F32": "<f", "F16": "<e", "F64": "<d"}


def read_logits(checkpoint: Checkpoint) -> tuple[float, float]:
    """Scale and bias: what the manifest says, else what the weights say, else those of CLIP."""
    manifest = checkpoint.manifest
    scale, bias = manifest.logit_scale, manifest.logit_bias
    if scale is None:
        learnt = _find(checkpoint, "logit_scale")
        scale = DEFAULT_SCALE if learnt is None else math.exp(learnt)
    if bias is None:
        bias = _find(checkpoint, "logit_bias") or 0.0
    return scale, bias


def _find(checkpoint: Checkpoint, name: str) -> float | None:
    found = (_read_number(path, name) for path in checkpoint.weights)
    return next((number for number in found if number is not None), None)


def _read_number(path: Path, name: str) -> float | None:
    """One number of a safetensors file; None where it has none of this name, or no such file can be read.

    Read by hand, because numpy has no bf16.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(length)).get(name)
            if entry is None:
                return None
            start, end = entry["data_offsets"]
            file.seek(8 + length + start)
            raw = file.read(end - start)
    except (OSError, ValueError, KeyError):
        return None
    if entry["dtype"] == "BF16":
        return float(struct.unpack("<f", b"\0\0" + raw)[0])
    return float(struct.unpack(FORMATS[entry["dtype"]], raw)[0])
