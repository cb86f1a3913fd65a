"""What is sent stays in its folder, within its bounds, whatever archives it comes in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.errors import ConfigError
from character_pipeline.web.ui.uploads import Keeper, Sent, keep_uploads, safe_name, safe_place
from tests.conftest import picture_bytes

names = st.one_of(st.text(max_size=300), st.sampled_from(["../../x.png", "/etc/x.txt", "C:\\x.png", "a/./../b.png"]))


def archive(folder: Path, **files: bytes) -> Path:
    path = folder / "sent.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, raw in files.items():
            made.writestr(name, raw)
    return path


def kept(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pictures_texts_and_archives_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture_bytes())
    (tmp_path / "a.txt").write_text("1girl")
    (tmp_path / "notes.exe").write_text("no")
    inside = {"b/c.png": b"c", "b/c.txt": b"text", "b/": b"", "__MACOSX/c.png": b"", ".d.png": b"", "e.py": b""}
    sent = [tmp_path / "a.png", tmp_path / "a.txt", tmp_path / "notes.exe", archive(tmp_path, **inside)]
    folder = keep_uploads(map(str, sent), tmp_path / "kept", 10, 1000)
    assert kept(folder) == {"a.png": picture_bytes(), "a.txt": b"1girl", "b/c.png": b"c", "b/c.txt": b"text"}


@given(names)
def test_nothing_leads_out_of_the_folder(name: str) -> None:
    place = safe_place(name)
    assert all(part not in {"", ".", ".."} and "/" not in part and "\0" not in part for part in place)
    assert all(len(part.encode()) <= 255 for part in place)
    assert safe_name(name)


@pytest.mark.parametrize("name", ["../../up.png", "/abs.png", "..\\..\\up.png"])
def test_members_that_would_leave_are_kept_inside(tmp_path: Path, name: str) -> None:
    folder = keep_uploads([str(archive(tmp_path, **{name: b"x"}))], tmp_path / "kept", 10, 1000)
    assert list(kept(folder).values()) == [b"x"]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, 10, 10)
    for name in ("a.png", "A.png", "a.png"):
        keeper.keep(Sent((name,), io.BytesIO(b"x")))
    assert sorted(kept(tmp_path)) == ["A-2.png", "a-3.png", "a.png"]


def test_bounds(tmp_path: Path) -> None:
    bomb = archive(tmp_path, **{"a.png": bytes(10_000), "b.png": bytes(10_000)})
    folder = keep_uploads([str(bomb)], tmp_path / "kept", 2, 100)
    assert [len(raw) for raw in kept(folder).values()] == [101, 101]
    with pytest.raises(ConfigError, match="at most 1 files"):
        keep_uploads([str(bomb)], tmp_path / "few", 1, 100)
    with pytest.raises(ConfigError, match="GiB"):
        Keeper(tmp_path / "small", 10, 10_000, most_bytes=5_000).keep(Sent(("a.png",), io.BytesIO(bytes(10_000))))
    assert not list((tmp_path / "few").glob("*"))


@given(st.binary(max_size=400))
def test_broken_archives_are_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("broken")
    whole = archive(folder, **{"a.png": b"a" * 300}).read_bytes()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2] + raw + whole[len(whole) // 2 + 20 :])
    try:
        keep_uploads([str(folder / "cut.zip")], folder / "kept", 10, 1000)
    except ConfigError:
        assert not list((folder / "kept").glob("*"))


def test_many_files_of_one_name_take_no_longer_than_others(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, 10, 10)
    free = {keeper._free(tmp_path / "a.txt") for _ in range(5_000)}
    assert len(free) == 5_000
    assert keeper._free(tmp_path / "A-2.txt").name == "A-2-2.txt"
