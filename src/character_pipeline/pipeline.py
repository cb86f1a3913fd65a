"""The public face: wires the stages, describes single items, runs data sets."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from character_pipeline.benchmark import benchmark
from character_pipeline.config import PipelineConfig, is_server, load_config, without_password
from character_pipeline.data import CharacterAttributes, Item
from character_pipeline.database import queries
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, ItemError
from character_pipeline.extractors import default_extractors, find_model
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.input_loader import Source, load_image
from character_pipeline.input_loader.base import ItemBuilder
from character_pipeline.input_loader.images import read_file
from character_pipeline.processing import Meter, Stages, introduce, process_items
from character_pipeline.processing.deciding import find_policy
from character_pipeline.results import Results
from character_pipeline.runs.engine import Engine, LocalEngine
from character_pipeline.runs.jobs import work_part
from character_pipeline.runs.run import Progress, Run, RunRequest, RunSummary
from character_pipeline.runs.shards import StagesFactory
from character_pipeline.runs.stored import open_stored
from character_pipeline.vocabulary import DATA, load_vocabulary

if TYPE_CHECKING:
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


class Wiring:
    """Makes the stages of a pipeline: only once where it lives, so that a model is loaded once. Another process gets
    this without them, and makes its own."""

    def __init__(self, make: StagesFactory) -> None:
        self.make = make

    def __call__(self) -> Stages:
        return self._stages

    @cached_property
    def _stages(self) -> Stages:
        return self.make()

    def __reduce__(self) -> tuple[type[Wiring], tuple[StagesFactory]]:
        return Wiring, (self.make,)


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
        self._make_stages = Wiring(partial(build_stages, config, extractors, add_extractors, plan, find_policy(config)))
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
        engine: Engine | None = None,
        inventory_only: bool = False,
    ) -> RunSummary:
        """As `process_dataset`, but returns what the run did.

        Args:
            engine: where the work is done; by default this machine.
            inventory_only: list the items and cut the shards, and leave them for others to do.
        """
        given = self.config.input_loader.dataset_path if path is None else path
        uris = [given] if isinstance(given, str | Path) else list(given)
        if limit is not None and limit < 1:
            raise ConfigError(f"limit must be at least 1; given: {limit}")
        named = tuple(dict.fromkeys(_absolute(str(uri)) for uri in uris))
        request = self._request(named, limit, retry_failed)
        request = replace(request, engine=engine or LocalEngine(), inventory_only=inventory_only)
        return Run(self.store, request, progress).execute()

    def work(self, part: int, parts: int, shared: str | None = None) -> Iterator[int]:
        """Do each `parts`-th shard that waits in the database, and deliver them for the database to take; yields how
        many items each had. For machines that share a disk and no cluster.

        Raises ConfigError when the shards were planned with other settings.
        """
        with closing(Store(self.config.database.db_path, self.vocabulary, writable=False, frozen=True)) as store:
            yield from work_part(store, self._make_stages, self.stages.fingerprint, part, parts, shared)

    def _request(self, uris: tuple[str, ...], limit: int | None, retry_failed: bool) -> RunRequest:
        return RunRequest(
            uris=uris,
            config=self.config,
            fingerprint=self.stages.fingerprint,
            make_stages=self._make_stages,
            readers=tuple(self.stages.readers.values()),
            limit=limit,
            retry_failed=retry_failed,
        )

    def redecide(
        self, database: str | Path, *, retry_failed: bool = False, progress: Progress | None = None
    ) -> RunSummary:
        """Decide the items of another database again, into this one, by the settings of this pipeline: from their
        texts, and from what was read in their pictures. No file of the data set is opened.

        Raises ConfigError when a reader of these settings has read no picture there, or both databases are the same.
        """
        with closing(Store(database, writable=False)) as old:
            if _same(old.name, without_password(self.config.database.db_path)):
                raise ConfigError(f"{old.name} cannot be decided again into itself: choose another output")
            source = open_stored(old, self.stages.sizes, self.stages.decoding)
        sources = {without_password(source.address): source}
        return self.run_sources(sources, retry_failed=retry_failed, progress=progress)

    def run_sources(
        self,
        sources: Mapping[str, Source],
        *,
        retry_failed: bool = False,
        progress: Progress | None = None,
        fine: bool = True,
        engine: Engine | None = None,
    ) -> RunSummary:
        """As `run`, over sources that are no files, by the names that they have in the database.

        Args:
            fine: cut a small run into small shards, so that its progress is seen.
        """
        request = self._request(tuple(sources), None, retry_failed)
        request = replace(request, sources=sources, fine=fine, engine=engine or LocalEngine())
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
        """Close the database. It is opened again when it is needed."""
        store = self.__dict__.pop("store", None)
        if store is not None:
            store.close()

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


def _same(one: str, other: str) -> bool:
    """Whether two databases are the same one."""
    return one == other or (not (is_server(one) or is_server(other)) and Path(one).resolve() == Path(other).resolve())


def _absolute(uri: str) -> str:
    """One name for one place, whatever folder the program was started in."""
    if "://" in uri or "::" in uri:
        return uri
    path = Path(uri)
    return str(path.resolve() if ".." in path.parts else path.absolute())
