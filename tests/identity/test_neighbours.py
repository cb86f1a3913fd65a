"""Similar pictures: what an exact comparison finds, whatever became of the index, and nothing hidden."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from character_pipeline import create_pipeline
from character_pipeline.data import STATUSES, Item
from character_pipeline.database.ledger import hash64
from character_pipeline.database.queries import Filter
from character_pipeline.database.rows import Rows, pack_ranges
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.identity.index_file import read_about, read_index
from character_pipeline.identity.neighbours import ENDING, FEW, Neighbours, embed, find_reader, similar
from character_pipeline.testing import FakeLooker, FakeReader
from character_pipeline.vocabulary import load_vocabulary
from tests.cli.test_cli import charpipe
from tests.conftest import picture_bytes

VOCABULARY = load_vocabulary()
SIZE, ITEMS = 24, FEW + 1_000
READER = "model-1@jpeg384"
COLORS = {"red": (250, 10, 10), "reddish": (230, 40, 30), "green": (10, 250, 10), "blue": (10, 10, 250)}


def drawn(number: int, version: int = 0) -> NDArray[np.float16]:
    """A vector of one of some hundred kinds, and its own."""
    kind, own = (np.random.default_rng(seed).normal(size=SIZE) for seed in ([number % 300], [number, version]))
    return (kind + 0.5 * own).astype(np.float16)


def write(store: Store, shard: int, numbers: range, version: int = 0, status: str = "ok") -> None:
    insert = "INSERT INTO shards(id, run, members, items, state) VALUES (?, 1, ?, ?, 'pending')"
    store.db.execute(insert, (shard, pack_ranges(list(numbers)), len(numbers)))
    rows = Rows(list(numbers))
    for number in numbers:
        digest = hash64(f"{number} {version}").to_bytes(8, "big", signed=True)
        fixed = (number, STATUSES.index(status), 0, 0.5, "f", 1, 1, 0, 0.001, digest, 8, 8, "PNG")
        rows.records.append((*fixed, *[None] * len(store.codes)))
        rows.details.append((number, None, None, "{}", None, None))
        rows.vectors.append((digest, READER, drawn(number, version).astype("<f2").tobytes()))
    store.commit_shard(shard, rows)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("neighbours") / "x.db", VOCABULARY)
    store.begin_run("f", "{}", "{}")
    names = [(f"item {number}",) for number in range(1, ITEMS + 1)]
    store.db.executemany("INSERT INTO items(item_id, source, seen) VALUES (?, 1, 1)", names)
    for shard, first in enumerate(range(1, ITEMS + 1, 1_000), 1):
        write(store, shard, range(first, min(first + 1_000, ITEMS + 1)))
    yield store
    store.close()


def exact(number: int, without: set[int], limit: int = 10) -> list[str]:
    others = [other for other in range(1, ITEMS + 1) if other not in {number, *without}]
    table = np.stack([drawn(other) for other in others]).astype(np.float64)
    vector = drawn(number).astype(np.float64)
    alike = table @ vector / np.linalg.norm(table, axis=1)
    return [f"item {others[place]}" for place in np.argsort(-alike)[:limit]]


def test_the_index_finds_what_an_exact_comparison_finds(full: Store) -> None:
    right = 0
    with closing(Neighbours(full)) as neighbours:
        for number in range(1, 400, 8):
            found = neighbours.similar(f"item {number}", 10)
            assert [alike for _, alike in found] == sorted((alike for _, alike in found), reverse=True)
            right += len({item for item, _ in found} & set(exact(number, set())))
    assert right >= 0.97 * 10 * 50


def test_the_index_is_kept_and_follows(full: Store) -> None:
    path = Path(f"{full.path}{ENDING}")
    similar(full, "item 1")
    about, before = read_about(path), path.read_bytes()
    assert about is not None
    assert (about["reader"], about["size"], about["count"]) == ("model-1", SIZE, ITEMS)
    similar(full, "item 1")
    assert path.read_bytes() == before
    write(full, 100, range(301, 303), version=1)
    with closing(Neighbours(full)) as neighbours:
        assert neighbours.update() == 2
        assert neighbours.near(drawn(301, 1).astype(np.float32), 1) == [("item 301", 1.0)]
        assert neighbours.near(drawn(301).astype(np.float32), 1)[0][0] != "item 301"
    write(full, 101, range(301, 303))


def test_many_may_ask_at_once(full: Store) -> None:
    Path(f"{full.path}{ENDING}").unlink(missing_ok=True)

    def ask(number: int) -> list[tuple[str, float]]:
        with closing(Store(full.path, VOCABULARY, writable=False)) as store:
            return similar(store, "item 5", 5)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert all(one == found[0] for one in found)
    about = read_about(Path(f"{full.path}{ENDING}"))
    assert about is not None
    assert about["count"] == ITEMS


def test_quarantined_and_gone_items_are_not_found(full: Store) -> None:
    hidden, gone = "item 601", "item 901"
    assert {hidden, gone} <= {item for item, _ in similar(full, "item 1", 40)}
    write(full, 102, range(601, 602), status="quarantined")
    full.db.execute("UPDATE items SET gone = 1 WHERE item_id = ?", (gone,))
    assert not {hidden, gone} & {item for item, _ in similar(full, "item 1", 40)}
    with pytest.raises(ConfigError, match="no item"):
        similar(full, hidden)
    write(full, 103, range(601, 602))
    full.db.execute("UPDATE items SET gone = 0")


def test_filters_narrow_what_is_found(full: Store) -> None:
    few, some = Filter(), Filter()
    few.add("i.id BETWEEN 1000 AND 1999")
    some.add("i.id % 2 = 0")
    for found, allowed in ((few, set(range(1000, 2000))), (some, set(range(2, ITEMS + 1, 2)))):
        numbers = [int(item.split()[1]) for item, _ in similar(full, "item 1", 10, found)]
        assert len(numbers) == 10
        assert set(numbers) <= allowed


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: raw[:-5],
    lambda raw: raw[:5_000],
    lambda raw: b"",
    lambda raw: b"x" * 99,
    lambda raw: raw[:1_000] + bytes([raw[1_000] ^ 1]) + raw[1_001:],
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_made_anew(full: Store, damage: Callable[[bytes], bytes]) -> None:
    path, right = Path(f"{full.path}{ENDING}"), similar(full, "item 7")
    path.write_bytes(damage(path.read_bytes()))
    assert read_index(path, SIZE) is None
    assert similar(full, "item 7") == right
    assert read_index(path, SIZE + 1) is None


@pytest.fixture
def colors(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    for name, color in COLORS.items():
        (tmp_path / "set" / f"{name}.png").write_bytes(picture_bytes(color=color))
    (tmp_path / "set" / "alone.txt").write_text("1girl, solo")
    return tmp_path / "set"


def test_few_pictures_are_compared_without_an_index_and_with_one_of_no_database(tmp_path: Path, colors: Path) -> None:
    settings = {"database": {"db_path": str(tmp_path / "x.db")}, "run": {"workers": 1}}
    with create_pipeline(settings, extractors=[FakeLooker(FakeReader("model-1"))]) as pipeline:
        pipeline.run(colors)
        found = similar(pipeline.store, "red.png")
        assert found[0][0] == "reddish.png"
        assert len(found) == 3
        assert not list(tmp_path.glob(f"*{ENDING}"))
        vector = embed(pipeline.stages, Item("", image=picture_bytes(color=(20, 20, 255))), find_reader(pipeline.store))
        assert vector is not None
        with closing(Neighbours(pipeline.store)) as neighbours:
            assert neighbours.near(vector, 1)[0][0] == "blue.png"
        assert embed(pipeline.stages, Item("", image=b"no picture"), find_reader(pipeline.store)) is None
        with pytest.raises(ConfigError, match="was not read"):
            similar(pipeline.store, "alone.txt")
    with (
        create_pipeline(settings, extractors=[FakeLooker(FakeReader("model-2"))]) as other,
        pytest.raises(ConfigError, match="another model"),
    ):
        embed(other.stages, Item("", image=picture_bytes()), find_reader(other.store))


def test_a_database_that_was_decided_from_another_has_the_vectors_of_that(
    tmp_path: Path, colors: Path, database: str
) -> None:
    with create_pipeline(
        {"database": {"db_path": database}}, extractors=[FakeLooker(FakeReader("model-1"))]
    ) as pipeline:
        pipeline.run(colors)
    again = {"database": {"db_path": str(tmp_path / "again.db")}}
    with create_pipeline(again, extractors=[FakeLooker(FakeReader("model-1"))]) as pipeline:
        pipeline.redecide(database)
        assert next(iter(similar(pipeline.store, "red.png")))[0] == "reddish.png"


def test_where_no_model_read_there_is_nothing_to_compare(tmp_path: Path, colors: Path) -> None:
    with create_pipeline({"database": {"db_path": str(tmp_path / "x.db")}}, extractors=[]) as pipeline:
        pipeline.run(colors)
        with pytest.raises(ConfigError, match="no model has read a picture"):
            similar(pipeline.store, "red.png")


def test_the_command(tmp_path: Path) -> None:
    charpipe("extract", "src/character_pipeline/sample/bundled", "--output", tmp_path, "--limit", 12, "--quiet")
    lines = charpipe("query", tmp_path, "--like", "0009.webp", "--limit", 3, "--json").stdout.splitlines()
    found = [json.loads(line) for line in lines]
    assert len(found) == 3
    assert "0009.webp" not in {row["item_id"] for row in found}
    assert [row["Similarity"] for row in found] == sorted((row["Similarity"] for row in found), reverse=True)
    assert "similarity" in charpipe("query", tmp_path, "--like", "0009.webp", "--where", "gender=Female").stdout
    assert "no item" in charpipe("query", tmp_path, "--like", "none", code=2).stderr
