"""A folder of files that were made, or happen, to break programs; with what each has to end as."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from PIL import Image

from tests.conftest import picture_bytes
from tests.input_loader.test_images import bomb, save

PNG = picture_bytes()
TAGS = b"1girl, solo, blue_eyes"
MAX_PIXELS = 1_000_000
LONG = "n" * 251
TEN_MB = b"1girl, " * 1_500_000
SQL = "'; DROP TABLE records;--"
ANSI = "\x1b[31mred\x1b[0m"

Outcome = tuple[str, str | None]
"""What an item ends as: its status, and the kind of its first problem."""

OK: Outcome = ("ok", None)

FILES: dict[str, tuple[bytes, Outcome]] = {
    "empty.png": (b"", ("failed", "empty_file")),
    "short.jpg": (picture_bytes("JPEG", (256, 256))[:500], ("failed", "truncated_image")),
    "header-only.png": (PNG[:20], ("failed", "truncated_image")),
    "page.jpg": (b"<html>404 not found</html>", ("failed", "not_an_image")),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ("failed", "not_an_image")),
    "wrong-ending.jpg": (PNG, OK),
    "UPPER.JPEG": (picture_bytes("JPEG"), OK),
    "bomb.png": (bomb(60_000, 60_000), ("failed", "image_too_large")),
    "bomb-within-pillow.png": (bomb(9_000, 9_000), ("failed", "image_too_large")),
    "smooth.png": (save(Image.new("L", (1_200, 1_200)), "PNG"), ("failed", "image_too_large")),
    "line\nbreak.png": (PNG, OK),
    "tab\tbell\a.png": (PNG, OK),
    f"{ANSI}.png": (PNG, OK),
    f"{ANSI}.jpg": (b"no picture", ("failed", "not_an_image")),
    "to-the-left \u202egnp.png": (PNG, OK),
    "c1 \x9b31m.png": (PNG, OK),
    f"{LONG}.png": (PNG, OK),
    "-rf.png": (PNG, OK),
    "--help.png": (PNG, OK),
    "[bold]x.png": (PNG, OK),
    "[bold]broken.png": (b"[/bold]", ("failed", "not_an_image")),
    f"{SQL}.png": (PNG, OK),
    "=1+1.png": (PNG, OK),
    "@SUM(A1).png": (PNG, OK),
    "%s%n{0}.png": (PNG, OK),
    "猫 ü.webp": (picture_bytes("WEBP"), OK),
    "nul.png": (PNG, OK),
    "nul.txt": (b"1girl,\0solo, blue_eyes\0", OK),
    "latin.png": (PNG, OK),
    "latin.txt": (b"caf\xe9, " + TAGS, OK),
    "wide.png": (PNG, OK),
    "wide.txt": (TAGS.decode().encode("utf-16"), OK),
    "big-text.png": (PNG, ("partial", "text_too_large")),
    "big-text.txt": (TEN_MB, ("partial", "text_too_large")),
    "big-alone.txt": (TEN_MB, ("failed", "text_too_large")),
    "alone.txt": (TAGS, OK),
    "blank.txt": (b"", OK),
    "noise.txt": (bytes(range(256)) * 4, OK),
    "escapes.txt": (b"1girl, \x1b[31mblue_eyes\x1b[0m, hat\x1b]0;title\x07", OK),
    "folder-text.png": (PNG, ("partial", "not_a_file")),
    "deep.txt": (b"(" * 100_000, OK),
    "inside.jpg/real.png": (PNG, OK),
}

OTHERS: dict[str, Outcome] = {
    "inside.jpg": ("failed", "not_a_file"),
    "dangling.png": ("failed", "not_found"),
    "loop-a.png": ("failed", "not_found"),
    "loop-b.png": ("failed", "not_found"),
    "pipe.png": ("failed", "not_a_file"),
    "pipe-alone.txt": ("failed", "not_a_file"),
    "pipe-text.png": ("partial", "not_a_file"),
    "socket.png": ("failed", "not_a_file"),
    "device.png": ("failed", "not_a_file"),
    "odd\\xff\\xfe.png": OK,
}


def build(folder: Path) -> dict[str, Outcome]:
    """Make the folder. Returns what each of its items has to end as."""
    for name, (raw, _) in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)
    (folder / "folder-text.txt").mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/odd\xff\xfe.png")).write_bytes(PNG)
    for name, target in (("dangling", "nowhere"), ("loop-a", "loop-b.png"), ("loop-b", "loop-a.png")):
        (folder / f"{name}.png").symlink_to(target)
    (folder / "round").symlink_to(folder)
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "pipe-text.png").write_bytes(PNG)
    for name in ("pipe.png", "pipe-alone.txt", "pipe-text.txt"):
        os.mkfifo(folder / name)
    bind_socket(folder, "socket.png")
    outcomes = {name: outcome for name, (_, outcome) in FILES.items()} | OTHERS
    sidecars = {f"{Path(name).stem}.txt" for name in outcomes if not name.endswith(".txt")}
    outcomes = {name: outcome for name, outcome in outcomes.items() if name not in sidecars}
    if os.geteuid() != 0:
        (folder / "locked.png").write_bytes(PNG)
        (folder / "locked.png").chmod(0)
        outcomes["locked.png"] = ("failed", "permission_denied")
    return outcomes


def bind_socket(folder: Path, name: str) -> None:
    """Leave a socket behind. The path of a socket must be short, so it is bound from within the folder."""
    before = Path.cwd()
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(name)
    os.chdir(before)
