from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.config import InputLoaderConfig
from character_pipeline.data import Item
from character_pipeline.errors import ConfigError
from character_pipeline.input_loader import load_item, open_source
from tests.conftest import picture_bytes

PNG = picture_bytes()


def items_of(path: Path | str, config: InputLoaderConfig | None = None) -> dict[str, Item]:
    source = open_source(str(path), config)
    entries = list(source.inventory())
    items = list(source.read(entries))
    assert [item.item_id for item in items] == [entry.key for entry in entries]
    assert len({entry.key for entry in entries}) == len(entries)
    return {item.item_id: item for item in items}


def test_folder_pairs_pictures_with_the_text_of_their_stem(tmp_path: Path) -> None:
    for name in ("a.b.JPG", "deep/er/ü 猫.webp", "two.png", "two.jpg", "bare.gif", "full.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PNG)
    for name in ("a.b", "deep/er/ü 猫", "two", "lonely", "full.png"):
        (tmp_path / f"{name}.txt").write_text(name)
    (tmp_path / "notes.md").write_text("no item")
    found = items_of(tmp_path)
    assert {key: item.text for key, item in found.items()} == {
        "a.b.JPG": "a.b",
        "deep/er/ü 猫.webp": "deep/er/ü 猫",
        "two.png": "two",
        "two.jpg": "two",
        "bare.gif": None,
        "lonely.txt": "lonely",
        "full.png": "full.png",
    }
    assert found["lonely.txt"].image is None
    assert found["a.b.JPG"].image == PNG


def test_folder_with_hostile_names_and_links(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    (tmp_path / "x.jpg" / "inside.png").write_bytes(PNG)
    (tmp_path / "dangling.png").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    for raw in (b"line\nbreak.png", b"odd\xff.png", b"odd\\xff.png"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw)).write_bytes(PNG)
    source = open_source(str(tmp_path))
    items = list(source.read(list(source.inventory())))
    kinds = sorted((item.item_id, [problem.kind for problem in item.problems]) for item in items)
    assert kinds == [
        ("dangling.png", ["not_found"]),
        ("line\nbreak.png", []),
        ("odd\\xff.png", []),
        ("odd\\xff.png", []),
        ("x.jpg", ["not_a_file"]),
        ("x.jpg/inside.png", []),
    ]
    assert all(item.image == PNG for item in items if not item.problems)


def test_a_folder_that_changes_while_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    source = open_source(str(tmp_path))
    entries = list(source.inventory())
    (tmp_path / "a.png").unlink()
    assert [problem.kind for problem in next(source.read(entries)).problems] == ["not_found"]


@pytest.mark.parametrize(
    ("raw", "text", "noted"),
    [
        (b"1girl", "1girl", False),
        (b"\xef\xbb\xbf1girl", "1girl", False),
        ("1girl, été".encode("utf-16"), "1girl, été", False),
        (b"caf\xe9", "caf\ufffd", True),
        (b"a\0b", "a b", True),
        (b"", "", False),
    ],
)
def test_encodings(tmp_path: Path, raw: bytes, text: str, noted: bool) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.txt").write_bytes(raw)
    item = items_of(tmp_path)["a.png"]
    assert item.text == text
    assert bool(item.notes) == noted


def test_texts_and_files_have_limits(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.txt").write_bytes(b"x" * 101)
    config = InputLoaderConfig(max_text_bytes=100, max_file_bytes=10)
    kinds = [problem.kind for problem in items_of(tmp_path, config)["a.png"].problems]
    assert kinds == ["file_too_large", "text_too_large"]


def test_stamps_change_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.txt").write_text("one")
    stamps = set()
    for text in ("one", "three"):
        (tmp_path / "a.txt").write_text(text)
        stamps.add(next(open_source(str(tmp_path)).inventory()).stamp)
    assert len(stamps) == 2


def test_jsonl(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(PNG)
    lines = [
        {"id": "x/1", "tags": ["1girl", "solo"], "rating": "e"},
        {"path": "p.png", "caption": "a girl"},
        {"text": "no id"},
        {"other": 1},
        {"image": "missing.png"},
    ]
    broken = ["not json", "[1, 2]", ""]
    path = tmp_path / "m.jsonl"
    path.write_text("\ufeff" + "\n".join([*map(json.dumps, lines), *broken]), encoding="utf-8")
    found = items_of(path)
    assert found["x/1"].text == "1girl, solo ||| rating:explicit"
    assert (found["p.png"].text, found["p.png"].image) == ("a girl", PNG)
    assert found["m.jsonl#3"].text == "no id"
    assert {key: item.problems[0].kind for key, item in found.items() if item.problems} == {
        "m.jsonl#4": "bad_row",
        "missing.png": "not_found",
        "m.jsonl#6": "bad_row",
        "m.jsonl#7": "bad_row",
    }


def test_a_row_changes_with_its_picture(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"path": "p.png"}\n')
    stamps = set()
    for raw in (None, PNG, PNG + b"x"):
        if raw is not None:
            (tmp_path / "p.png").write_bytes(raw)
        stamps.add(next(open_source(str(path)).inventory()).stamp)
    assert len(stamps) == 3


def test_csv_with_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text('id,tags\n1,"1girl, ""x"",\nsolo"\n2,smile\nbroken\n', encoding="utf-8-sig")
    found = items_of(path)
    assert found["1"].text == '1girl, "x",\nsolo'
    assert found["2"].text == "smile"
    assert found["m.csv#3"].problems[0].kind == "bad_row"


def test_text_file_has_one_description_a_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes("first\r\n\r\nsecönd\nthird".encode("utf-16"))
    assert [item.text for item in items_of(path).values()] == ["first", "secönd", "third"]


def test_a_long_line_is_one_failed_row(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "x" * 500}) + "\n" + json.dumps({"id": "b", "text": "y"}) + "\n")
    found = items_of(path, InputLoaderConfig(max_text_bytes=100))
    assert found["m.jsonl#1"].problems[0].kind == "text_too_large"
    assert found["b"].text == "y"


def test_named_columns(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"name": "n1", "said": "1girl", "text": "other"}) + "\n")
    config = InputLoaderConfig(text_field="said", id_field="name")
    assert items_of(path, config)["n1"].text == "1girl"


def make_tar(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, raw in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))


@pytest.mark.parametrize("name", ["set.tar", "set.tgz"])
def test_webdataset_tar(tmp_path: Path, name: str) -> None:
    members = {
        "sub.dir/000.png": PNG,
        "sub.dir/000.txt": b"1girl",
        "001.png": PNG,
        "001.jpg": b"x",
        "001.json": json.dumps({"tag_string": "1boy solo", "rating": "g"}).encode(),
        "002.txt": b"alone",
        "003.cls": b"7",
    }
    make_tar(tmp_path / name, members)
    found = items_of(tmp_path / name)
    assert {key: (item.text, item.image) for key, item in found.items()} == {
        "sub.dir/000.png": ("1girl", PNG),
        "001.png": ("1boy solo ||| rating:general", PNG),
        "001.jpg": ("1boy solo ||| rating:general", b"x"),
        "002.txt": ("alone", None),
    }


def test_shard_pattern_and_a_broken_archive(tmp_path: Path) -> None:
    for number in (0, 1, 2):
        make_tar(tmp_path / f"s-{number:03}.tar", {"a.png": PNG, "a.txt": b"solo"})
    broken = (tmp_path / "s-001.tar").read_bytes()[:700]
    (tmp_path / "s-001.tar").write_bytes(broken)
    for pattern in ("s-{000..002}.tar", "s-*.tar"):
        found = items_of(tmp_path / pattern)
        assert found["s-000/a.png"].text == found["s-002/a.png"].text == "solo"
        assert [p.kind for item in found.values() for p in item.problems] == ["corrupt_file"]


@pytest.mark.parametrize("kind", ["parquet", "arrow stream", "arrow file"])
def test_tables(tmp_path: Path, kind: str) -> None:
    (tmp_path / "side.png").write_bytes(PNG)
    table = pa.table({
        "id": ["a", "b", None, "d"],
        "image": [{"bytes": PNG, "path": "x.png"}, {"bytes": None, "path": "side.png"}, None, {"bytes": PNG}],
        "text": ["1girl", "1boy", None, "solo"],
    })  # fmt: skip
    path = tmp_path / ("t.parquet" if kind == "parquet" else "t.arrow")
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=3)
    else:
        opener = pa.ipc.new_stream if kind == "arrow stream" else pa.ipc.new_file
        with opener(str(path), table.schema) as writer:
            writer.write_table(table)
    found = items_of(path)
    assert (found["a"].text, found["a"].image) == ("1girl", PNG)
    assert (found["b"].text, found["b"].image) == ("1boy", PNG)
    assert found["t." + path.suffix[1:] + "#0.2"].text is None
    assert len(found) == 4


def test_hugging_face_folder(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_dict({"text": ["1girl", "1boy"], "image": [None, None]})
    datasets.DatasetDict({"train": made, "test": made}).save_to_disk(str(tmp_path / "hf"))
    source = open_source(str(tmp_path / "hf"))
    texts = [item.text or "" for item in source.read(list(source.inventory()))]
    assert sorted(texts) == ["1boy", "1boy", "1girl", "1girl"]


def test_fsspec_url(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe({"/set/a.png": PNG, "/set/a.txt": b"1girl", "/set/deep/b.txt": b"solo", "/m.jsonl": b'{"text": "x"}\n'})
    found = items_of("memory://set")
    assert {key: item.text for key, item in found.items()} == {"a.png": "1girl", "deep/b.txt": "solo"}
    assert items_of("memory://m.jsonl")["m.jsonl#1"].text == "x"


def test_single_picture_with_its_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.png").write_bytes(PNG)
    (tmp_path / "a.txt").write_text("1girl")
    assert {key: item.text for key, item in items_of(tmp_path / "a.png").items()} == {"a.png": "1girl"}
    assert load_item(str(tmp_path / "a.txt")).text == "1girl"


@pytest.mark.parametrize("name", ["missing", "thing.xyz"])
def test_what_cannot_be_opened_says_what_is_allowed(tmp_path: Path, name: str) -> None:
    (tmp_path / "thing.xyz").write_text("?")
    with pytest.raises(ConfigError, match=r"Give a folder|Known endings"):
        open_source(str(tmp_path / name))


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(max_size=30), max_size=12))
def test_any_text_comes_back_from_a_manifest(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("m") / "m.jsonl"
    path.write_text("".join(json.dumps({"id": f"{n}", "text": text}) + "\n" for n, text in enumerate(texts)))
    source = open_source(str(path))
    found = [item.text for item in source.read(list(source.inventory()))]
    wanted = [text.replace("\0", " ").encode("utf-8", "replace").decode() for text in texts]
    assert found == wanted
