"""Puts some of the bundled samples on one sheet, for the README: python scripts/contact_sheet.py docs/samples.webp"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageOps

from character_pipeline.sample import bundled_folder

COLUMNS, SIDE = 9, 108
SHOWN = (0, 2, 16, 18, 23, 25, 27, 29, 33, 36, 38, 40, 42, 46, 47, 49, 54, 59)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    sheet = Image.new("RGB", (COLUMNS * SIDE, -(-len(SHOWN) // COLUMNS) * SIDE), "white")
    for place, number in enumerate(SHOWN):
        with Image.open(bundled_folder() / f"{number:04}.webp") as picture:
            tile = ImageOps.fit(picture.convert("RGB"), (SIDE - 4, SIDE - 4))
        sheet.paste(tile, (place % COLUMNS * SIDE + 2, place // COLUMNS * SIDE + 2))
    sheet.save(out, quality=85)


if __name__ == "__main__":
    main()
