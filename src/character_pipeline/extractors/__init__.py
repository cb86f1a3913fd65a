"""Extractors: items in, evidence out. They claim; they never decide."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.config import ClipAnalyzerConfig, PipelineConfig
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.vocabulary import Vocabulary

if TYPE_CHECKING:
    from character_pipeline.models.plan import Plan

ENTRY_POINTS = "character_pipeline.extractors"
"""Other packages offer extractors under this entry-point group: a callable that takes the vocabulary."""


def default_extractors(
    vocabulary: Vocabulary, config: PipelineConfig | None = None, plan: Plan | None = None
) -> list[PipelineStage]:
    """The extractors of the package for a configuration, then those of installed plugins, by name.

    Args:
        plan: the model that looks at pictures, where it is known already: see `find_model`.
    """
    from character_pipeline.extractors.tag_parser import TagParser
    from character_pipeline.extractors.text_parser import TextParser
    from character_pipeline.vocabulary.lexicon import load_lexicon

    lexicon = load_lexicon(vocabulary.folder)
    own: list[PipelineStage] = [TagParser(lexicon), TextParser(vocabulary, lexicon.knows)]
    own += _picture_extractors(vocabulary, config or PipelineConfig(), plan)
    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return own + [point.load()(vocabulary) for point in found]


def find_model(config: PipelineConfig) -> Plan | None:
    """The model that looks at pictures: which, and where it runs. None where nobody asks it. It may have to be fetched,
    so it is found once and handed to every process."""
    if not config.clip_analyzer.enabled:
        return None
    from character_pipeline.models.load import resolve

    return resolve(config.clip_analyzer)


def _model_extractors(vocabulary: Vocabulary, config: ClipAnalyzerConfig, plan: Plan | None) -> list[PipelineStage]:
    """Prompts, and the probes that speak in their stead where there are any: both are asked of the same vectors."""
    from character_pipeline.extractors.clip_analyzer import make_clip_analyzer

    prompts = make_clip_analyzer(vocabulary, config, plan)
    if config.probes is None:
        return [prompts]
    from character_pipeline.extractors.probe_analyzer import make_probe_analyzer

    probes = make_probe_analyzer(vocabulary, Path(config.probes), prompts.reader, config.confidence_threshold)
    return [prompts.leave(probes.claimed), probes]


def _picture_extractors(vocabulary: Vocabulary, config: PipelineConfig, plan: Plan | None) -> list[PipelineStage]:
    """The extractors that look at pictures. None of them loads its model before the first picture comes."""
    chosen: list[PipelineStage] = []
    if config.clip_analyzer.enabled:
        chosen += _model_extractors(vocabulary, config.clip_analyzer, plan)
    if config.picture_analyzers.colors:
        from character_pipeline.extractors.color_analyzer import make_color_analyzer

        chosen.append(make_color_analyzer(vocabulary))
    if chosen or config.picture_analyzers.quality:
        from character_pipeline.extractors.picture_quality import make_picture_quality

        # Also where nobody asks for colours: it tells the others where there is nothing to see.
        chosen.append(make_picture_quality(vocabulary, config.picture_analyzers.quality))
    if chosen and config.picture_analyzers.hash:
        from character_pipeline.extractors.picture_hash import PictureHash

        chosen.append(PictureHash())
    return chosen
