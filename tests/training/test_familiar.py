"""What a model knows: pictures like those of its training, and nothing that only resembles them in numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from character_pipeline.extractors.picture_quality import APPEARANCE, QualityReader, appearance
from character_pipeline.models.domain import DOMAIN, read_domain
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.familiar import worn, write_domain

SIZE = 3


def means(corpus: Corpus) -> NDArray[np.float64]:
    """Stands for an embedding: the mean of each colour."""
    found: NDArray[np.float64] = corpus.pixels.mean(axis=(1, 2)) / 255
    return found


def rows(corpus: Corpus) -> NDArray[np.float64]:
    pictures = [Image.fromarray(pixels) for pixels in corpus.pixels]
    return np.concatenate([means(corpus), appearance(QualityReader().read(pictures))], axis=1)


def test_known_pictures_are_familiar_also_when_worn_and_noise_is_not(drawn: Corpus, tmp_path: Path) -> None:
    write_domain(tmp_path / DOMAIN, drawn, means)
    domain = read_domain(tmp_path, SIZE, len(APPEARANCE))
    assert domain is not None
    assert domain.mean.shape == (SIZE + len(APPEARANCE),)
    assert domain.familiarity(rows(drawn)).mean() > 0.95
    assert domain.familiarity(rows(worn(drawn))).mean() > 0.9
    noise = np.random.default_rng(0).integers(0, 256, drawn.pixels[:8].shape, dtype=np.uint8)
    assert domain.familiarity(rows(Corpus(noise, drawn.regions[:8], drawn.lines[:8]))).max() < 0.5


def test_pictures_are_worn_the_same_every_time(drawn: Corpus) -> None:
    few = drawn.take(np.arange(12))
    assert np.array_equal(worn(few).pixels, worn(few).pixels)
    assert not np.array_equal(worn(few).pixels, few.pixels)


def test_whole_figures_stay_familiar_beside_many_styles_of_labelled_heads(drawn: Corpus, tmp_path: Path) -> None:
    dark = (drawn.pixels // 8).astype(np.uint8)
    lines = [{"style": f"heads {row % 12}", "labelled": {}} for row in range(len(drawn))]
    write_domain(tmp_path / DOMAIN, Corpus.join([drawn, Corpus(dark, drawn.regions, lines)]), means)
    domain = read_domain(tmp_path, SIZE, len(APPEARANCE))
    assert domain is not None
    shade = float(domain.mean[:SIZE].mean())
    figures, heads = (float(pixels.mean()) / 255 for pixels in (drawn.pixels, dark))
    assert 0.4 < (shade - heads) / (figures - heads) < 0.6
