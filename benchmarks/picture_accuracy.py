"""How right pictures alone are, on drawn characters in styles that the embedded model was trained on and in styles that
it never saw, beside the tags, both together, and always saying the most frequent value."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from character_pipeline.database.store import Store
from character_pipeline.evaluation.metrics import Ints, majority_accuracy, wilson
from character_pipeline.evaluation.scores import score
from character_pipeline.evaluation.sources import Answers, read_answers
from character_pipeline.training.drawn import TEST_STYLES, TRAINING_STYLES
from character_pipeline.vocabulary import load_vocabulary

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
ATTRIBUTES = ("Hair Color", "Hair Length", "Eye Color", "Gender", "Dress", "Facial Expression")
GLASSES = "Glasses"
ROW = "{:18} {:>7} {:>9} {:>14} {:>6} {:>9} {:>7} {:>9}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="pictures for each of the two sets")
    parser.add_argument("--seed", type=int, default=4_000)
    parser.add_argument("--size", type=int, default=384, help="pixels of the longer side")
    asked = parser.parse_args()
    means = {}
    for name, styles in (("seen", TRAINING_STYLES), ("unseen", TEST_STYLES)):
        with tempfile.TemporaryDirectory() as place:
            answers = extract(Path(place), styles, asked.count, asked.seed, asked.size)
            means[name] = report(name, styles, answers)
    print(f"\nmean of pictures alone, unseen in shares of seen: {means['unseen'] / means['seen']:.2f}")


def extract(place: Path, styles: Sequence[str], count: int, seed: int, size: int) -> list[Answers]:
    """Draw, extract with the embedded model, and read what each source said."""
    data, out, config = place / "data", place / "out", place / "config.toml"
    chosen = [part for style in styles for part in ("--style", style)]
    draw = ["sample", str(data), "--count", str(count), "--seed", str(seed), "--size", str(size), *chosen]
    subprocess.run([*CHARPIPE, *draw], check=True, capture_output=True)
    config.write_text('[clip_analyzer]\nmodel_name = "embedded"\n')
    options = ["--output", str(out), "--format", "none", "--quiet", "--config", str(config)]
    subprocess.run([*CHARPIPE, "extract", str(data), *options], check=True, capture_output=True)
    store = Store(out / "character_attributes.db", load_vocabulary())
    try:
        return list(read_answers(store, data / "truth.jsonl"))
    finally:
        store.close()


def report(name: str, styles: Sequence[str], answers: Sequence[Answers]) -> float:
    """Print the table of a set; returns the mean accuracy of pictures alone over the seven things."""
    print(f"\n{name} styles: {', '.join(styles)}; {len(answers):,} pictures\n")
    heads = ("", "tags", "pictures", "95 % interval", "said", "of these", "both", "majority")
    print(ROW.format(*heads))
    found = {(one.label, one.source): one for one in score(answers, load_vocabulary()).single}
    right = []
    for label in ATTRIBUTES:
        tags, seen, both, most = (found[label, source] for source in ("text", "picture", "fused", "majority"))
        low, high = seen.interval
        shares = (tags.accuracy, seen.accuracy, seen.coverage, seen.selective, both.accuracy, most.accuracy)
        of_tags, alone, said, of_these, together, frequent = (f"{share:.1%}" for share in shares)
        print(ROW.format(label, of_tags, alone, f"{low:.0%} - {high:.0%}", said, of_these, together, frequent))
        right.append(seen.accuracy)
    right.append(_glasses(answers))
    print(ROW.format("mean", "", f"{np.mean(right):.1%}", "", "", "", "", ""))
    return float(np.mean(right))


def _glasses(answers: Sequence[Answers]) -> float:
    judged = [a for a in answers if a.truth["people"] == "single"]
    true = np.array([GLASSES in a.truth["attributes"].get("Accessories", ()) for a in judged]).astype(np.int64)
    shares = {}
    for source in ("text", "picture", "fused"):
        said: Ints = np.array([GLASSES in a.attributes[source]["Accessories"].values for a in judged]).astype(np.int64)
        shares[source] = float((said == true).mean())
    low, high = wilson(round(shares["picture"] * len(true)), len(true))
    of_tags, alone, together = (f"{shares[source]:.1%}" for source in ("text", "picture", "fused"))
    frequent = f"{majority_accuracy(true):.1%}"
    print(ROW.format(GLASSES, of_tags, alone, f"{low:.0%} - {high:.0%}", "", "", together, frequent))
    return shares["picture"]


if __name__ == "__main__":
    main()
