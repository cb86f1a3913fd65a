"""How right the embedded model is in styles of avatars that it never saw: each is left out of a training in turn.

One training a style, shorter than that of the shipped model (--passes); what is begun in --work goes on there. With
--together one training does without all of them, which is harder; from its folder, with --begin, those that leave out a
single style need few passes. Beside each figure stands what always saying the most frequent value gives. For what is
there or not: balanced accuracy.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from character_pipeline.training.beginning import begin_with
from character_pipeline.training.embedded import Settings, Trainer
from character_pipeline.training.gathering import Gathered, gather
from character_pipeline.training.recipe import finish
from character_pipeline.training.resume import load_training, save_training
from character_pipeline.training.validation import as_table, score
from character_pipeline.vocabulary import load_vocabulary

SHOWN = {
    "hair_color": "Hair Color", "hair_length": "Hair Length", "accessories: Glasses": "Glasses",
    "facial_hair: any": "Facial Hair", "facial_expression": "Facial Expression", "dress": "Dress",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--avatars", type=Path, action="append", required=True, help="an archive; each is a style")
    parser.add_argument("--also", type=Path, action="append", default=[], help="an archive that is always trained on")
    parser.add_argument("--together", action="store_true", help="leave all styles of --avatars out of one training")
    parser.add_argument("--begin", type=Path, help="the folder of a training without these styles, to go on from")
    parser.add_argument("--rate", type=float, default=Settings.rate, help="the highest learning rate")
    parser.add_argument("--only", action="append", help="leave out this style; default: each in turn")
    parser.add_argument("--drawn", type=int, default=8_000)
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("left-out-styles"))
    asked = parser.parse_args()
    gathered = gather([*asked.avatars, *asked.also], asked.drawn, asked.workers, print)
    every, settings = [path.stem for path in asked.avatars], Settings(passes=asked.passes, rate=asked.rate)
    wanted = asked.only or every
    for some in [wanted] if asked.together else [[style] for style in wanted]:
        report = report_of(asked.work, some)
        if not report.exists():
            found = left_out(gathered, some, settings, report.parent, asked.begin)
            report.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    reports = [report_of(asked.work, some) for some in ([wanted] if asked.together else [[style] for style in every])]
    scores: dict[str, Any] = {}
    for report in reports:
        scores |= json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    print(table(scores))


def report_of(work: Path, styles: Sequence[str]) -> Path:
    """Where the scores of a training without these styles are kept, beside its state."""
    return work / "-".join(styles) / "scores.json"


def left_out(
    gathered: Gathered, styles: Sequence[str], settings: Settings, work: Path, begin: Path | None = None
) -> dict[str, dict[str, Any]]:
    """Train without some styles, from scratch or from the weights in `begin`; the scores on each."""
    split = gathered.split(styles, settings.seed)
    trainer = Trainer(load_vocabulary(), split.train, settings)
    if not load_training(trainer, work) and begin is not None:
        begin_with(trainer, begin)

    def after(done: int, loss: float) -> None:
        save_training(trainer, work)
        print(f"without {', '.join(styles)}: pass {done} of {settings.passes}: loss {loss:.3f}", flush=True)

    trainer.train(after)
    looks, calibrated = finish(trainer, split.held_out)
    return {style: as_table(score(trainer, split.left_out[style], looks, calibrated)) for style in styles}


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a style, and the means."""
    rows = ["| left out | " + " | ".join(SHOWN.values()) + " |", "|---" * (len(SHOWN) + 1) + "|"]
    rows += [
        f"| {style} | " + " | ".join(_cell([scores], what) for what in SHOWN) + " |" for style, scores in found.items()
    ]
    rows.append("| mean | " + " | ".join(_cell(list(found.values()), what) for what in SHOWN) + " |")
    return "\n".join(rows)


def _cell(scores: Sequence[Mapping[str, Any]], what: str) -> str:
    """Right, the 95 % interval of a single style, and the majority in brackets."""
    there = [one[what] for one in scores if what in one]
    if not there:
        return "-"
    right, majority = (float(np.mean([one[key] for one in there])) for key in ("right", "majority"))
    low, high = there[0]["interval"]
    spread = f" {low:.2f}-{high:.2f}" if len(scores) == 1 else ""
    return f"{right:.2f}{spread} ({majority:.2f})"


if __name__ == "__main__":
    main()
