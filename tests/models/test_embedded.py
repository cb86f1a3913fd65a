"""The model that ships: what it says of pictures that it knows, and of such that it does not."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from character_pipeline import CharacterPipeline, create_pipeline
from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.extractors.picture_quality import APPEARANCE, QualityReader, appearance
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


def familiarity(pictures: Sequence[Image.Image]) -> NDArray[np.float64]:
    encoder = load_encoder(ClipAnalyzerConfig(model_name="embedded"))
    domain = read_domain(EMBEDDED, encoder.size, len(APPEARANCE))
    assert domain is not None
    return domain.familiarity(
        np.concatenate([encoder.embed_pictures(pictures), appearance(QualityReader().read(pictures))], axis=1)
    )


def surest(pipeline: CharacterPipeline, picture: Image.Image) -> float:
    """The highest score that the model gives to any value of the attributes that it knows best."""
    found = pipeline.extract_from_image(picture).attributes
    claims = [claim for label in ("Hair Color", "Hair Length", "Dress") for claim in found[label].evidence]
    return max((claim.score for claim in claims), default=0.0)


def test_it_is_less_sure_of_what_it_does_not_know() -> None:
    with create_pipeline(ONLY) as pipeline:
        characters = np.mean([surest(pipeline, Image.open(path).convert("RGB")) for path in SINGLE])
        for kind in (noise, page):
            assert np.mean([surest(pipeline, kind(seed)) for seed in range(1, 9)]) < 0.6 * characters


def test_noise_and_pages_are_not_familiar() -> None:
    known = familiarity([Image.open(path).convert("RGB") for path in SINGLE])
    assert np.mean(known) > 0.95
    assert np.mean(familiarity([noise(seed) for seed in range(8)])) < 0.5
    assert np.mean(familiarity([page(seed) for seed in range(1, 9)])) < 0.7


def test_a_picture_alone_is_described_by_the_model_that_the_record_names() -> None:
    with create_pipeline(ONLY) as pipeline:
        record = pipeline.extract_from_image(SINGLE[0]).to_detail()
    evidence = [claim for decided in record["attributes"].values() for claim in decided["evidence"]]
    assert evidence
    assert all(claim["source"] == "clip_analyzer/1" for claim in evidence)
    assert all(claim["from"].startswith("charpipe-embedded: ") for claim in evidence)


def test_it_is_mostly_right_about_hair_where_it_says_anything() -> None:
    found: list[bool] = []
    with create_pipeline(ONLY) as pipeline:
        for line in (line for line in TRUTH if line["people"] == "single"):
            record = pipeline.extract_from_image(bundled_folder() / line["item_id"])
            told, true = record.attributes["Hair Color"].value, line["attributes"].get("Hair Color")
            if told is not None and true is not None:
                found.append(told == true)
    assert len(found) >= 10
    assert sum(found) / len(found) > 0.7
