"""Lists the general tags that the parser reads nothing from, most used first, for a person to look through.

Usage: python scripts/unmapped_tags.py TAGS_CSV [--min-posts 1000] [--all]

TAGS_CSV has the columns tag, category (0 is general) and posts. Without --all it lists only the tags that look as if
they state a value and that nobody has looked at yet: `reviewed_tags.txt` beside this script names those that a
person has found to state none.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from character_pipeline.vocabulary.lexicon import load_lexicon

REVIEWED = Path(__file__).with_name("reviewed_tags.txt")

TELLING = Path(__file__).with_name("telling_words.txt")


def main() -> None:
    options = _options()
    lexicon = load_lexicon()
    tags = list(_general_tags(options.tags_csv, options.min_posts))
    unmapped = [(tag, posts) for tag, posts in tags if not lexicon.lookup(tag)]
    _print_coverage(tags, unmapped, options.min_posts)
    open_ones = unmapped if options.all else gaps(unmapped)
    print(f"{len(open_ones)} of them {'in all' if options.all else 'look as if they state a value'}:")
    for tag, posts in open_ones:
        print(f"{posts:>9}  {tag}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Lists general tags that the tag parser reads nothing from.")
    parser.add_argument("tags_csv", type=Path, help="a tag list with the columns tag, category, posts")
    parser.add_argument("--min-posts", type=int, default=1000, help="leave out tags with fewer posts (default: 1000)")
    parser.add_argument("--all", action="store_true", help="list every unmapped tag, not only the telling ones")
    return parser.parse_args()


def _general_tags(path: Path, min_posts: int) -> Iterator[tuple[str, int]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["category"] == "0" and int(row["posts"]) >= min_posts:
                yield row["tag"], int(row["posts"])


def _print_coverage(tags: Iterable[tuple[str, int]], unmapped: Iterable[tuple[str, int]], min_posts: int) -> None:
    all_posts, missed = dict(tags), dict(unmapped)
    mapped = len(all_posts) - len(missed)
    uses = 1 - sum(missed.values()) / max(1, sum(all_posts.values()))
    print(f"{len(all_posts)} general tags with {min_posts} or more posts: {mapped} mapped, {len(missed)} unmapped")
    print(f"{uses:.1%} of the uses of these tags are mapped")


def gaps(unmapped: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """The tags that have a telling word and that nobody has looked at."""
    reviewed, telling = _words(REVIEWED), _words(TELLING)
    return [
        (tag, posts)
        for tag, posts in unmapped
        if tag not in reviewed and not telling.isdisjoint(re.split(r"[_\-() ]", tag))
    ]


def _words(path: Path) -> frozenset[str]:
    return frozenset(path.read_text(encoding="utf-8").split())


if __name__ == "__main__":
    main()
