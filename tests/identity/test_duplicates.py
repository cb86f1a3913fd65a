"""Copies of pictures: found from what a run kept, whatever their order."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from character_pipeline import create_pipeline
from character_pipeline.database.identity import clusters
from character_pipeline.database.store import Store
from character_pipeline.extractors.picture_hash import SIZE, HashReader, mirrored
from character_pipeline.identity.clusters import unite
from character_pipeline.identity.duplicates import find_duplicates
from character_pipeline.identity.likeness import find_pairs, likeness
from character_pipeline.sample import bundled_folder
from tests.cli.test_cli import answer, charpipe

SETTINGS = {"clip_analyzer": {"enabled": False}, "run": {"workers": 1}}
TOML = "[clip_analyzer]\nenabled = false\n"


def make_set(folder: Path) -> Path:
    """Pictures with copies of the first ones: the same file, encoded again and smaller, cut a little and mirrored."""
    folder.mkdir(parents=True)
    files = [path for path in sorted(bundled_folder().glob("*.webp")) if path.stem in WANTED]
    for number, path in enumerate(files):
        (folder / f"{number}.webp").write_bytes(path.read_bytes())
        (folder / f"{number}.txt").write_text("1girl, solo", encoding="utf-8")
    picture = Image.open(files[0]).convert("RGB")
    width, height = picture.size
    (folder / "again.webp").write_bytes(files[0].read_bytes())
    picture.resize((width // 2, height // 2)).save(folder / "small.jpg", quality=60)
    picture.crop((4, 4, width - 2, height - 2)).save(folder / "cut.png")
    other = Image.open(files[1]).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    other.save(folder / "mirrored.png")
    return folder


WANTED = {"0000", "0001", "0002", "0003", "0009", "0021"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("duplicates")
    data = make_set(place / "set")
    path = place / "out" / "character_attributes.db"
    with create_pipeline({**SETTINGS, "database": {"db_path": str(path)}}) as pipeline:
        pipeline.run(data)
    return path


def found_in(path: Path, **more: bool) -> list[set[str]]:
    store = Store(path)
    try:
        find_duplicates(store, **more)
        return [{item_id for item_id, _ in members} for members in clusters(store)]
    finally:
        store.close()


def test_all_kinds_of_copies_are_found_and_nothing_else(database: Path) -> None:
    assert found_in(database) == [{"0.webp", "again.webp", "small.jpg", "cut.png"}, {"1.webp", "mirrored.png"}]
    assert found_in(database, exact=True) == [{"0.webp", "again.webp"}]


def test_the_command_line_finds_shows_and_filters(database: Path) -> None:
    output = database.parent
    said = charpipe("dedupe", output).stdout
    assert "10 pictures: 4 copies in 2 clusters, 1 of them with the same content" in said
    told = answer("dedupe", output)
    assert [group["item_id"] for group in told["groups"]] == ["0.webp", "1.webp"]
    assert [json.loads(line) for line in (output / "duplicates.jsonl").read_text().splitlines()] == told["groups"]
    listed = [json.loads(line)["item_id"] for line in query(output, "duplicate=no").splitlines()]
    assert sorted(listed) == [f"{number}.webp" for number in range(6)]
    copies = [json.loads(line)["item_id"] for line in query(output, "duplicate=yes,status=ok").splitlines()]
    assert sorted(copies) == ["again.webp", "cut.png", "mirrored.png", "small.jpg"]
    assert "unknown duplicate 'maybe'" in charpipe("query", output, "--where", "duplicate=maybe", code=2).stderr


def query(output: Path, where: str) -> str:
    done: subprocess.CompletedProcess[str] = charpipe("query", output, "--where", where, "--json")
    return done.stdout


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    data = make_set(tmp_path / "set")
    (tmp_path / "plain.toml").write_text(f"{TOML}[picture_analyzers]\nhash = false\n", encoding="utf-8")
    output = tmp_path / "out"
    charpipe("extract", data, "--output", output, "--config", tmp_path / "plain.toml", "--quiet")
    assert "charpipe dedupe" in charpipe("query", output, "--where", "duplicate=no", code=2).stderr
    assert "picture_analyzers.hash = true" in charpipe("dedupe", output, code=2).stderr
    assert "1 copies in 1 clusters" in charpipe("dedupe", output, "--exact").stdout
    assert "there is no database" in charpipe("dedupe", tmp_path / "nowhere", code=1).stderr
    assert not (tmp_path / "nowhere").exists()


def test_what_is_quarantined_or_gone_is_no_copy(tmp_path: Path) -> None:
    data = make_set(tmp_path / "set")
    (data / "again.txt").write_text("1girl, loli, sex, nude, rating:explicit", encoding="utf-8")
    path = tmp_path / "out.db"
    with create_pipeline({**SETTINGS, "database": {"db_path": str(path)}}) as pipeline:
        pipeline.run(data)
        assert pipeline.get_statistics()["by_status"]["quarantined"] == 1
    assert found_in(path)[0] == {"0.webp", "small.jpg", "cut.png"}
    (data / "1.webp").unlink()
    (data / "1.txt").unlink()
    with create_pipeline({**SETTINGS, "database": {"db_path": str(path)}}) as pipeline:
        pipeline.run(data)
    store = Store(path, writable=False)
    assert len(list(clusters(store))) == 1, "a cluster that is left with one member is none"
    store.close()
    assert len(found_in(path)) == 1


def test_the_order_of_the_items_decides_nothing(database: Path, tmp_path: Path) -> None:
    lines = [{"id": path.name, "image": str(path)} for path in (database.parents[1] / "set").glob("*.*[gp]")]
    told = []
    for seed in (1, 2):
        random.Random(seed).shuffle(lines)
        manifest = tmp_path / f"{seed}.jsonl"
        manifest.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        path = tmp_path / f"{seed}.db"
        with create_pipeline({**SETTINGS, "database": {"db_path": str(path)}}) as pipeline:
            pipeline.run(manifest)
        store = Store(path)
        find_duplicates(store)
        told.append(list(clusters(store)))
        store.close()
    assert told[0] == told[1] != []


def test_a_database_decided_again_finds_the_hashes_of_the_old_one(database: Path, tmp_path: Path) -> None:
    with create_pipeline({**SETTINGS, "database": {"db_path": str(tmp_path / "new.db")}}) as pipeline:
        pipeline.redecide(database)
    assert found_in(tmp_path / "new.db") == found_in(database)


def test_no_data_is_no_trouble(tmp_path: Path) -> None:
    with create_pipeline({**SETTINGS, "database": {"db_path": str(tmp_path / "new.db")}}) as pipeline:
        assert find_duplicates(pipeline.store).pictures == 0


def test_a_broken_threshold_is_refused(database: Path) -> None:
    assert "--threshold" in charpipe("dedupe", database, "--threshold", "7", code=2).stderr


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_groups_are_those_that_pairs_connect(given: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = given
    groups = unite(count, pairs)
    assert groups == unite(count, [(b, a) for a, b in reversed(pairs)])
    home = {place: number for number, group in enumerate(groups) for place in group}
    assert all(a == b or home[a] == home[b] for a, b in pairs)
    assert sorted(home) == sorted({place for a, b in pairs if a != b for place in (a, b)})


numbers = st.floats(-60, 60, width=16, allow_nan=False)
hashes = arrays.arrays(np.float16, st.tuples(st.integers(2, 12), st.just(SIZE)), elements=numbers)


@given(hashes)
def test_the_index_finds_what_comparing_all_finds(given: np.ndarray[tuple[int, ...], np.dtype[np.float16]]) -> None:
    given = np.unique(given, axis=0)
    found = find_pairs(given, 0.9)
    first, second = np.triu_indices(len(given), 1)
    near = likeness(given[first], given[second]) >= 0.9
    if len(given) <= 9:  # as many neighbours as are asked for
        expected = list(zip(first[near].tolist(), second[near].tolist(), strict=True))
        assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected


@given(st.integers(12, 96), st.integers(12, 96), st.integers(0, 2**32))
def test_a_mirrored_picture_has_the_mirrored_hash(width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    own, other = (HashReader().prepare(one) for one in (picture, turned))
    assert np.isfinite(own).all()
    assert np.allclose(own * mirrored(), other, atol=0.05)
