"""Which hashes of pictures are alike, as they are or mirrored: neighbours from an index, judged exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.picture_hash import WAVES, mirrored
from character_pipeline.identity.index_file import open_graph

Hashes = NDArray[np.float16]
Floats32 = NDArray[np.float32]
NEIGHBOURS = 8
"""Of each picture; larger clusters hang together by those of their members."""
AT_ONCE = 8_192
LEAST_LIGHT = 2.0
"""A picture whose light varies less, in steps of CIELAB, has no shapes: any other such picture would be its copy."""


class Pairs(NamedTuple):
    """Pictures that are alike: their places, the first below the second, and how alike they are."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    likeness: Floats32


def shapely(hashes: Hashes) -> NDArray[np.bool_]:
    """Whether a picture has shapes by which it can be told from others."""
    light = hashes[:, : WAVES**2 - 1].astype(np.float32)
    return np.asarray(np.linalg.norm(light, axis=1) >= LEAST_LIGHT)


def unit(hashes: Hashes) -> Floats32:
    """Of length 1; the product of two is their likeness."""
    found = hashes.astype(np.float32)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(length, 1e-6))


def likeness(first: Hashes, second: Hashes) -> Floats32:
    """How alike pictures are, row by row, as they are or with one mirrored."""
    products = unit(first) * unit(second)
    turned = products @ mirrored().astype(np.float32)
    return np.asarray(np.maximum(products.sum(axis=1), turned))


def find_pairs(hashes: Hashes, threshold: float) -> Pairs:
    """The pairs that are at least so much alike. The order of the hashes decides which are found where many are
    alike; the number of processors decides nothing.

    Raises MissingExtraError without usearch.
    """
    parts = [part for part in _neighbours(hashes, threshold) if len(part.first)]
    if not parts:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    first, second, alike = (np.concatenate(column) for column in zip(*parts, strict=True))
    _, once = np.unique(first * len(hashes) + second, return_index=True)
    return Pairs(first[once], second[once], alike[once])


def _neighbours(hashes: Hashes, threshold: float) -> Iterator[Pairs]:
    index = open_graph(hashes.shape[1], metric="ip", dtype="f16", what="finding near copies")
    for start in range(0, len(hashes), AT_ONCE):
        part = _faceless(hashes[start : start + AT_ONCE])
        # One thread: several would put them in by turns, and the index would be another each time.
        index.add(np.arange(start, start + len(part), dtype=np.uint64), part, threads=1)
    for start in range(0, len(hashes), AT_ONCE):
        part = hashes[start : start + AT_ONCE]
        count = min(NEIGHBOURS + 1, len(hashes))
        keys = index.search(_faceless(part), count, threads=0).keys.reshape(len(part), -1).astype(np.int64)
        yield _judged(hashes, start, keys, threshold)


def _judged(hashes: Hashes, start: int, keys: NDArray[np.int64], threshold: float) -> Pairs:
    own = np.repeat(np.arange(start, start + len(keys)), keys.shape[1])
    other = keys.ravel()
    first, second = np.minimum(own, other), np.maximum(own, other)
    known = (first != second) & (first >= 0) & (second < len(hashes))
    first, second = first[known], second[known]
    alike = likeness(hashes[first], hashes[second])
    near = alike >= threshold
    return Pairs(first[near], second[near], alike[near])


def _faceless(hashes: Hashes) -> Hashes:
    """The same for a picture and its mirror image, and never further from another than the hashes themselves: a
    search among these misses no pair."""
    found = unit(hashes)
    odd = mirrored() < 0
    found[:, odd] = np.abs(found[:, odd])
    return found.astype(np.float16)
