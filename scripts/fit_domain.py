"""Fits again what a trained model knows, from the pictures that its training held out.

    python scripts/fit_domain.py FOLDER [--avatars TAR ...] [--drawn N] [--seed N]

FOLDER holds a model that `charpipe train embedded` wrote; its domain.safetensors is written anew. With the archives,
the number and the seed of its training, the pictures are the same ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.models.domain import DOMAIN
from character_pipeline.models.load import load_encoder
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.familiar import Numbers, write_domain
from character_pipeline.training.gathering import gather


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--avatars", type=Path, action="append", default=[])
    parser.add_argument("--drawn", type=int, default=16_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    encoder = load_encoder(ClipAnalyzerConfig(model_name=str(asked.folder), device="cpu"))

    def embed(corpus: Corpus) -> Numbers:
        pictures = [Image.fromarray(pixels) for pixels in corpus.pixels]
        parts = [encoder.embed_pictures(pictures[at : at + 32]) for at in range(0, len(pictures), 32)]
        return np.concatenate(parts).astype(np.float64)

    gathered = gather(asked.avatars, asked.drawn, 1, print, training=False)
    write_domain(asked.folder / DOMAIN, gathered.split((), asked.seed).held_out.whole, embed)


if __name__ == "__main__":
    main()
