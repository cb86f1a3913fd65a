"""Readers on decoded pictures: vectors that are the same whether they are fresh or come from the cache."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from character_pipeline.errors import ItemError
from character_pipeline.extractors.base import PictureReader
from character_pipeline.processing.decode_pool import Decoded
from character_pipeline.processing.meter import Meter
from character_pipeline.processing.stages import Stages
from character_pipeline.processing.work import Work, not_the_items_fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Seen = tuple[Work, Decoded]


def read_pictures(seen: Sequence[Seen], stages: Stages, meter: Meter) -> None:
    """Let each reader read those of these pictures that it has not read before."""
    for key, reader in stages.readers.items():
        missing = [pair for pair in seen if key not in pair[0].item.readings]
        if missing:
            start = time.perf_counter()
            _read(reader, missing, stages.users[key])
            meter.spend(key, time.perf_counter() - start)
            meter.speakers[key] = reader.describe() if hasattr(reader, "describe") else key


def _read(reader: PictureReader, seen: Sequence[Seen], users: Sequence[str]) -> None:
    """Read a batch; if that fails, each picture by itself, so that one picture fails alone."""
    try:
        vectors = _vectors(reader, [_picture(reader.key, decoded) for _, decoded in seen])
    except Exception as error:
        if not_the_items_fault(error):
            raise
        _read_each(reader, seen, users, error)
    else:
        for (work, _), vector in zip(seen, vectors, strict=True):
            _keep(work, reader.key, vector, users)


def _read_each(reader: PictureReader, seen: Sequence[Seen], users: Sequence[str], error: Exception) -> None:
    if len(seen) > 1:
        for pair in seen:
            _read(reader, [pair], users)
        return
    for name in users:
        seen[0][0].fail(name, error)


def introduce(readers: Iterable[PictureReader]) -> None:
    """Let readers say what the user should know of them."""
    for reader in readers:
        if hasattr(reader, "introduce"):
            reader.introduce()


def _picture(key: str, decoded: Decoded) -> Any:
    """What a reader is given of a picture: what it prepared, else the whole."""
    if key in decoded.failures:
        raise decoded.failures[key]
    return decoded.prepared.get(key, decoded.whole)


def _vectors(reader: PictureReader, pictures: Sequence[Any]) -> NDArray[np.float16]:
    """The vectors as they are stored. What is decided must not depend on whether they went through the store."""
    import numpy as np

    with np.errstate(over="ignore"):
        vectors = np.asarray(reader.read(pictures)).astype(np.float16)
    if vectors.shape != (len(pictures), reader.size):
        raise ItemError("extractor_failed", f"vectors of shape {vectors.shape}, not {(len(pictures), reader.size)}")
    return vectors


def _keep(work: Work, key: str, vector: NDArray[np.float16], users: Sequence[str]) -> None:
    import numpy as np

    if not np.isfinite(vector).all():
        for name in users:
            work.fail(name, ItemError("extractor_failed", "the picture's vector has numbers that are none"))
        return
    work.item = replace(work.item, readings={**work.item.readings, key: vector})
    work.fresh[key] = vector.astype("<f2").tobytes()
