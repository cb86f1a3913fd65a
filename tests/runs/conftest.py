"""What several tests of runs begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import picture_bytes

COLORS = ["red", "lime", "blue", (200, 120, 90), (10, 20, 30), "white"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures with and without texts, two of the same content, one broken, one quarantined."""
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(23):
        size = (8 + number % 5, 6)
        (folder / f"{number:02}.png").write_bytes(picture_bytes(color=COLORS[number % len(COLORS)], size=size))
        if number % 3:
            (folder / f"{number:02}.txt").write_text("girl, blonde_hair" if number % 2 else "girl, glasses")
    (folder / "broken.png").write_bytes(picture_bytes(size=(40, 40))[:50])
    (folder / "same.png").write_bytes((folder / "00.png").read_bytes())
    (folder / "zz.png").write_bytes(picture_bytes(size=(30, 30)))
    (folder / "zz.txt").write_text("kid, adult_content")
    return folder
