"""What a model knows: the region of the embeddings and appearances of pictures like those that it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from character_pipeline.extractors.picture_quality import QualityReader, appearance
from character_pipeline.models.domain import INSIDE
from character_pipeline.training.corpus import STORED, Corpus

Numbers = NDArray[np.float64]
RIDGE = 0.05
"""Of the variance, added to every direction, so that those without variance do not decide what is familiar."""
EACH = 1200
"""Labelled pictures, and drawn ones: what is seldom among those that were trained on is known, too."""
AT_ONCE = 200


def write_domain(path: Path, corpus: Corpus, embed: Callable[[Corpus], Numbers]) -> None:
    """The region of pictures as they are and as training changes them (Mahalanobis distance: Lee et al., 2018).

    Embeddings alone do not tell noise and pages from characters: a small network sends all that it never met to the
    middle. Looks alone do not tell stripes and checkerboards. Each counts by how far its own pictures lie apart.
    """
    from safetensors.numpy import save_file

    even = _evenly(corpus)
    known = Corpus.join([even, worn(even)])
    pictures = [Image.fromarray(pixels) for pixels in known.pixels]
    parts = embed(known), appearance(QualityReader().read(pictures))
    means, sizes = [part.mean(axis=0) for part in parts], [part.shape[1] for part in parts]
    whiten = np.zeros((sum(sizes), sum(sizes)))
    for part, place in zip(parts, (slice(0, sizes[0]), slice(sizes[0], None)), strict=True):
        whiten[place, place] = whitening(part)
    mean = np.concatenate(means)
    distances = np.sort(np.linalg.norm((np.concatenate(parts, axis=1) - mean) @ whiten, axis=1))
    tensors = {"mean": mean, "whiten": whiten, "distances": distances}
    save_file({name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}, path)


def _evenly(corpus: Corpus) -> Corpus:
    """EACH labelled pictures and EACH drawn ones, as many of every style; where too few are there, some again.

    By style alone, many sets of heads would make whole figures strange.
    """
    labelled = np.array(["labelled" in line for line in corpus.lines])
    styles = np.array([line["style"] for line in corpus.lines])
    rows: list[NDArray[np.int64]] = []
    for kind in (labelled, ~labelled):
        every = sorted(set(styles[kind]))
        rows += [np.resize(np.flatnonzero(kind & (styles == style)), EACH // len(every)) for style in every]
    return corpus.take(np.concatenate(rows))


def whitening(rows: Numbers) -> Numbers:
    """The matrix after which INSIDE of the rows lie within 1 of their mean."""
    scale = 1 / np.maximum(rows.std(axis=0), 1e-6)
    centred = (rows - rows.mean(axis=0)) * scale
    values, vectors = np.linalg.eigh(np.cov(centred.T) + np.eye(len(scale)) * RIDGE)
    whiten = vectors @ np.diag(values**-0.5) @ vectors.T
    found: Numbers = scale[:, None] * whiten / np.quantile(np.linalg.norm(centred @ whiten, axis=1), INSIDE)
    return found


def worn(corpus: Corpus) -> Corpus:
    """The pictures with other cuts, lines and surfaces, the same every time."""
    import torch

    from character_pipeline.training.augment import distort

    generator = torch.Generator().manual_seed(0)
    pixels = torch.from_numpy(corpus.pixels).permute(0, 3, 1, 2)
    changed = [
        distort(pixels[at : at + AT_ONCE].float() / 255, STORED, generator) for at in range(0, len(pixels), AT_ONCE)
    ]
    whole = (torch.cat(changed) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return Corpus(whole, np.zeros_like(corpus.regions), corpus.lines)
