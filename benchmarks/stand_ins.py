"""Readers and a stage with made-up weights, which need nothing but numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from character_pipeline import Evidence, Item
from character_pipeline.extractors.base import Need, PictureReader
from character_pipeline.vocabulary import load_vocabulary

WIDTH, LAYERS, SIDE, OUT = 768, 12, 224, 512
PROMPTS = 200


class NumpyReader:
    """The matrices of ViT-B/32, without attention, on numpy."""

    size = OUT
    threads = 0
    least_side = SIDE

    def __init__(self, layers: int = LAYERS) -> None:
        self.key = f"numpy-{LAYERS}"  # the quick one with fewer layers fills the cache of the other
        self.layers = layers
        self._weights: list[NDArray[np.float32]] = []

    def prepare(self, picture: Image.Image) -> Image.Image:
        return picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)

    def _load(self) -> list[NDArray[np.float32]]:
        if not self._weights:
            chooser = np.random.default_rng(0)
            shapes = [(3072, WIDTH), *[(WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 3072), (3072, WIDTH)] * self.layers]
            self._weights = [chooser.standard_normal(s, np.float32) / np.float32(s[0] ** 0.5) for s in shapes]
        return self._weights

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(self.threads or None):
            pixels = np.stack([np.asarray(picture, np.float32) for picture in pictures])
            return self._embed(pixels / np.float32(255))

    def _embed(self, pixels: NDArray[np.float32]) -> NDArray[np.float16]:
        first, *rest = self._load()
        patches = pixels.reshape(-1, 7, 32, 7, 32, 3).swapaxes(2, 3).reshape(-1, 3072)
        tokens = patches @ first
        for layer in range(self.layers):
            mix, project, widen, narrow = rest[layer * 4 : layer * 4 + 4]
            tokens = np.tanh(tokens + (tokens @ mix)[:, :WIDTH] @ project)
            tokens += np.maximum(tokens @ widen, 0) @ narrow
        found: NDArray[np.float16] = tokens.reshape(len(pixels), -1, WIDTH).mean(axis=1)[:, :OUT].astype(np.float16)
        return found

    def describe(self) -> str:
        return f"numpy stand-in on cpu, {self.threads} threads"


class Scorer:
    """Scores made-up prompts and claims the best of each group, as an analyzer does."""

    name = "scorer"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(self, reader: PictureReader, least: float = 0.0) -> None:
        self.version = f"1-{least}"
        self.readers: Sequence[PictureReader] = [reader]
        self._prompts = np.zeros(0, np.float32)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        if not self._prompts.size:
            self._prompts = np.random.default_rng(1).standard_normal((self.readers[0].size, PROMPTS), np.float32)
        vectors = np.stack([item.readings[self.readers[0].key] for item in batch]).astype(np.float32)
        scores = vectors @ self._prompts
        return [self._claim(row) for row in scores]

    def _claim(self, scores: NDArray[np.float32]) -> tuple[Evidence, ...]:
        claims, start = [], 0
        for key, attribute in load_vocabulary().attributes.items():
            part = scores[start : start + len(attribute.values)]
            start += len(attribute.values)
            if part.size and not attribute.many:
                value = attribute.values[int(part.argmax())]
                claims.append(Evidence(key, value, 0.7, f"{self.name}/{self.version}", "picture"))
        return tuple(claims)


class Filler:
    """Stands for a reader while the cache is filled: the same key, made-up vectors."""

    def __init__(self, key: str, size: int, least_side: int = SIDE) -> None:
        self.key, self.size, self.least_side = key, size, least_side

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        seeds = [hash(picture.getpixel((0, 0))) & 0xFFFF for picture in pictures]
        return np.stack([np.random.default_rng(s).standard_normal(self.size).astype(np.float16) for s in seeds])
