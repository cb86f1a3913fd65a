"""The heart of the pipeline: items in, results out. Pure: the same items give the same results, in any batches."""

from character_pipeline.processing.flow import process_items
from character_pipeline.processing.meter import Meter
from character_pipeline.processing.reading import introduce
from character_pipeline.processing.stages import Stages

__all__ = ["Meter", "Stages", "introduce", "process_items"]
