"""Everything that turns items into results, wired once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from character_pipeline import __version__
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.config import PipelineConfig
from character_pipeline.extractors.base import PictureReader, PipelineStage, ReadingStage
from character_pipeline.input_loader import ImageOptions
from character_pipeline.processing.deciding import deciding_digest, make_fuser, make_sampler, make_saver
from character_pipeline.processing.prior import make_prior
from character_pipeline.schema import RecordSchema
from character_pipeline.vocabulary import Vocabulary

if TYPE_CHECKING:
    from character_pipeline.rl_optimizer.policy import Policy

DERIVED_VERSION = "3"
"""Changes whenever the same evidence may lead to another record."""


class Stages:
    """Everything that turns items into results, wired once and used for any number of shards.

    Attributes:
        extractors: as they were given.
        text_stages, image_stages, reading_stages: the extractors by what they are run on: texts, decoded pictures,
            and what the readers found in pictures.
        readers: each reader of the reading stages once, by its key.
        users: the names of the stages that need a reader, by its key.
        lookers: the names of the stages that look at pictures.
    """

    def __init__(
        self,
        config: PipelineConfig,
        vocabulary: Vocabulary,
        extractors: Sequence[PipelineStage],
        fuser: Fuser | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.config = config
        self.vocabulary = vocabulary
        self.extractors = tuple(extractors)
        self.text_stages = [stage for stage in extractors if stage.needs <= {"text"}]
        self.image_stages = [stage for stage in extractors if "image" in stage.needs]
        self.reading_stages = [cast("ReadingStage", stage) for stage in extractors if "readings" in stage.needs]
        self.readers: dict[str, PictureReader] = {}
        self.users: dict[str, list[str]] = {}
        for stage in self.reading_stages:
            for reader in stage.readers:
                self.readers.setdefault(reader.key, reader)
                self.users.setdefault(reader.key, []).append(stage.name)
        self.lookers = frozenset(stage.name for stage in [*self.image_stages, *self.reading_stages])
        self.fuser = fuser or make_fuser(config, vocabulary, self.lookers, policy)
        self.saver = make_saver(config, self.fuser)
        self.sampler = make_sampler(config, self.fuser)
        self.prior = make_prior(config.attribute_fusion, vocabulary)
        self.schema = RecordSchema(vocabulary)
        loader = config.input_loader
        self.image_options = ImageOptions(loader.max_pixels, self._draft(loader.jpeg_draft))
        self.fingerprint = fingerprint(config, vocabulary, extractors, list(self.readers), policy)

    def _draft(self, least: int) -> int:
        """The pixels below which no side of a JPEG is decoded, enough for every reader; 0 where one needs all of it."""
        needs = [least, *(getattr(reader, "least_side", 0) for reader in self.readers.values())]
        return max(needs) if all(needs) and not self.image_stages else 0

    @property
    def decoding(self) -> str:
        """Follows the keys of readers where vectors are kept: pictures that are decoded otherwise have others."""
        return f"@jpeg{self.image_options.jpeg_draft}" if self.image_options.jpeg_draft else ""

    @property
    def sizes(self) -> dict[str, int]:
        """The length of the vectors of each reader, by its key."""
        return {key: reader.size for key, reader in self.readers.items()}


def fingerprint(
    config: PipelineConfig,
    vocabulary: Vocabulary,
    extractors: Sequence[PipelineStage],
    readers: Sequence[str] = (),
    policy: Policy | None = None,
) -> str:
    """Names all that decides what a record says: data files, versions, settings, readers."""
    decoding = {"max_pixels", "max_file_bytes", "max_text_bytes", "check_pictures", "jpeg_draft"}
    parts = [
        __version__,
        DERIVED_VERSION,
        vocabulary.digest,
        *sorted(f"{stage.name}/{stage.version}" for stage in extractors),
        *sorted(readers),
        config.attribute_fusion.model_dump_json(),
        deciding_digest(config, vocabulary, policy),
        config.safety.model_dump_json(),
        config.input_loader.model_dump_json(include=decoding),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
