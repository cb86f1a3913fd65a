"""How well pictures that show no character are told from those that the embedded model knows: for each kind, the chance
that one of them is less familiar than a character (AUROC), and how familiar it is on average.

Familiarity is compared with what else could be taken for it: how far a picture's embedding lies from those of known
pictures, or from its fifth neighbour among them, and how far its appearance does. `--avatars` adds labelled archives,
as `charpipe train embedded` takes them, to the characters."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from odd_pictures import KINDS, odd_pictures
from PIL import Image

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.extractors.picture_quality import APPEARANCE, QualityReader, appearance, nothing_to_see
from character_pipeline.models.base import DualEncoder
from character_pipeline.models.domain import read_domain
from character_pipeline.models.load import EMBEDDED, load_encoder
from character_pipeline.sample import STYLES, draw, render
from character_pipeline.training.avatars import avatar_pairs
from character_pipeline.training.familiar import whitening

Numbers = NDArray[np.float64]
Distance = Callable[[Numbers], Numbers]
SEED = 7_000_000_000
CYCLE, SCENE = 24, 14
"""Of so many seeds of the drawer in a row, this one has no people."""
ROW = "{:20} {:>7} {:>9}" + " {:>12}" * 4


@dataclass(frozen=True)
class Read:
    """Rows of pictures: the embedding followed by the appearance; and the share that shows nothing at all."""

    rows: Numbers
    empty: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="pictures of each kind")
    parser.add_argument("--avatars", type=Path, action="append", default=[])
    asked = parser.parse_args()
    encoder = load_encoder(ClipAnalyzerConfig(model_name="embedded", device="cpu"))
    known = {f"drawn, {style}": read(encoder, characters(style, asked.count)) for style in STYLES}
    known |= {f"avatars, {path.stem}": read(encoder, avatars(path, asked.count)) for path in asked.avatars}
    other = {kind: read(encoder, odd_pictures(kind, asked.count)) for kind in KINDS}
    other["drawn scenes"] = read(encoder, scenes(asked.count))
    report(known, other, encoder.size)


def characters(style: str, number: int, size: int = 384) -> Iterator[Image.Image]:
    drawings = (draw(SEED + seed, style) for seed in count())
    return islice((render(one, size) for one in drawings if one.truth["people"] != "none"), number)


def scenes(number: int) -> Iterator[Image.Image]:
    return (render(draw(SEED - SEED % CYCLE + SCENE + CYCLE * place), 384) for place in range(number))


def avatars(path: Path, number: int) -> Iterator[Image.Image]:
    return (Image.fromarray(pixels) for pixels in avatar_pairs(path).whole.pixels[:number])


def read(encoder: DualEncoder, pictures: Iterable[Image.Image]) -> Read:
    reader, rows, empty = QualityReader(), [], []
    waiting = iter(pictures)
    while some := list(islice(waiting, 32)):
        vectors = reader.read(some)
        rows.append(np.concatenate([encoder.embed_pictures(some), appearance(vectors)], axis=1))
        empty += [bool(nothing_to_see(vector)) for vector in vectors]
    return Read(np.concatenate(rows), float(np.mean(empty)))


def report(known: Mapping[str, Read], other: Mapping[str, Read], size: int) -> None:
    """Half of the known pictures fit what is compared with; the other half is judged."""
    domain = read_domain(EMBEDDED, size, len(APPEARANCE))
    assert domain is not None, "the embedded model has a domain"
    fitted = np.concatenate([one.rows[::2] for one in known.values()])
    distances: dict[str, Distance] = {**compared(fitted, size), "shipped": domain.distances}
    characters = np.concatenate([one.rows[1::2] for one in known.values()])
    inside = {name: measure(characters) for name, measure in distances.items()}
    print(ROW.format("", "empty", "familiar", *distances))
    for name, found in {**known, **other}.items():
        chances = [
            f"{auroc(inside[key], measure(found.rows)):.3f}" if name in other else ""
            for key, measure in distances.items()
        ]
        familiar = domain.familiarity(found.rows).mean()
        print(ROW.format(name, f"{found.empty:.0%}", f"{familiar:.2f}", *chances))


def compared(fitted: Numbers, size: int) -> dict[str, Distance]:
    """What else tells how far a picture is from those that are known."""
    embedding, look = fitted[:, :size], fitted[:, size:]
    return {
        "embedding": lambda rows: distance(embedding, rows[:, :size]),
        "neighbours": lambda rows: neighbours(embedding, rows[:, :size]),
        "appearance": lambda rows: distance(look, rows[:, size:]),
    }


def distance(fitted: Numbers, rows: Numbers) -> Numbers:
    found: Numbers = np.linalg.norm((rows - fitted.mean(axis=0)) @ whitening(fitted), axis=1)
    return found


def neighbours(fitted: Numbers, rows: Numbers) -> Numbers:
    """The distance to the fifth neighbour, of embeddings of length 1."""
    products: Numbers = np.sort(rows @ fitted.T, axis=1)
    return -products[:, -5]


def auroc(inside: Numbers, outside: Numbers) -> float:
    """The chance that one outside is farther than one inside; where they are equal, half."""
    below = np.searchsorted(np.sort(inside), outside, side="left")
    upto = np.searchsorted(np.sort(inside), outside, side="right")
    return float((below + upto).mean() / 2 / len(inside))


if __name__ == "__main__":
    main()
