"""Pictures that show no character, made up at random: noise, gradients, pages, patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Chance = np.random.Generator
Numbers = NDArray[np.float64]
SIDE = 256
WORDS = ("the", "of", "a", "in", "line", "words", "number", "letter", "1984", "and,", "stone", "(see)", "3.14", "run;")


def _picture(pixels: Numbers) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


def uniform_noise(chance: Chance) -> Image.Image:
    return _picture(chance.uniform(0, 255, (SIDE, SIDE, 3)))


def gaussian_noise(chance: Chance) -> Image.Image:
    grain = chance.normal(0, 1, (SIDE, SIDE, chance.choice([1, 3])))
    return _picture(chance.uniform(60, 200, 3) + chance.uniform(15, 80) * grain)


def clouds(chance: Chance) -> Image.Image:
    """Noise with as much of each scale as photographs have: 1 / f."""
    fall = chance.uniform(0.8, 1.6)
    shared = _scaled(chance, fall)
    layers = [0.85 * shared + 0.5 * _scaled(chance, fall) for _ in range(3)]
    return _picture(np.stack(layers, axis=-1) * chance.uniform(25, 60) + chance.uniform(90, 160, 3))


def _scaled(chance: Chance, fall: float) -> Numbers:
    waves = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    waves[0, 0] = 1
    found: Numbers = np.fft.ifft2(np.fft.fft2(chance.normal(size=(SIDE, SIDE))) / waves**fall).real
    found /= found.std()
    return found


def gradient(chance: Chance) -> Image.Image:
    """Linear, or around a point."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    turn = chance.uniform(0, 2 * np.pi)
    along = np.cos(turn) * columns + np.sin(turn) * rows
    if chance.random() < 0.3:
        along = np.hypot(columns - chance.random(), rows - chance.random())
    return _blend(chance, (along - along.min()) / np.ptp(along))


def page(chance: Chance) -> Image.Image:
    """Lines of text, one page in seven white on black."""
    width, height, size = (int(chance.integers(*limits)) for limits in ((200, 700), (200, 900), (9, 26)))
    ink, paper = ("#eee", "#202020") if chance.random() < 0.15 else ("#111", "#f4f2ec")
    picture = Image.new("RGB", (width, height), paper)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for top in np.arange(chance.integers(5, 60), height - size, size * 1.35):
        line = " ".join(chance.choice(WORDS, 60))
        pen.text((size, top), line[: max(4, 2 * (width - 2 * size) // size)], fill=ink, font=font)
    return picture


def checkerboard(chance: Chance) -> Image.Image:
    rows, columns = np.mgrid[:SIDE, :SIDE] // chance.integers(4, 80)
    return _blend(chance, ((rows + columns) % 2).astype(np.float64))


def stripes(chance: Chance) -> Image.Image:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    turn = chance.choice([0, np.pi / 2, chance.uniform(0, np.pi)])
    return _blend(chance, ((np.cos(turn) * columns + np.sin(turn) * rows) // chance.integers(4, 60)) % 2)


def _blend(chance: Chance, share: Numbers) -> Image.Image:
    one, other = chance.uniform(0, 255, (2, 3))
    return _picture(one + share[..., None] * (other - one))


KINDS: Mapping[str, Callable[[Chance], Image.Image]] = {
    "uniform noise": uniform_noise, "gaussian noise": gaussian_noise, "1/f noise": clouds, "gradients": gradient,
    "pages of text": page, "checkerboards": checkerboard, "stripes": stripes,
}  # fmt: skip


def odd_pictures(kind: str, count: int) -> Iterator[Image.Image]:
    """So many of a kind, the same every time."""
    chance = np.random.default_rng(list(kind.encode()))
    return (KINDS[kind](chance) for _ in range(count))
