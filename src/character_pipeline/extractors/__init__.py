"""Extractors: items in, evidence out. They claim; they never decide."""

from __future__ import annotations

from importlib.metadata import entry_points

from character_pipeline.config import PipelineConfig
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.vocabulary import Vocabulary

ENTRY_POINTS = "character_pipeline.extractors"
"""Other packages offer extractors under this entry-point group: a callable that takes the vocabulary."""


def default_extractors(vocabulary: Vocabulary, config: PipelineConfig | None = None) -> list[PipelineStage]:
    """The extractors of the package for a configuration, then those of installed plugins, by name."""
    from character_pipeline.extractors.tag_parser import TagParser
    from character_pipeline.extractors.text_parser import TextParser
    from character_pipeline.vocabulary.lexicon import load_lexicon

    lexicon = load_lexicon(vocabulary.folder)
    own: list[PipelineStage] = [TagParser(lexicon), TextParser(vocabulary, lexicon.knows)]
    own += _picture_extractors(vocabulary, config or PipelineConfig())
    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return own + [point.load()(vocabulary) for point in found]


def _picture_extractors(vocabulary: Vocabulary, config: PipelineConfig) -> list[PipelineStage]:
    """The extractors that look at pictures. None of them loads its model before the first picture comes."""
    return []
