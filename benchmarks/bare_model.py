"""How fast a reader is by itself: what everything around it is compared with."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.base import PictureReader
from character_pipeline.extractors.clip_analyzer import ClipReader
from character_pipeline.input_loader import load_image


@dataclass(frozen=True)
class Speed:
    """Pictures a second, and seconds of all processors a picture."""

    rate: float
    work: float


@contextmanager
def measured(pictures: int) -> Iterator[list[Speed]]:
    """How fast so many pictures are done within."""
    found: list[Speed] = []
    start, worked = time.perf_counter(), sum(os.times()[:4])
    yield found
    rate = pictures / (time.perf_counter() - start)
    found.append(Speed(rate, (sum(os.times()[:4]) - worked) / pictures))


class Stacked:
    """In the place of a model's preprocessing: what comes is prepared already."""

    def __call__(self, tensors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.stack(tensors)


@contextmanager
def ready(reader: PictureReader, pictures: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """What the reader takes meanwhile for these pictures: for a model, the tensors themselves."""
    if not isinstance(reader, ClipReader):
        yield pictures
        return
    encoder: Any = reader.encoder
    plan, prepare = encoder.plan, encoder.plan.checkpoint.preprocessing
    made = {id(view): prepare([view])[0] for views in pictures for view in views}
    encoder.plan = replace(plan, checkpoint=replace(plan.checkpoint, preprocessing=Stacked()))
    try:
        yield [tuple(made[id(view)] for view in views) for views in pictures]
    finally:
        encoder.plan = plan


def measure_bare(reader: PictureReader, folder: Path, count: int) -> Speed:
    """The reader alone, on ready tensors: of as many pictures as it takes at once, again and again."""
    at_once = getattr(reader, "at_once", 32)
    prepare = getattr(reader, "prepare", lambda picture: picture)
    pictures = [prepare(load_image(path).image) for path in islice(sorted(folder.iterdir()), min(count, at_once))]
    times = max(1, round(count / len(pictures)))
    with ready(reader, pictures) as tensors:
        reader.read(tensors)
        with measured(times * len(pictures)) as found:
            for _ in range(times):
                reader.read(tensors)
    return found[0]
