"""Tensors and JSON in one safetensors file, written at once and read with distrust. No pickle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from character_pipeline.errors import ModelError

Tensors = dict[str, NDArray[Any]]
ABOUT = "about"
"""The entry of the file's metadata that holds the JSON."""


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Write a file aside and put it in place, so that a kill leaves the one before."""
    from safetensors.numpy import save

    whole = {name: np.asarray(values, order="C") for name, values in tensors.items()}
    raw = save(whole, metadata={ABOUT: json.dumps(about, sort_keys=True)})
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.part")
    aside.write_bytes(raw)
    aside.replace(path)


def read_tensors(path: Path, most_bytes: int, remedy: str) -> tuple[Tensors, dict[str, Any]]:
    """The tensors and the JSON of a file. Raises ModelError that says what is wrong with it, and the remedy."""
    if not path.is_file():
        raise ModelError(f"{path} is no file. {remedy}")
    size = path.stat().st_size
    if size > most_bytes:
        raise ModelError(f"{path} has {size:,} bytes, and at most {most_bytes:,} are read. {remedy}")
    try:
        tensors, about = _read(path)
    except Exception as error:  # what damaged headers raise is not documented
        raise ModelError(f"{path} cannot be read: {type(error).__name__}: {str(error)[:300]}. {remedy}") from error
    if not isinstance(about, dict):
        raise ModelError(f"{path}: '{ABOUT}' in its metadata must be a JSON object. {remedy}")
    return tensors, about


class Digested(Protocol):
    @property
    def digest(self) -> str: ...


Found = TypeVar("Found", bound=Digested)


def load_checked(path: Path, most_bytes: int, remedy: str, build: Callable[[Tensors, dict[str, Any]], Found]) -> Found:
    """What `build` makes of the tensors and the JSON of a file, if its digest is the one that the JSON names.

    Raises ModelError that names the file, what is wrong with it, and the remedy.
    """
    tensors, about = read_tensors(path, most_bytes, remedy)
    given = about.pop("digest", None)
    try:
        found = build(tensors, about)
    except ValidationError as error:
        first = error.errors()[0]
        where, what = ".".join(map(str, first["loc"])), repr(first["input"])[:200]
        raise ModelError(f"{path}: {where}: {first['msg']} (given: {what}). {remedy}") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    if found.digest != given:
        raise ModelError(f"{path} is damaged: its digest is {found.digest}, and it says {given!r:.60}. {remedy}")
    return found


def _read(path: Path) -> tuple[Tensors, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return tensors, json.loads((file.metadata() or {})[ABOUT])
