"""What training does to pictures so that a model learns the character and not the drawing: new colours for ground, skin
and hair (with the label), other cuts and proportions, other lines and surfaces. Colours keep their names otherwise."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

GROUND, SKIN, HAIR = 1, 2, 3
"""The regions of a picture that are known, as written in a mask; 0 is anything else."""

Range = tuple[float, float]
HAIR_RANGES: Mapping[str, tuple[tuple[Range, Range, Range], ...]] = {
    # what a hair colour may look like: ranges of hue (degrees), saturation and value
    "Black": (
        ((200, 300), (0, 0.5), (0.03, 0.26)),
        ((0, 40), (0, 0.45), (0.03, 0.2)),
        ((0, 40), (0.4, 0.9), (0.03, 0.16)),
        ((215, 280), (0.4, 0.95), (0.08, 0.3)),
    ),
    "Brown": (
        ((12, 36), (0.35, 0.85), (0.27, 0.62)),
        ((14, 38), (0.7, 0.98), (0.2, 0.4)),
        ((26, 42), (0.25, 0.55), (0.35, 0.6)),
        ((24, 36), (0.7, 0.95), (0.5, 0.68)),
    ),
    "Blonde": (
        ((40, 58), (0.25, 1.0), (0.85, 1.0)),
        ((34, 46), (0.25, 0.6), (0.75, 0.95)),
        ((35, 46), (0.3, 0.6), (0.68, 0.8)),
        ((42, 58), (0.12, 0.3), (0.92, 1.0)),
    ),
    "Red": (
        ((350, 368), (0.6, 0.95), (0.45, 0.95)),
        ((6, 14), (0.7, 0.95), (0.4, 0.8)),
        ((356, 370), (0.75, 1.0), (0.38, 0.6)),
    ),
    "Orange": (((18, 34), (0.7, 1.0), (0.85, 1.0)), ((20, 32), (0.75, 0.95), (0.77, 0.88))),
    "Pink": (((320, 358), (0.2, 0.6), (0.86, 1.0)), ((350, 364), (0.3, 0.45), (0.9, 1.0))),
    "Purple": (((262, 305), (0.3, 0.8), (0.32, 0.85)),),
    "Blue": (
        ((208, 248), (0.5, 1.0), (0.4, 1.0)),
        ((190, 212), (0.35, 1.0), (0.7, 0.98)),
    ),
    "Aqua": (((166, 184), (0.3, 0.9), (0.75, 1.0)),),
    "Green": (
        ((78, 162), (0.35, 0.9), (0.3, 0.85)),
        ((158, 170), (0.6, 0.95), (0.42, 0.62)),
        ((70, 92), (0.4, 0.95), (0.6, 0.9)),
    ),
    "Grey": (((0, 360), (0, 0.09), (0.42, 0.72)), ((200, 270), (0.04, 0.12), (0.4, 0.76))),
    "White": (((0, 360), (0, 0.06), (0.9, 1.0)),),
}
SKIN_RANGES: tuple[tuple[Range, Range, Range], ...] = (
    ((12, 30), (0.12, 0.4), (0.85, 1.0)), ((14, 30), (0.35, 0.6), (0.5, 0.85)), ((12, 26), (0.4, 0.65), (0.22, 0.5)),
    ((12, 48), (0.3, 0.8), (0.9, 1.0)), ((0, 360), (0.2, 0.5), (0.6, 0.95)),
)  # fmt: skip
SKIN_ODDS = (0.42, 0.24, 0.2, 0.08, 0.06)


def random_colour(ranges: Sequence[tuple[Range, Range, Range]], rng: np.random.Generator) -> NDArray[np.float32]:
    """A colour of the ranges, RGB in 0..255."""
    hue, saturation, value = (rng.uniform(*part) for part in ranges[int(rng.integers(len(ranges)))])
    return np.array(colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value), np.float32) * 255


def recolour(
    picture: NDArray[np.uint8], mask: NDArray[np.uint8], hair: str | None, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A picture, (S, S, 3), with another ground and skin, and hair of the given colour (None: as it is)."""
    out = picture.astype(np.float32)
    if rng.random() < 0.7:
        out[mask == GROUND] = _ground(picture.shape[0], rng)[mask == GROUND]
    if rng.random() < 0.6:
        ranges = (SKIN_RANGES[rng.choice(len(SKIN_RANGES), p=SKIN_ODDS)],)
        _tint(out, mask == SKIN, random_colour(ranges, rng))
    if hair is not None:
        _tint(out, mask == HAIR, random_colour(HAIR_RANGES[hair], rng))
    return out.clip(0, 255).astype(np.uint8)


def _tint(picture: NDArray[np.float32], where: NDArray[np.bool_], colour: NDArray[np.float32]) -> None:
    if where.any():
        area = picture[where]
        picture[where] = colour + 0.8 * (area - np.median(area, axis=0))


def _ground(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    kind, colours = rng.random(), rng.uniform(0, 255, (2, 3))
    if rng.random() < 0.5:
        colours = 255 - colours * rng.uniform(0.0, 0.4)
    if kind < 0.6:
        return np.broadcast_to(colours[0], (size, size, 3)).astype(np.float32)
    if kind < 0.8:
        slope = np.linspace(0, 1, size, dtype=np.float32)
        ramp = (slope[:, None] if rng.random() < 0.5 else slope[None, :])[..., None]
        return np.broadcast_to(colours[0] * ramp + colours[1] * (1 - ramp), (size, size, 3)).astype(np.float32)
    cells = int(rng.integers(2, 24))
    noise = rng.uniform(0, 1, (cells, cells, 1)) * (colours[1] - colours[0]) + colours[0]
    whole = np.kron(noise, np.ones((size // cells + 1, size // cells + 1, 1)))
    return whole[:size, :size].astype(np.float32)


def distort(pixels: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """Pictures (N, 3, S, S) in 0..1, each cut, turned, stretched, shaded and redrawn anew: (N, 3, size, size)."""
    pixels = _move(pixels, size, generator)
    pixels = shade(pixels, generator)
    return redraw(pixels, generator).clamp(0, 1)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    import torch

    return torch.rand(count, generator=generator) * (high - low) + low


def _move(pixels: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    import torch
    from torch.nn import functional

    count = len(pixels)
    angle = _uniform(count, -0.17, 0.17, generator)
    zoom = torch.exp(_uniform(count, -0.25, 0.25, generator))
    stretch = torch.exp(_uniform(count, -0.14, 0.14, generator))
    flip = torch.where(_uniform(count, 0, 1, generator) < 0.5, -1.0, 1.0)
    shear = _uniform(count, -0.08, 0.08, generator)
    cos, sin = torch.cos(angle), torch.sin(angle)
    shift = (_uniform(count, -0.12, 0.12, generator), _uniform(count, -0.12, 0.12, generator))
    top = torch.stack([cos * flip * stretch / zoom, (shear - sin) / zoom, shift[0]], dim=1)
    bottom = torch.stack([sin * flip / zoom, cos / stretch / zoom, shift[1]], dim=1)
    grid = functional.affine_grid(torch.stack([top, bottom], dim=1), [count, 3, size, size], align_corners=False)
    return functional.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)


def spread(
    pixels: torch.Tensor, squares: torch.Tensor, size: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (N, 3, S, S) moved and scaled, (N, 3, size, size), and with them their squares.

    A square is x, y, side in shares of the picture, and whether it is there: (N, 4).
    """
    import torch
    from torch.nn import functional

    count = len(pixels)
    scale = torch.exp(_uniform(count, -0.5, 0.6, generator))
    flip = torch.where(_uniform(count, 0, 1, generator) < 0.5, -1.0, 1.0)
    x, y = (_uniform(count, -0.35, 0.35, generator) for _ in range(2))
    nothing = torch.zeros(count)
    theta = torch.stack([torch.stack([flip * scale, nothing, x], 1), torch.stack([nothing, scale, y], 1)], 1)
    grid = functional.affine_grid(theta, [count, 3, size, size], align_corners=False)
    moved = functional.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
    middle = (squares[:, :2] * 2 - 1 - torch.stack([x, y], 1)) / torch.stack([flip * scale, scale], 1)
    inside = (middle.abs() < 0.9).all(1).float()
    placed = torch.cat([(middle + 1) / 2, squares[:, 2:3] / scale[:, None], (squares[:, 3] * inside)[:, None]], 1)
    return moved, placed


def shade(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Light, contrast, saturation, a slight cast and a slight turn of all hues."""
    import torch

    count = len(pixels)
    shape = (count, 1, 1, 1)
    grey = pixels.mean(dim=1, keepdim=True)
    pixels = grey + (pixels - grey) * _uniform(count, 0.7, 1.35, generator).view(shape)
    middle = pixels.mean(dim=(1, 2, 3), keepdim=True)
    pixels = middle + (pixels - middle) * _uniform(count, 0.8, 1.15, generator).view(shape)
    cast = 1 + (torch.rand(count, 3, 1, 1, generator=generator) - 0.5) * 0.12
    return pixels * cast + _uniform(count, -0.07, 0.07, generator).view(shape)


def redraw(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A tenth each: thicker lines, no lines, blurred, coarse pixels, few tones, grain, sharpened."""
    import torch
    from torch.nn import functional

    count, size = len(pixels), pixels.shape[-1]
    pixels = pixels.clamp(0, 1)
    order = torch.randperm(count, generator=generator)
    parts = order.split(max(1, count // 10))  # type: ignore[no-untyped-call]

    def coarse(some: torch.Tensor) -> torch.Tensor:
        cells = int(torch.randint(26, 56, (1,), generator=generator))
        return functional.interpolate(functional.adaptive_avg_pool2d(some, cells), size, mode="nearest")

    def soft(some: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(some, 3, 1, 1, count_include_pad=False)

    changes: tuple[Callable[[torch.Tensor], torch.Tensor], ...] = (
        lambda some: -functional.max_pool2d(-some, 3, 1, 1),
        lambda some: functional.max_pool2d(some, 3, 1, 1),
        soft,
        coarse,
        lambda some: (some * 7).round() / 7,
        lambda some: some + torch.randn(some.shape, generator=generator) * 0.05,
        lambda some: some + 1.2 * (some - soft(some)),
    )
    pixels = pixels.clone()
    for rows, change in zip(parts, changes, strict=False):
        pixels[rows] = change(pixels[rows])
    return pixels
