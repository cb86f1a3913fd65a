"""The model that ships: what it says of pictures that it knows, and of such that it does not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from character_pipeline import create_pipeline
from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.models.domain import read_domain
from character_pipeline.models.load import EMBEDDED, load_encoder
from character_pipeline.sample import bundled_folder

TRUTH = [json.loads(line) for line in (bundled_folder() / "truth.jsonl").read_text().splitlines()]
SINGLE = [bundled_folder() / line["item_id"] for line in TRUTH if line["people"] == "single"]
ONLY = {"clip_analyzer": {"model_name": "embedded"}, "picture_analyzers": {"colors": False, "quality": False}}


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (160, 160, 3), dtype=np.uint8))


def page(seed: int) -> Image.Image:
    picture = Image.new("RGB", (200, 260), "white")
    pen = ImageDraw.Draw(picture)
    for row in range(18):
        pen.text((10, 10 + 13 * row), f"line {row * seed} of a page of words and numbers", fill="black")
    return picture


@pytest.fixture(scope="module")
def familiar() -> dict[str, NDArray[np.float64]]:
    """How familiar pictures are to the model, by kind."""
    encoder = load_encoder(ClipAnalyzerConfig(model_name="embedded"))
    domain = read_domain(EMBEDDED, encoder.size)
    assert domain is not None
    kinds = {
        "characters": [Image.open(path).convert("RGB") for path in SINGLE],
        "noise": [noise(seed) for seed in range(8)],
        "pages": [page(seed) for seed in range(1, 9)],
    }
    return {kind: domain.familiarity(encoder.embed_pictures(pictures)) for kind, pictures in kinds.items()}


@pytest.mark.parametrize("kind", ["noise", "pages"])
def test_what_it_does_not_know_is_less_familiar(familiar: dict[str, NDArray[np.float64]], kind: str) -> None:
    assert np.median(familiar["characters"]) > 0.9
    assert np.median(familiar[kind]) < 0.8 * np.median(familiar["characters"])


def test_a_picture_alone_is_described_by_the_model_that_the_record_names() -> None:
    with create_pipeline(ONLY) as pipeline:
        record = pipeline.extract_from_image(SINGLE[0]).to_detail()
    evidence = [claim for decided in record["attributes"].values() for claim in decided["evidence"]]
    assert evidence
    assert all(claim["source"] == "clip_analyzer/1" for claim in evidence)
    assert all(claim["from"].startswith("charpipe-embedded: ") for claim in evidence)


def test_it_is_right_more_often_than_the_most_frequent_value() -> None:
    answers: dict[str, list[bool]] = {"Hair Color": [], "Gender": []}
    with create_pipeline(ONLY) as pipeline:
        for line in (line for line in TRUTH if line["people"] == "single"):
            record = pipeline.extract_from_image(bundled_folder() / line["item_id"])
            for label, found in answers.items():
                told, true = record.attributes[label].value, line["attributes"].get(label)
                if told is not None and true is not None:
                    found.append(told == true)
    for label, found in answers.items():
        assert len(found) >= 5, label
        assert sum(found) / len(found) > 0.7, label
