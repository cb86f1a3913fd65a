"""Pages follow one another without a gap, on a file as on a server, and an empty one is no error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from character_pipeline import create_pipeline
from character_pipeline.database.pages import only_of_source, read_page
from character_pipeline.database.queries import Filter, parse_filter
from character_pipeline.database.store import Store

SETTINGS = {"clip_analyzer": {"enabled": False}, "run": {"workers": 1}}
ITEMS = 7


@pytest.fixture
def store(database: str, make_manifest: Callable[[Iterable[str]], Path]) -> Iterator[Store]:
    with create_pipeline({**SETTINGS, "database": {"db_path": database}}) as pipeline:
        pipeline.run(make_manifest(["1girl, solo, red_hair"] * ITEMS))
    opened = Store(database, writable=False)
    yield opened
    opened.close()


def test_pages_have_each_item_once(store: Store) -> None:
    found, after = list[str](), 0
    while True:
        page = read_page(store, Filter(), after, 3)
        found += [result.item_id for result in page.results]
        if page.after is None:
            break
        after = page.after
    assert found == [f"item-{number:05}" for number in range(ITEMS)]


def test_a_page_may_be_empty(store: Store) -> None:
    for found, after in ((parse_filter(store, "hair_color=Blonde"), 0), (Filter(), ITEMS), (Filter(), 2**63 - 1)):
        page = read_page(store, found, after, 3)
        assert (page.results, page.after) == ([], None)


def test_of_an_unknown_source_there_is_nothing(store: Store) -> None:
    found = Filter()
    only_of_source(store, found, "nowhere")
    assert read_page(store, found, 0, 3).results == []
