"""Reads attributes from pictures by what a user's own tags taught: heads on the vectors of `clip_analyzer`'s model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from character_pipeline.data import Evidence, Item
from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.extractors.base import Need, PictureReader
from character_pipeline.extractors.probes import Head, Probes, features, load_probes
from character_pipeline.models.machine import one_blas_thread
from character_pipeline.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from character_pipeline.extractors.clip_analyzer import ClipReader

SCORING_VERSION = "1"
"""Changes whenever the same vectors and probes may give other evidence."""
TRUST = 0.95
"""What is fitted on some pictures holds a little less on others."""
LEAST = 0.01
"""A score that rounds to nothing is no claim, whatever the threshold."""


class ProbeAnalyzer:
    """Claims what the heads say, with their probabilities.

    Args:
        reader: that of `clip_analyzer`; each picture is read once for both.
        threshold: a value with a lower score is not claimed.

    Raises ConfigError where the heads were trained on vectors of another reader.
    """

    name = "probe_analyzer"
    source = "probe_analyzer/1"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(self, probes: Probes, reader: ClipReader, threshold: float = 0.3) -> None:
        _check_model(probes, reader)
        self.probes, self.reader, self.threshold = probes, reader, threshold
        self.readers: Sequence[PictureReader] = (reader,)
        parts = "|".join((SCORING_VERSION, reader.key, probes.digest, repr(threshold)))
        self.version = f"1.{hashlib.blake2b(parts.encode(), digest_size=6).hexdigest()}"

    @property
    def claimed(self) -> frozenset[tuple[str, str]]:
        """The attributes and values that it may claim."""
        heads = (head.about for head in self.probes.heads)
        return frozenset((head.attribute, value) for head in heads for value in head.values)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        """The evidence for each item; none for one that its reader has not read."""
        found: list[list[Evidence]] = [[] for _ in batch]
        read = [place for place, item in enumerate(batch) if self.reader.key in item.readings]
        if read:
            vectors = np.stack([batch[place].readings[self.reader.key] for place in read])
            with one_blas_thread():
                self._claim(vectors, [found[place] for place in read])
        return [tuple(evidence) for evidence in found]

    def _claim(self, vectors: NDArray[np.float16], found: Sequence[list[Evidence]]) -> None:
        """Add to the evidence of each item."""
        shown = features(vectors, self.probes.about.views)
        for head in self.probes.heads:
            chances, told = head.chances(shown)
            scores = np.where(told[:, None], chances * TRUST, 0.0)
            for row, column in zip(*(scores >= max(self.threshold, LEAST)).nonzero(), strict=True):
                found[row].append(_evidence(head, int(column), round(float(scores[row, column]), 2)))


def _evidence(head: Head, column: int, score: float) -> Evidence:
    origin = f"probe: trained on {head.about.tags:,} tags"
    return _shared_evidence(head.about.attribute, head.about.values[column], score, origin)


@lru_cache(maxsize=65_536)
def _shared_evidence(attribute: str, value: str, score: float, origin: str) -> Evidence:
    """Equal claims are one object, so that decisions about them are remembered."""
    return Evidence(attribute, value, score, ProbeAnalyzer.source, origin)


def _check_model(probes: Probes, reader: ClipReader) -> None:
    about = probes.about
    if (about.model, about.size, about.views) == (reader.key, reader.size, len(reader.views)):
        return
    raise ConfigError(
        f"clip_analyzer.probes were trained on vectors of {about.name} ({about.model}), and pictures are read by "
        f"{reader.plan.checkpoint.name} ({reader.key}): set model_name, backend, precision, device and views of "
        "clip_analyzer as they were, or make the probes anew with charpipe train probes"
    )


def _check_values(probes: Probes, vocabulary: Vocabulary, path: Path) -> None:
    """Raises ConfigError where a head speaks of what the vocabulary does not have."""
    for head in (head.about for head in probes.heads):
        attribute = vocabulary.attributes.get(head.attribute)
        if attribute is None:
            raise ConfigError(f"{path}: {unknown_name('attribute', head.attribute, vocabulary.attributes)}")
        if strange := [value for value in head.values if value not in attribute.values]:
            raise ConfigError(f"{path}: {unknown_name(f'value of {attribute.label}', strange[0], attribute.values)}")
        if (head.ask == "each") != attribute.many:
            how = "several values" if attribute.many else "one value"
            raise ConfigError(f"{path}: {attribute.label} has {how}, and its head was trained otherwise: train it anew")


def make_probe_analyzer(vocabulary: Vocabulary, path: Path, reader: ClipReader, threshold: float) -> ProbeAnalyzer:
    """The analyzer of a file. Raises ConfigError where it is damaged, or fits neither the model nor the vocabulary."""
    probes = load_probes(path)
    _check_values(probes, vocabulary, path)
    return ProbeAnalyzer(probes, reader, threshold)
