"""Accuracy of text extraction on drawn characters: what their tags state is found, and nothing is made up."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

TEXTS = "[clip_analyzer]\nenabled = false\n[picture_analyzers]\ncolors = false\nquality = false\n"
"""The pictures are only checked."""
CHARPIPE = [sys.executable, "-m", "character_pipeline"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1_000)
    asked = parser.parse_args()
    for noise in ("none", "light", "heavy"):
        with tempfile.TemporaryDirectory() as place:
            data, out = Path(place) / "data", Path(place) / "out"
            draw = ["sample", str(data), "--count", str(asked.count), "--seed", str(asked.seed), "--size", "64"]
            subprocess.run([*CHARPIPE, *draw, "--noise", noise], check=True, capture_output=True)
            config = Path(place) / "texts.toml"
            config.write_text(TEXTS)
            extract = [
                "extract",
                str(data),
                "--output",
                str(out),
                "--format",
                "none",
                "--quiet",
                "--config",
                str(config),
            ]
            subprocess.run([*CHARPIPE, *extract], check=True, capture_output=True)
            print(f"\n{asked.count:,} drawn characters, noise in tags and pictures: {noise}\n", flush=True)
            judge = ["evaluate", str(out), "--truth", str(data / "truth.jsonl"), "--faults", "0"]
            subprocess.run([*CHARPIPE, *judge], check=True)


if __name__ == "__main__":
    main()
