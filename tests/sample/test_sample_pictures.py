"""Pixels: they show what the truth says, and the noise does what it says."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from character_pipeline.errors import ConfigError, MissingExtraError
from character_pipeline.sample import STYLES, bundled_folder, draw, render, write_samples
from character_pipeline.sample.noise import LEVELS, REGIMES, noisy_picture, noisy_tags
from character_pipeline.sample.palette import HAIR, rgb

SIXTY: dict[str, Any] = {"seed": 19, "size": 384, "formats": ("webp",), "sidecars": "mixed"}


def pixels(picture: Image.Image) -> NDArray[np.int16]:
    return np.asarray(picture.convert("RGB"), dtype=np.int16)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]


def share_of(picture: Image.Image, colour: str) -> float:
    distance = np.abs(pixels(picture) - np.array(rgb(colour))).max(axis=2)
    return float((distance < 26).mean())


@pytest.mark.parametrize("colour", ["Blonde", "Red", "Pink", "Purple", "Green", "Aqua"])
def test_hair_has_its_colour(colour: str) -> None:
    drawings = (draw(seed, "flat") for seed in range(600))
    wanted = (d for d in drawings if d.truth["attributes"].get("Hair Color") == colour and "upper_body" in d.tags)
    shares = [share_of(render(drawing, 128), HAIR[colour]) for drawing in islice(wanted, 3)]
    assert max(shares, default=0) > 0.02, "hair may be short or under a hood, but not always"


def test_monochrome_pictures_have_no_colour() -> None:
    drawing = draw(11, "anime")
    assert drawing.truth["states"]["Hair Color"] == "not_visible"
    image = pixels(render(drawing, 128))
    assert (image.max(axis=2) - image.min(axis=2)).max() <= 2


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", [64, 200])
def test_the_longer_side_has_the_asked_size(style: str, size: int) -> None:
    for seed in (3, 6):
        assert abs(max(render(draw(seed, style), size).size) - size) <= 1


@pytest.mark.parametrize("style", ["anime", "painterly", "sketch"])
def test_rendering_repeats(style: str) -> None:
    drawing = draw(21, style)
    assert render(drawing, 96).tobytes() == render(drawing, 96).tobytes()


def test_without_resvg_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(MissingExtraError, match=r"character-pipeline\[sample\]"):
        render(draw(0))


def test_no_noise_leaves_tags_and_pixels_alone() -> None:
    drawing = draw(30)
    picture = render(drawing, 64)
    assert noisy_tags(drawing.tags, LEVELS["none"], 1) == (drawing.tags, [])
    assert noisy_picture(picture, LEVELS["none"], 1) == (picture, [])


def test_heavy_noise_says_what_it_did() -> None:
    kinds: set[str] = set()
    for seed in range(60):
        tags = draw(seed).tags
        noisy, done = noisy_tags(tags, LEVELS["heavy"], seed)
        kinds |= {entry.split(":")[0] for entry in done}
        dropped = [entry.removeprefix("drop:") for entry in done if entry.startswith("drop:")]
        extra = sum(entry.startswith("conflict") for entry in done)
        assert len(noisy) == len(tags) - len(dropped) + extra
        assert ("spaces" in done) or all(" " not in tag for tag in noisy)
    assert kinds == {"drop", "wrong", "conflict", "spaces"}


def test_more_noise_changes_more_pixels() -> None:
    change = dict.fromkeys(LEVELS, 0.0)
    for seed in range(12):
        clean = render(draw(seed, "flat"), 96)
        for level, noise in LEVELS.items():
            noisy = noisy_picture(clean, noise, seed)[0].resize(clean.size)
            change[level] += float(np.abs(pixels(noisy) - pixels(clean)).mean())
    assert change["none"] == 0 < change["light"] < change["heavy"]


def test_a_data_set_is_pictures_sidecars_and_truth(tmp_path: Path) -> None:
    seen: list[int] = []
    write_samples(tmp_path / "set", 8, seed=3, styles=["flat", "pixel"], size=64, progress=seen.append)
    truth = lines(tmp_path / "set")
    assert seen == list(range(1, 9))
    assert len({line["item_id"] for line in truth}) == 8
    for line in truth:
        path = tmp_path / "set" / line["item_id"]
        Image.open(path).verify()
        assert path.with_suffix(".txt").read_text(encoding="utf-8").strip().split(", ") == line["tags"]
        assert line["style"] in {"flat", "pixel"}
        assert line["noise"] == []


def test_the_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_samples(tmp_path / name, 4, seed=5, noise="heavy", size=64)
    written = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "1 to 1000000"),
        ({"noise": "hevy"}, "Did you mean 'heavy'"),
        ({"styles": ["anim"]}, "Did you mean 'anime'"),
        ({"size": 3}, "64 to 2048"),
        ({"formats": ("gif",)}, "png, jpg, webp"),
        ({"sidecars": "some"}, "tags, mixed"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write_samples(tmp_path, **{"count": 1, **arguments})


def test_the_bundled_set_is_whole_and_small() -> None:
    folder, truth = bundled_folder(), lines(bundled_folder())
    assert len(truth) == 60
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 3_000_000
    assert {line["style"] for line in truth} == set(STYLES)
    assert {line["people"] for line in truth} == {"single", "multiple", "none"}
    for line in truth:
        assert (folder / line["item_id"]).is_file()
    tags = {tag for line in truth for tag in line["tags"]}
    assert {"closed_eyes", "from_behind", "monochrome", "bald", "no_humans"} <= tags
    assert sum(not (folder / line["item_id"]).with_suffix(".txt").exists() for line in truth) == 1


def test_the_bundled_set_is_what_the_command_draws(tmp_path: Path) -> None:
    write_samples(tmp_path, 12, **SIXTY)
    bundled = lines(bundled_folder())[:12]
    assert lines(tmp_path) == bundled
    for line in bundled:
        ours, theirs = (Image.open(folder / line["item_id"]) for folder in (tmp_path, bundled_folder()))
        assert ours.size == theirs.size
        assert float(np.abs(pixels(ours) - pixels(theirs)).mean()) < 2.0


def test_mixed_noise_gives_every_item_a_regime_and_does_what_it_says(tmp_path: Path) -> None:
    write_samples(tmp_path, 60, seed=3, noise="mixed", size=64)
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert {line["regime"] for line in lines} == set(REGIMES)
    done = {
        name: [change.partition(":")[0] for line in lines if line["regime"] == name for change in line["noise"]]
        for name in REGIMES
    }
    assert "wrong" in done["rich picture, wrong tags"]
    assert not {"blur", "jpeg"} & set(done["rich picture, wrong tags"])
    assert done["sparse tags"].count("drop") > 3 * done["clean tags, poor picture"].count("drop")
    assert "conflict" in done["conflicts"]
    assert "blur" in done["clean tags, poor picture"]
