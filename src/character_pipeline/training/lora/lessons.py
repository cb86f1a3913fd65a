"""What a tower learns from: pictures at its own size, and for each prompt what the tags say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, ItemError
from character_pipeline.evaluation.metrics import Flags, Ints
from character_pipeline.input_loader import Entry, ImageOptions, load_image, open_source
from character_pipeline.training.labels import Targets
from character_pipeline.training.probes.tagged import UNLABELLED, Tagged
from character_pipeline.vocabulary import Attribute, Vocabulary
from character_pipeline.vocabulary.prompts import PromptBook, Question

if TYPE_CHECKING:
    from PIL import Image

    from character_pipeline.extractors.clip_analyzer import ClipReader

MOST_PICTURES = 5_000
"""Pictures that are held in memory, at the size of the model."""


@dataclass(frozen=True)
class Lessons:
    """N pictures, each as the views that the model is shown, with their targets and groups."""

    views: Sequence[tuple[Image.Image, ...]]
    targets: Targets
    groups: Ints

    def __len__(self) -> int:
        return len(self.views)

    def take(self, rows: Ints | Flags) -> Self:
        places = np.arange(len(self))[rows]
        return type(self)([self.views[place] for place in places], self.targets.take(places), self.groups[places])


def read_lessons(
    store: Store, tagged: Tagged, reader: ClipReader, book: PromptBook, loader: InputLoaderConfig, data: Path | None
) -> Lessons:
    """The tagged pictures, read again. One that cannot be read, or has changed since, is left out.

    Args:
        data: where the pictures are now; by default where the run found them.

    Raises ConfigError where none is left.
    """
    wanted = {item.item_id: place for place, item in enumerate(tagged.items)}
    rows, views = [], []
    for item in _read(store, wanted.keys(), loader, data):
        place = wanted.get(item.item_id)
        if place is None or item.image is None or item.content_hash != tagged.items[place].content_hash:
            continue
        try:
            picture = load_image(item.image, ImageOptions(loader.max_pixels, 0)).image
        except ItemError:
            continue
        rows.append(place)
        views.append(reader.prepare(picture))
    if not rows:
        where = "where the run found them" if data is None else f"in {data}"
        raise ConfigError(f"none of {len(wanted):,} tagged pictures is {where}, unchanged: say where with --data")
    kept = tagged.take(np.array(rows, dtype=np.int64))
    return Lessons(views, make_targets(kept, store.vocabulary, book), kept.groups)


def _read(store: Store, wanted: Collection[str], loader: InputLoaderConfig, data: Path | None) -> Iterator[Item]:
    if data is not None:
        source = open_source(str(data), loader)
        yield from source.read(list(source.inventory()))
        return
    query = """SELECT s.uri, i.item_id, i.locator FROM items i JOIN sources s ON s.id = i.source
               WHERE i.gone = 0 AND i.problem IS NULL ORDER BY s.uri, i.id"""
    rows = [row for row in store.db.execute(query) if row[1] in wanted]
    for uri, some in groupby(rows, key=lambda row: str(row[0])):
        yield from open_source(uri, loader).read([Entry(item_id, locator, "") for _, item_id, locator in some])


def make_targets(tagged: Tagged, vocabulary: Vocabulary, book: PromptBook) -> Targets:
    """What the tags say of each question of the prompts."""
    choice, each, some = {}, {}, {}
    for key, question in book.questions.items():
        attribute = vocabulary.attributes.get(key)
        if question.ask == "choice":
            choice[key] = _choice(question, attribute, tagged)
        else:
            each[key] = _each(question, attribute, tagged)
            some[key] = np.full(len(tagged), UNLABELLED)
    return Targets(choice, each, some)


def _choice(question: Question, attribute: Attribute | None, tagged: Tagged) -> Ints:
    if attribute is None or attribute.many:
        return np.full(len(tagged), UNLABELLED)
    values = list(question.values)
    places = [values.index(value) if value in question.values else UNLABELLED for value in attribute.values]
    places += [len(values) if question.unsure else UNLABELLED, UNLABELLED]  # the last one is that of UNLABELLED itself
    found: Ints = np.array(places, dtype=np.int64)[tagged.labels[attribute.key]]
    return found


def _each(question: Question, attribute: Attribute | None, tagged: Tagged) -> Ints:
    if attribute is None or not attribute.many:
        return np.full((len(tagged), len(question.values)), UNLABELLED)
    found: Ints = tagged.labels[attribute.key][:, [attribute.order[value] for value in question.values]]
    return found
