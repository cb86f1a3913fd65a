"""Files that somebody sent, kept in a folder of ours under names of ours, so that a batch can read them again."""

from __future__ import annotations

import itertools
import re
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import IO, NamedTuple

from character_pipeline.errors import ConfigError
from character_pipeline.input_loader.images import IMAGE_SUFFIXES
from character_pipeline.web.archives import count_members

TAKEN = frozenset({*IMAGE_SUFFIXES, ".txt"})
ZIP = ".zip"
MOST_BYTES = 8 * 2**30
"""What one upload may have in all when it is unpacked."""
MOST_PARTS, MOST_NAME = 6, 120
MOST_OTHERS = 4
"""Files of an archive, also those that are not taken, in times of those that may be."""
AT_ONCE = 2**20


class Sent(NamedTuple):
    """A file as it was sent: what it is called below the folder, and its bytes."""

    place: tuple[str, ...]
    file: IO[bytes]


@dataclass(slots=True)
class Keeper:
    """Writes what was sent below a folder, within bounds.

    Attributes:
        most_files, most_bytes: of the whole upload.
        most_each: of one file; a larger one is cut, and the run says that it is too large.
        taken: the names that are taken, and the last number that was given to those that came again.
    """

    folder: Path
    most_files: int
    most_each: int
    most_bytes: int = MOST_BYTES
    files: int = 0
    bytes: int = 0
    taken: dict[str, int] = field(default_factory=dict)

    def keep(self, sent: Sent) -> None:
        """Raises ConfigError where the whole is too much."""
        self.files += 1
        if self.files > self.most_files:
            raise ConfigError(f"an upload has at most {self.most_files:,} files (serve.max_batch_items)")
        path = self._free(self.folder.joinpath(*sent.place))
        path.parent.mkdir(parents=True, exist_ok=True)
        left = self.most_each + 1
        with path.open("xb") as target:
            while left > 0 and (chunk := sent.file.read(min(AT_ONCE, left))):
                target.write(chunk)
                left -= len(chunk)
                self.bytes += len(chunk)
                if self.bytes > self.most_bytes:
                    raise ConfigError(f"an upload has at most {self.most_bytes // 2**30} GiB when it is unpacked")

    def _free(self, path: Path) -> Path:
        """A name that no other file of the upload has, on disks that tell A from a and on those that do not."""
        asked = str(path).lower()
        numbers = itertools.count(self.taken.get(asked, 0) + 1)
        names = ((path if number == 1 else path.with_stem(f"{path.stem}-{number}"), number) for number in numbers)
        free, self.taken[asked] = next(pair for pair in names if str(pair[0]).lower() not in self.taken)
        self.taken.setdefault(str(free).lower(), 1)
        return free


def keep_uploads(paths: Iterable[str], parent: Path, most_files: int, most_each: int) -> Path:
    """Copy pictures, texts and what is in zip archives into a new folder; returns it.

    Raises ConfigError where there is nothing to take, or too much; nothing is left then.
    """
    keeper = Keeper(parent / f"upload-{token_hex(4)}", most_files, most_each)
    try:
        for path in map(Path, paths):
            if path.suffix.lower() == ZIP:
                _unpack(path, keeper)
            elif path.suffix.lower() in TAKEN:
                with path.open("rb") as file:
                    keeper.keep(Sent((safe_name(path.name),), file))
        if not keeper.files:
            raise ConfigError(f"nothing to describe was sent: send {' '.join(sorted(TAKEN))}, or a {ZIP} of these")
    except BaseException:
        shutil.rmtree(keeper.folder, ignore_errors=True)
        raise
    return keeper.folder


def _unpack(path: Path, keeper: Keeper) -> None:
    """Keep the files of an archive. Raises ConfigError where it is none, or is broken."""
    try:
        with path.open("rb") as file:
            members = count_members(file)
        if members > MOST_OTHERS * keeper.most_files:
            raise ConfigError(f"{path.name!r} has too many files: an upload has at most {keeper.most_files:,}")
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                place = safe_place(member.filename)
                if not member.is_dir() and place and Path(place[-1]).suffix.lower() in TAKEN:
                    with archive.open(member) as file:
                        keeper.keep(Sent(place, file))
    except ConfigError:
        raise
    except Exception as error:
        # Unpacking what is hostile raises nearly anything: BadZipFile, zlib.error, LZMAError, RuntimeError, EOFError.
        reason = f"{type(error).__name__}: {error}"[:200]
        raise ConfigError(f"the archive {path.name!r} cannot be unpacked: {reason}") from error


def safe_place(name: str) -> tuple[str, ...]:
    """Where a member of an archive goes below the folder: nothing leads out of it; nothing for hidden files."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part.strip("./ ")]
    if any(part.startswith((".", "__MACOSX")) for part in parts):
        return ()
    return tuple(safe_name(part) for part in parts[-MOST_PARTS:])


def safe_name(name: str) -> str:
    """A name that any disk can have, with the ending that it had."""
    plain = re.sub(r"[^\w.() -]+", "_", name).strip(". ") or "_"
    stem, suffix = Path(plain).stem, Path(plain).suffix
    return stem.encode()[: MOST_NAME - len(suffix.encode())].decode(errors="ignore") + suffix
