"""Words find what a look at every text finds, whatever is typed, and the index follows the database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline import create_pipeline
from character_pipeline.database.queries import Filter, count_results, find_results, parse_filter
from character_pipeline.database.search import ENDING, MOST_WORDS, TextIndex, add_text, parse_words
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, StoreError
from tests.cli.test_cli import charpipe

SETTINGS = {"clip_analyzer": {"enabled": False}, "run": {"workers": 1}}
TEXTS = (
    "1girl, solo, blue_eyes, school_uniform, long_hair",
    "1girl, solo, blue eyes, hat, very_long_hair",
    "A girl with blue eyes in a school uniform.",
    "1boy, solo, red_eyes, alice_(wonderland), Größe",
    "1girl, solo, blue_eyes, loli, sex, nude, rating:explicit",
)


def extract(path: Path, manifest: Path) -> None:
    with create_pipeline({**SETTINGS, "database": {"db_path": str(path)}}) as pipeline:
        pipeline.run(manifest)


@pytest.fixture
def path(tmp_path: Path, make_manifest: Callable[[Iterable[str]], Path]) -> Path:
    extract(tmp_path / "x.db", make_manifest(TEXTS))
    return tmp_path / "x.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path, writable=False)
    yield opened
    opened.close()


def search(store: Store, text: str, where: str | None = None) -> list[int]:
    found = parse_filter(store, where)
    add_text(store, found, text)
    assert count_results(store, found) == len(list(find_results(store, found)))
    return [int(result.item_id[-1]) for result in find_results(store, found)]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("blue_eyes", [0, 1, 2]),
        ("BLUE_EYES, school", [0, 2]),
        ("school_uniform", [0, 2]),
        ("long_hair", [0]),
        ("hair", [0, 1]),
        ("uni*", [0, 2]),
        ("very_lo*", [1]),
        ("blue_eyes -hat", [0, 2]),
        ("-blue_eyes", [3]),
        ("-blue_eyes -solo", []),
        ("alice_(wonderland)", [3]),
        ("grosse größe", []),
        ("GRÖSSE*", []),
        ("größe", [3]),
        ('1girl" OR "1boy', []),
        ("blue OR eyes", []),
        ("text:blue", []),
        ("nothing_such", []),
    ],
)
def test_words_find_items(store: Store, text: str, items: list[int]) -> None:
    assert search(store, text) == items


def test_words_go_together_with_other_filters(store: Store) -> None:
    assert search(store, "blue_eyes", "accessories=Hat") == [1]
    assert search(store, "solo", "gender=Male") == [3]


@pytest.mark.parametrize(
    "text", ["", "  ", '"', "*", "-", "- *", "_", "\0", "a " * (MOST_WORDS + 1), "x" * 2_000, "hat -a*"]
)
def test_what_is_no_search_is_refused(store: Store, text: str) -> None:
    with pytest.raises(ConfigError, match=r"a search (is made of|has at most)|beginning of a word"):
        add_text(store, Filter(), text)


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    place = tmp_path_factory.mktemp("search")
    (place / "a.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    extract(place / "x.db", place / "a.txt")
    with closing(Store(place / "x.db", writable=False)) as opened:
        yield opened


@given(st.text(max_size=60))
def test_whatever_is_typed_finds_items_or_is_refused(one_store: Store, text: str) -> None:
    try:
        wanted, unwanted = parse_words(text)
    except ConfigError:
        return
    with closing(TextIndex(one_store)) as index:
        assert index.find(wanted, unwanted).shape == (1, 512)


@given(
    st.lists(
        st.sampled_from(["solo", "1girl", "hat", "eyes", "school", "-solo", "-hat", "-red"]),
        min_size=1,
        max_size=MOST_WORDS,
    )
)
def test_plain_words_find_what_a_look_at_every_text_finds(one_store: Store, words: list[str]) -> None:
    found = Filter()
    add_text(one_store, found, " ".join(words))
    rows = one_store.db.execute("SELECT d.text FROM details d JOIN records r ON r.item = d.item WHERE r.status <> 4")
    asked: Mapping[str, bool] = {word.lstrip("-"): not word.startswith("-") for word in words}
    clash = {word.lstrip("-") for word in words if word.startswith("-")} & set(words)
    expected = sum(
        not clash and all((word in re.split(r"\W+|_", text.lower())) is there for word, there in asked.items())
        for (text,) in rows
    )
    assert count_results(one_store, found) == expected


def test_the_index_follows_the_database(
    path: Path, store: Store, make_manifest: Callable[[Iterable[str]], Path]
) -> None:
    assert search(store, "hat") == [1]
    assert search(store, "solo") == [0, 1, 3]
    extract(path, make_manifest(["1girl, solo, hat", *TEXTS[1:4], TEXTS[4][:24], "1girl, hat"]))
    assert search(store, "hat") == [0, 1, 5]
    assert search(store, "blue_eyes") == [1, 2, 4]
    with closing(TextIndex(store)) as index:
        assert index.update() == 0
    store.close()
    path.unlink()
    extract(path, make_manifest(["1boy, cape"]))
    with closing(Store(path, writable=False)) as other:
        assert search(other, "cape") == [0]
        assert search(other, "-hat") == [0]


def test_many_may_ask_at_once(path: Path) -> None:
    def ask(number: int) -> list[int]:
        with closing(Store(path, writable=False)) as store:
            return search(store, "blue_eyes")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [[0, 1, 2]] * 8


def test_a_kill_loses_little(store: Store) -> None:
    def kill(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with closing(TextIndex(store)) as index, pytest.raises(KeyboardInterrupt):
        index.update(kill)
    with closing(TextIndex(store)) as index:
        assert index.update() == 0
    assert search(store, "blue_eyes") == [0, 1, 2]


def test_texts_in_quarantine_are_not_in_the_index(path: Path, store: Store) -> None:
    search(store, "solo")
    assert store.db.execute("SELECT status FROM records WHERE item = 5").fetchone() == (4,)
    with closing(sqlite3.connect(f"{path}{ENDING}")) as db:
        assert db.execute("SELECT count(*) FROM texts WHERE texts MATCH 'nude'").fetchone() == (0,)


@pytest.mark.parametrize("content", [b"", b"no database" * 1_000])
def test_a_file_that_is_no_index_is_made_anew(path: Path, store: Store, content: bytes) -> None:
    Path(f"{path}{ENDING}").write_bytes(content)
    assert search(store, "hat") == [1]


def test_an_index_that_cannot_be_used_is_named(path: Path, store: Store) -> None:
    Path(f"{path}{ENDING}").mkdir()
    with pytest.raises(StoreError, match="the index of texts cannot be used"):
        search(store, "hat")


def test_a_server_has_no_index(new_schema: Callable[[], str], make_manifest: Callable[[Iterable[str]], Path]) -> None:
    address = new_schema()
    with create_pipeline({**SETTINGS, "database": {"db_path": address}}) as pipeline:
        pipeline.run(make_manifest(TEXTS))
        with pytest.raises(ConfigError, match="needs a database that is a file"):
            add_text(pipeline.store, Filter(), "hat")


def test_the_command(path: Path) -> None:
    assert "item-00001" in charpipe("query", path, "--text", "hat -school").stdout
    assert "made of words" in charpipe("query", path, "--text", "*", code=2).stderr
