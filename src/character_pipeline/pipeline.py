"""The public face: wires the stages, describes single items, runs data sets."""

from __future__ import annotations

import io
import logging
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

from character_pipeline.benchmark import benchmark
from character_pipeline.config import PipelineConfig, load_config
from character_pipeline.data import CharacterAttributes, ExtractionResult, Item
from character_pipeline.database import export, queries
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, ItemError, MissingExtraError
from character_pipeline.extractors import default_extractors, find_model
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.input_loader import load_image
from character_pipeline.input_loader.base import ItemBuilder
from character_pipeline.input_loader.images import read_file
from character_pipeline.processing import Meter, Stages, introduce, process_items
from character_pipeline.processing.deciding import find_policy
from character_pipeline.runs.run import Progress, Run, RunRequest, RunSummary
from character_pipeline.vocabulary import DATA, load_vocabulary

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

    from character_pipeline.models.plan import Plan
    from character_pipeline.rl_optimizer.policy import Policy

log = logging.getLogger("character_pipeline")


def build_stages(
    config: PipelineConfig,
    extractors: Sequence[PipelineStage] | None = None,
    add_extractors: Sequence[PipelineStage] = (),
    plan: Plan | None = None,
    policy: Policy | None = None,
) -> Stages:
    """Wire the stages by a configuration, with the usual extractors or those given.

    Args:
        plan: the model that looks at pictures, where it was found before.
        policy: the one that decides, where it was found before.
    """
    vocabulary = load_vocabulary(Path(config.vocabulary.path) if config.vocabulary.path else DATA)
    chosen = default_extractors(vocabulary, config, plan) if extractors is None else extractors
    return Stages(config, vocabulary, [*chosen, *add_extractors], policy=policy)


class CharacterPipeline:
    """Extracts character attributes; made by `create_pipeline`. Close it, or use it as a context manager."""

    def __init__(
        self,
        config: PipelineConfig,
        extractors: Sequence[PipelineStage] | None = None,
        add_extractors: Sequence[PipelineStage] = (),
    ) -> None:
        self.config = config
        plan = find_model(config) if extractors is None else None
        # Found once: another one that is adopted while this runs must not decide a part of the items.
        self._make_stages = partial(build_stages, config, extractors, add_extractors, plan, find_policy(config))
        self.stages = self._make_stages()
        self.vocabulary = self.stages.vocabulary

    @cached_property
    def store(self) -> Store:
        """The database, opened when it is first needed."""
        return Store(self.config.database.db_path, self.vocabulary)

    def extract_from_image(
        self, image: Image.Image | str | Path | bytes, text: str | None = None
    ) -> CharacterAttributes:
        """Describe one picture.

        Args:
            image: a PIL image, the path of a file, or the bytes of one.
            text: tags, a prompt or a description of the picture.

        Never raises for a bad picture: the record's status is "failed" (or "partial", where a text still says
        something) and `errors` says why.
        """
        builder = ItemBuilder("", self.config.input_loader.max_text_bytes)
        builder.add_text(text)
        try:
            builder.image = self._image_bytes(image)
        except ItemError as error:
            builder.fail("image", error)
        return self.extract_item(builder.build())

    def _image_bytes(self, image: Image.Image | str | Path | bytes) -> bytes:
        if isinstance(image, bytes):
            return image
        if isinstance(image, str | Path):
            return read_file(Path(image), self.config.input_loader.max_file_bytes)
        buffer = io.BytesIO()
        load_image(image, self.stages.image_options).image.save(buffer, "PNG")
        return buffer.getvalue()

    def extract_from_text(self, text: str) -> CharacterAttributes:
        """Describe a character from Danbooru tags, a prompt or plain English."""
        builder = ItemBuilder("", self.config.input_loader.max_text_bytes)
        builder.add_text(text)
        return self.extract_item(builder.build())

    def extract_item(self, item: Item) -> CharacterAttributes:
        """Describe one item of any source."""
        meter = Meter()
        found = next(process_items([item], self.stages, meter=meter)).result.attributes
        introduce(reader for key, reader in self.stages.readers.items() if key in meter.speakers)
        return found

    def process_dataset(
        self,
        path: str | Path | Sequence[str | Path] | None = None,
        limit: int | None = None,
        *,
        retry_failed: bool = False,
        progress: Progress | None = None,
    ) -> Results:
        """Run the pipeline over a data set into the database; what is done there already is skipped.

        Args:
            path: a folder, archive, table, manifest, file, shard pattern or fsspec URL, or several; by default
                `config["input_loader"]["dataset_path"]`.
            limit: only the first so many items.
            retry_failed: also try again what failed for a lasting reason.
            progress: is told how the run goes on.

        Returns a lazy view on the results of these items. Raises ConfigError when the data set is not there, and
        KeyboardInterrupt after Ctrl-C; what is done by then is kept, and the next call goes on.
        """
        summary = self.run(path, limit, retry_failed=retry_failed, progress=progress)
        if summary.state == "interrupted":
            raise KeyboardInterrupt
        return Results(self.store, queries.of_run(summary.run, summary.sources))

    def run(
        self,
        path: str | Path | Sequence[str | Path] | None = None,
        limit: int | None = None,
        *,
        retry_failed: bool = False,
        progress: Progress | None = None,
    ) -> RunSummary:
        """As `process_dataset`, but returns what the run did."""
        given = self.config.input_loader.dataset_path if path is None else path
        uris = [given] if isinstance(given, str | Path) else list(given)
        if limit is not None and limit < 1:
            raise ConfigError(f"limit must be at least 1; given: {limit}")
        request = RunRequest(
            uris=tuple(dict.fromkeys(_absolute(str(uri)) for uri in uris)),
            config=self.config,
            fingerprint=self.stages.fingerprint,
            make_stages=self._make_stages,
            readers=tuple(self.stages.readers.values()),
            limit=limit,
            retry_failed=retry_failed,
        )
        return Run(self.store, request, progress).execute()

    def get_statistics(self) -> dict[str, Any]:
        """Counts by status, confidence, timing, attribute distribution and errors by kind, of the whole database."""
        return queries.get_statistics(self.store)

    def benchmark_performance(self, items: int = 2_000, folder: Path | None = None) -> dict[str, Any]:
        """Measure a pipeline with this one's settings on made-up texts, in a temporary database.

        Returns items/s end to end, seconds by stage, success rate, mean confidence, peak memory (MiB), the ratio of
        the time to that of only reading and writing, and the hardware.
        """
        return benchmark(create_pipeline, self.config, items, folder)

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create_pipeline(
    config: Mapping[str, Any] | str | Path | PipelineConfig | None = None,
    *,
    extractors: Sequence[PipelineStage] | None = None,
    add_extractors: Sequence[PipelineStage] = (),
) -> CharacterPipeline:
    """The pipeline for a configuration: a dictionary, the path of a .toml, .yaml or .json file, a PipelineConfig, or
    None for the defaults. `extractors` replaces the usual ones, `add_extractors` come on top of them.

    Raises ConfigError for an unknown key or a wrong value, naming what is allowed.
    """
    return CharacterPipeline(load_config(config), extractors, add_extractors)


@dataclass(frozen=True)
class Results:
    """A lazy view on results in a database, by item id. Quarantined items are not shown."""

    store: Store
    filter: queries.Filter = field(default_factory=queries.Filter)

    def __len__(self) -> int:
        return queries.count_results(self.store, self.filter)

    def __iter__(self) -> Iterator[ExtractionResult]:
        return queries.find_results(self.store, self.filter)

    @overload
    def __getitem__(self, index: int) -> ExtractionResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[ExtractionResult]: ...
    def __getitem__(self, index: int | slice) -> ExtractionResult | list[ExtractionResult]:
        if isinstance(index, slice):
            return self._slice(range(*index.indices(len(self))))
        index = operator.index(index)
        number = index + len(self) if index < 0 else index
        found = queries.result_at(self.store, self.filter, number) if number >= 0 else None
        if found is None:
            raise IndexError(f"result {index} of {len(self)}")
        return found

    def _slice(self, places: range) -> list[ExtractionResult]:
        """The results at some places, read in one pass."""
        if not places:
            return []
        first, last = sorted((places[0], places[-1]))
        found = queries.find_results(self.store, self.filter, limit=last - first + 1, offset=first)
        chosen = list(islice(found, 0, None, abs(places.step)))
        return chosen if places.step > 0 else chosen[::-1]

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with the columns of the Parquet export. Holds everything in memory."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("to_pandas()", "pandas") from error
        return pd.DataFrame(export.parquet_columns(self.store.vocabulary, list(self)))

    def to_parquet(self, path: str | Path) -> int:
        return export.export(self.store, "parquet", Path(path), self.filter)

    def to_jsonl(self, path: str | Path) -> int:
        return export.export(self.store, "jsonl", Path(path), self.filter)

    def to_csv(self, path: str | Path) -> int:
        return export.export(self.store, "csv", Path(path), self.filter)


def _absolute(uri: str) -> str:
    """One name for one place, whatever folder the program was started in."""
    if "://" in uri or "::" in uri:
        return uri
    path = Path(uri)
    return str(path.resolve() if ".." in path.parts else path.absolute())
