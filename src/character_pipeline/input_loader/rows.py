"""What tables, manifests and archives have in common: finding the picture, the text and the id in a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from character_pipeline.config import InputLoaderConfig
from character_pipeline.errors import ConfigError, ItemError, unknown_name
from character_pipeline.input_loader import files
from character_pipeline.input_loader.base import ItemBuilder

ID_FIELDS = ("item_id", "id", "key", "__key__")
IMAGE_FIELDS = ("image", "image_path", "path", "file_name", "filename", "file", "img", "picture", "jpg", "png", "webp")
TEXT_FIELDS = ("text", "tags", "tag_string", "caption", "prompt", "description", "txt", "captions")
RATINGS = {
    "e": "explicit",
    "explicit": "explicit",
    "q": "questionable",
    "questionable": "questionable",
    "s": "sensitive",
    "sensitive": "sensitive",
    "g": "general",
    "general": "general",
    "safe": "general",
}


class RowReader:
    """Reads items out of rows with any of the usual column names; the configuration can name others."""

    def __init__(self, config: InputLoaderConfig, base: str) -> None:
        self.config = config
        self.base = base

    def check(self, names: Collection[str]) -> None:
        """Raises ConfigError when a configured column is not among those of a table."""
        for chosen in (self.config.id_field, self.config.text_field, self.config.image_field):
            if chosen is not None and chosen not in names:
                raise ConfigError(unknown_name("column", chosen, names))

    def field(self, names: Collection[str], chosen: str | None, usual: tuple[str, ...]) -> str | None:
        """The column to use. Raises ItemError when a row does not have the configured one."""
        if chosen is not None:
            if chosen not in names:
                raise ItemError("bad_row", unknown_name("column", chosen, names))
            return chosen
        return next((name for name in usual if name in names), None)

    def key(self, row: Mapping[str, Any], otherwise: str) -> str:
        """The item's id: its id column, or the path of its picture, or a number of ours."""
        name = self.field(row, self.config.id_field, ID_FIELDS)
        if name is not None and row[name] not in (None, ""):
            return str(row[name])
        image = self.field(row, self.config.image_field, IMAGE_FIELDS)
        path = row[image] if image is not None else None
        if isinstance(path, Mapping):
            path = path.get("path")
        return path if isinstance(path, str) and path else otherwise

    def picture_stamp(self, row: Mapping[str, Any]) -> str:
        """The state of the local file that the row names as its picture; empty where it names none."""
        name = self.field(row, self.config.image_field, IMAGE_FIELDS)
        path = row[name] if name is not None else None
        if not isinstance(path, str) or files.is_url(path):
            return ""
        try:
            return files.stamp_of(self._resolve(path))
        except (OSError, ValueError, ItemError):
            return "unreadable"

    def fill(self, builder: ItemBuilder, row: Mapping[str, Any]) -> None:
        """Put the row's text and picture into the item."""
        text = self.field(row, self.config.text_field, TEXT_FIELDS)
        image = self.field(row, self.config.image_field, IMAGE_FIELDS)
        if text is None and image is None:
            builder.fail("read", ItemError("bad_row", f"no text and no picture among the columns: {', '.join(row)}"))
            return
        if text is not None:
            builder.add_text(with_rating(as_text(row[text]), row.get("rating")))
        if image is not None and not builder.known:
            self._add_image(builder, row[image])

    def _add_image(self, builder: ItemBuilder, value: Any) -> None:
        if isinstance(value, Mapping):
            value = value.get("bytes") or value.get("path")
        if value in (None, ""):
            return
        try:
            if isinstance(value, bytes | bytearray | memoryview):
                builder.image = bytes(value)
            elif isinstance(value, str):
                builder.image = files.read_bytes(self._resolve(value), self.config.max_file_bytes)
            else:
                raise ItemError("bad_row", f"the picture is neither bytes nor a path but {type(value).__name__}")
        except ItemError as error:
            builder.fail("image", error)

    def _resolve(self, path: str) -> str:
        if "\0" in path:
            raise ItemError("bad_row", "the path holds a NUL byte")
        absolute = files.is_url(path) or path.startswith("/") or not self.base
        return path if absolute else files.join(self.base, path)


def as_text(value: Any) -> str | bytes | None:
    """Text as it comes: a string, bytes, or a list of tags."""
    if value is None or isinstance(value, str | bytes):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value if part is not None)
    return str(value)


def with_rating(text: str | bytes | None, rating: Any) -> str | bytes | None:
    """The text with the row's safety rating as one more tag, where it has one."""
    name = RATINGS.get(str(rating).strip().lower()) if rating is not None else None
    if name is None:
        return text
    if text is None:
        return f"rating:{name}"
    return text + b" ||| rating:" + name.encode() if isinstance(text, bytes) else f"{text} ||| rating:{name}"
