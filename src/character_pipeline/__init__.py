"""Character pictures and messy tags in, clean and trustworthy attributes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from character_pipeline.config import PipelineConfig
    from character_pipeline.data import AttributeValue, CharacterAttributes, Evidence, ExtractionResult, Item
    from character_pipeline.extractors.base import PipelineStage
    from character_pipeline.pipeline import CharacterPipeline, create_pipeline

__version__ = "0.1.0"

_HOMES = {
    "AttributeValue": "data",
    "CharacterAttributes": "data",
    "CharacterPipeline": "pipeline",
    "Evidence": "data",
    "ExtractionResult": "data",
    "Item": "data",
    "PipelineConfig": "config",
    "PipelineStage": "extractors.base",
    "create_pipeline": "pipeline",
}
__all__ = [
    "AttributeValue",
    "CharacterAttributes",
    "CharacterPipeline",
    "Evidence",
    "ExtractionResult",
    "Item",
    "PipelineConfig",
    "PipelineStage",
    "__version__",
    "create_pipeline",
]


def __getattr__(name: str) -> Any:
    """The public names are imported when they are first used, so that the command line answers at once."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
