"""Reads attributes from pictures with a dual encoder: every prompt is compared with the picture's vector."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Set
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Self

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.data import STATEMENT, Evidence, Item
from character_pipeline.errors import ItemError
from character_pipeline.extractors.base import Need, PictureReader
from character_pipeline.extractors.head_finder import HeadFinder, head_view
from character_pipeline.extractors.picture_quality import APPEARANCE, QualityReader, appearance
from character_pipeline.models.base import DualEncoder
from character_pipeline.models.domain import Domain, read_domain
from character_pipeline.models.load import open_encoder, resolve, tell
from character_pipeline.models.logits import read_logits
from character_pipeline.models.machine import one_blas_thread
from character_pipeline.models.plan import Plan
from character_pipeline.models.prompt_cache import PromptCache, prompt_cache
from character_pipeline.vocabulary import Vocabulary
from character_pipeline.vocabulary.prompts import PromptBook, load_prompts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from character_pipeline.extractors.prompt_scoring import Asked, ScoreTable

    Prepared = tuple[Image.Image, ...]

SCORING_VERSION = "2"
"""Changes whenever the same vectors and prompts may give other evidence."""
SURE = 0.97
"""A picture states how many people it shows only with this probability; below, it hints."""
HINT = 0.59
LEAST = 0.01
"""A score that rounds to nothing is no claim, whatever the threshold."""
AT_ONCE = 128
"""Pictures that a reader likes to be given at once; a GPU likes a whole batch at least."""

CLOSER = 4
"""A head may be so much smaller than the picture, and is to be shown at the size of the model."""


class ClipReader:
    """Pictures to vectors: those of all views, one behind the other. The key is known at once; the model is loaded when
    the first picture comes.

    Args:
        finder: what finds the head, where the plan has a view of it.

    Raises ModelError where the finder is needed and is not there.
    """

    def __init__(self, plan: Plan, finder: HeadFinder | None = None) -> None:
        self.plan = plan
        self.finder = finder or HeadFinder()
        self.views = plan.views
        self.key = f"{plan.key}-{'-'.join(self.views)}-{self.finder.digest}" if "head" in self.views else plan.key
        self.size = plan.checkpoint.size * len(self.views)
        self.least_side = plan.checkpoint.preprocessing.least_side * (CLOSER if "head" in self.views else 1)
        self.exclusive = plan.device != "cpu"
        self.weight = plan.weight
        self.at_once = max(AT_ONCE, plan.batch_size) if self.exclusive else AT_ONCE

    @property
    def threads(self) -> int:
        """The processors that the model may use: those of the settings, else the share that the run gives it."""
        return self.plan.threads

    @threads.setter
    def threads(self, share: int) -> None:
        if not self.plan.threads:
            self.plan = replace(self.plan, threads=share)

    def prepare(self, picture: Image.Image) -> Prepared:
        """The views of a picture at the size of the model. One that it does not have is the whole once more."""
        fit = self.plan.checkpoint.preprocessing.prepared
        whole = fit(picture)
        if "head" not in self.views:
            return (whole,)
        box = self.finder.find(picture)
        return whole, whole if box is None else fit(head_view(picture, box))

    def describe(self) -> str:
        """What spoke, and where: "charpipe-embedded, int8 on cpu, 2 threads"."""
        # A model that could not be loaded is not tried again just to be named.
        device = self.encoder.device if "encoder" in vars(self) else self.plan.device
        shown = f", shown {' and '.join(self.views)}" if len(self.views) > 1 else ""
        return f"{self.plan.checkpoint.name}, {self.plan.precision} on {device}{shown}"

    def introduce(self) -> None:
        """Say, once, if this is not the model that was asked for."""
        tell(self.plan)

    def read(self, pictures: Sequence[Image.Image | Prepared]) -> NDArray[np.float16]:
        """Shape (pictures, size), each view of length 1. Raises ItemError where a picture gives no numbers."""
        import numpy as np

        prepared = [given if isinstance(given, tuple) else self.prepare(given) for given in pictures]
        found = self._embed([view for views in prepared for view in views])
        if not np.isfinite(found).all():
            raise ItemError("extractor_failed", f"{self.plan.checkpoint.name} gives no finite numbers for a picture")
        return found.astype(np.float16).reshape(len(pictures), self.size)

    def _embed(self, views: Sequence[Image.Image]) -> NDArray[np.float32]:
        """The vector of each view; one that stands for another is not computed twice."""
        distinct = {id(view): view for view in views}
        place = {name: number for number, name in enumerate(distinct)}
        return self.encoder.embed_pictures(list(distinct.values()))[[place[id(view)] for view in views]]

    def embed_texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of length 1, shape (sentences, size)."""
        return self.encoder.embed_texts(sentences)

    @cached_property
    def encoder(self) -> DualEncoder:
        """The model itself."""
        return open_encoder(self.plan)

    def __getstate__(self) -> tuple[Plan, HeadFinder]:
        # A loaded model stays in its process; another process loads its own.
        return self.plan, self.finder

    def __setstate__(self, state: tuple[Plan, HeadFinder]) -> None:
        self.__init__(*state)  # type: ignore[misc]


class ClipAnalyzer:
    """Asks every question of the prompts of every picture's vector.

    Args:
        book: the questions.
        reader: what turns pictures into vectors.
        threshold: a value with a lower score is not claimed.
        prompt_set: "drawn", "photo", or "auto" for what the model was made for.
        cache: where the embeddings of prompts are kept; by default the user's cache folder.
    """

    name = "clip_analyzer"
    source = "clip_analyzer/1"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(
        self,
        book: PromptBook,
        reader: ClipReader,
        threshold: float = 0.3,
        prompt_set: str = "auto",
        cache: PromptCache | None = None,
    ) -> None:
        checkpoint = reader.plan.checkpoint
        self.book = book
        self.reader = reader
        self.quality = QualityReader()
        self.readers: Sequence[PictureReader] = (reader, self.quality)
        self.threshold = threshold
        self.prompt_set = prompt_set if prompt_set != "auto" else checkpoint.manifest.prompt_set or "drawn"
        self._cache = cache
        self.left: Set[tuple[str, str]] = frozenset()
        parts = (
            SCORING_VERSION,
            reader.key,
            self.quality.key,
            self.prompt_set,
            repr(threshold),
            checkpoint.claims_digest,
        )
        self.version = f"1.{hashlib.blake2b('|'.join(parts).encode(), digest_size=6).hexdigest()}"

    def leave(self, pairs: Set[tuple[str, str]]) -> Self:
        """Leave some attributes and values to an analyzer of the same vectors: as two sources that agree, both would be
        taken to err independently of each other."""
        self.left = pairs
        return self

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        """The evidence for each item; none for one that its readers have not read."""
        keys = {reader.key for reader in self.readers}
        places = [place for place, item in enumerate(batch) if keys <= item.readings.keys()]
        found: list[list[Evidence]] = [[] for _ in batch]
        if places and self.table.asked:
            with one_blas_thread():
                self._claim([batch[place] for place in places], [found[place] for place in places])
        return [tuple(evidence) for evidence in found]

    def _claim(self, items: Sequence[Item], found: Sequence[list[Evidence]]) -> None:
        """Add to the evidence of each item."""
        import numpy as np

        from character_pipeline.extractors.prompt_scoring import probabilities

        vectors, seen = (np.stack([item.readings[reader.key] for item in items]) for reader in self.readers)
        logits = self.table.logits(vectors)
        familiar = self._familiarity(vectors, seen)
        least = max(self.threshold, LEAST)
        for asked in self.table.asked:
            chances, told = probabilities(asked, logits)
            scores = chances * asked.trust * familiar[:, None]
            scores[~told] = 0.0
            scores[:, [(asked.attribute, value) in self.left for value in asked.values]] = 0.0
            for row, column in zip(*(scores >= least).nonzero(), strict=True):
                score = _score(asked.attribute, float(scores[row, column]), float(chances[row, column]))
                found[row].append(self._evidence(asked, int(column), score))

    def _evidence(self, asked: Asked, column: int, score: float) -> Evidence:
        origin = f'{self.reader.plan.checkpoint.name}: "{asked.phrases[column]}"'
        return _shared_evidence(asked.attribute, asked.values[column], score, self.source, origin)

    def _familiarity(self, vectors: NDArray[np.float16], seen: NDArray[np.float16]) -> NDArray[np.float64]:
        """How far each whole picture is of the kind that the model was measured on; 1 where that is not known."""
        import numpy as np

        from character_pipeline.extractors.prompt_scoring import unit

        domain = self._domain
        if domain is None:
            return np.ones(len(vectors))
        whole = vectors[:, : self.reader.plan.checkpoint.size]
        return domain.familiarity(np.concatenate([unit(whole), appearance(seen)], axis=1))

    @cached_property
    def _domain(self) -> Domain | None:
        checkpoint = self.reader.plan.checkpoint
        return read_domain(checkpoint.folder, checkpoint.size, len(APPEARANCE))

    @cached_property
    def table(self) -> ScoreTable:
        """All answers; the model reads only the sentences that are not in the cache."""
        from character_pipeline.extractors.prompt_scoring import build_table

        plan = self.reader.plan
        cache = self._cache or prompt_cache(plan)

        def embed(sentences: Sequence[str]) -> NDArray[np.float32]:
            return cache.embed(sentences, self.reader.embed_texts)

        logit = read_logits(plan.checkpoint)
        return build_table(self.book, self.prompt_set, plan.checkpoint.manifest, embed, logit, plan.views)


def _score(attribute: str, score: float, chance: float) -> float:
    """As it is shown. How many people there are decides over the whole record, so that only what is sure is stated."""
    capped = HINT if attribute == "people" and chance < SURE and score >= STATEMENT else score
    return round(min(capped, 1.0), 2)


@lru_cache(maxsize=65_536)
def _shared_evidence(attribute: str, value: str, score: float, source: str, origin: str) -> Evidence:
    """Equal claims are one object, so that decisions about them are remembered."""
    return Evidence(attribute, value, score, source, origin)


def make_clip_analyzer(
    vocabulary: Vocabulary, config: ClipAnalyzerConfig | None = None, plan: Plan | None = None
) -> ClipAnalyzer:
    """The analyzer that the settings describe. Finds the model, which may fetch it, but does not load it.

    Args:
        plan: the model, where it was found before.

    Raises ModelError or MissingExtraError where the model cannot be had, ConfigError on faulty prompts.
    """
    config = config or ClipAnalyzerConfig()
    reader = ClipReader(plan or resolve(config))
    return ClipAnalyzer(load_prompts(vocabulary), reader, config.confidence_threshold, config.prompt_set)
