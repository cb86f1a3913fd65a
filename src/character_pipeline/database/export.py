"""Parquet, JSONL and CSV out of the store: streamed by item id, written aside and renamed, with their schema."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from character_pipeline import __version__
from character_pipeline.data import ExtractionResult
from character_pipeline.database.queries import Filter, results_by_id
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, StoreError, unknown_name
from character_pipeline.schema import flat_schema
from character_pipeline.vocabulary import Vocabulary

ROW_GROUP = 20_000
PART_ROWS = 500_000
DATASET = "dataset"
BATCH = 2_000


def export(store: Store, kind: str, path: Path, found: Filter | None = None) -> int:
    """Write the records as "parquet", "jsonl" or "csv", or as a folder, "dataset"; returns how many. Quarantined items
    are never written.

    Raises ConfigError for another kind.
    """
    if kind == DATASET:
        return export_dataset(store, path, found)
    if kind not in WRITERS:
        raise ConfigError(unknown_name("format", kind, [*WRITERS, DATASET]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with _aside(path) as part:
        return WRITERS[kind](store, part, results_by_id(store, found or Filter()))


def export_path(folder: Path, kind: str) -> Path:
    """Where an export of a kind is, in the output folder."""
    return folder / ("records" if kind == DATASET else f"records.{kind}")


def export_dataset(store: Store, folder: Path, found: Filter | None = None, rows: int = PART_ROWS) -> int:
    """Write the records as a folder of Parquet files of at most `rows` rows, by item id, with a manifest.json that has
    the files with their rows, the columns, the vocabulary and the settings; returns how many records.

    The folder takes its name when all is written. Raises StoreError when it is there already.
    """
    if folder.exists():
        raise StoreError(f"{folder} is there already: delete it, or choose another output")
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        results = results_by_id(store, found or Filter())
        files: dict[str, int] = {}
        while not files or list(files.values())[-1] == rows:
            name = f"part-{len(files):05}.parquet"
            files[name] = _write_parquet(store, part / name, islice(results, rows))
        _write_manifest(store, part / "manifest.json", files)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return sum(files.values())


def _write_manifest(store: Store, path: Path, files: dict[str, int]) -> None:
    fingerprints = store.db.execute("SELECT fingerprint, count(*) FROM records GROUP BY 1 ORDER BY 2 DESC").fetchall()
    schema = parquet_schema(store.vocabulary)
    about = {
        "rows": sum(files.values()),
        "files": files,
        "columns": {field.name: str(field.type) for field in schema},
        "vocabulary": {"version": store.vocabulary.version, "digest": store.vocabulary.digest},
        "fingerprints": dict(fingerprints),
        "program": __version__,
    }
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def write_schema(vocabulary: Vocabulary, path: Path) -> None:
    """Write the JSON Schema of a record of the JSONL export."""
    write_whole(path, json.dumps(flat_schema(vocabulary), indent=2, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with _aside(path) as part:
        part.write_text(text, encoding="utf-8")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a file of JSON lines whole or not at all."""
    with _aside(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A path to write to that takes its real name when all went well."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"cannot write {path}: {reason}. The database has every record: export again, or to another folder"
        raise StoreError(message) from error
    finally:
        part.unlink(missing_ok=True)


def flat_row(result: ExtractionResult) -> dict[str, Any]:
    """A line of the JSONL export: the flat record, with the id and what became of the item before it."""
    record = result.attributes
    return {"item_id": result.item_id, "status": record.status, "people": record.people, **record.to_dict()}


def _write_jsonl(store: Store, path: Path, results: Iterator[ExtractionResult]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for result in results:
            file.write(json.dumps(flat_row(result), ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_csv(store: Store, path: Path, results: Iterator[ExtractionResult]) -> int:
    labels = [attribute.label for attribute in store.vocabulary.attributes.values()]
    columns = ["item_id", "status", "people", *labels, "Confidence Score"]
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for result in results:
            row = flat_row(result)
            cells = (row.get(column, "") for column in columns)
            writer.writerow(["; ".join(cell) if isinstance(cell, list) else cell for cell in cells])
            count += 1
    return count


def _write_parquet(store: Store, path: Path, results: Iterator[ExtractionResult]) -> int:
    import pyarrow.parquet as pq

    schema = parquet_schema(store.vocabulary)
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        tables = _tables(store.vocabulary, results, schema)
        while written := _write_row_group(writer, list(islice(tables, ROW_GROUP // BATCH))):
            count += written
    return count


def _write_row_group(writer: Any, tables: list[Any]) -> int:
    """Write tables as one row group; returns its rows. Nothing of it stays in memory."""
    import pyarrow as pa

    if not tables:
        return 0
    whole = pa.concat_tables(tables)
    writer.write_table(whole, ROW_GROUP)
    return int(whole.num_rows)


def _tables(vocabulary: Vocabulary, results: Iterator[ExtractionResult], schema: Any) -> Iterator[Any]:
    """The records as small tables: a whole row group never exists as Python objects."""
    import pyarrow as pa

    while batch := list(islice(results, BATCH)):
        columns = parquet_columns(vocabulary, batch)
        yield pa.table({name: pa.array(columns[name], schema.field(name).type) for name in schema.names}, schema)


def parquet_schema(vocabulary: Vocabulary) -> Any:
    """The columns of the Parquet export: for each attribute its value (or list of values), state, confidence and
    detail, under its key."""
    import pyarrow as pa

    text, number = pa.string(), pa.float32()
    fields = [pa.field("item_id", text), pa.field("status", text), pa.field("people", text)]
    fields += [pa.field("confidence", number), pa.field("content_hash", text), pa.field("error", text)]
    for attribute in vocabulary.attributes.values():
        fields.append(pa.field(attribute.key, pa.list_(text) if attribute.many else text))
        fields.append(pa.field(f"{attribute.key}_state", text))
        fields.append(pa.field(f"{attribute.key}_confidence", number))
        fields.append(pa.field(f"{attribute.key}_detail", text))
    about = {"vocabulary_version": str(vocabulary.version), "vocabulary_digest": vocabulary.digest}
    return pa.schema(fields, metadata=about)


def parquet_columns(vocabulary: Vocabulary, results: Sequence[ExtractionResult]) -> dict[str, list[Any]]:
    """The columns of the Parquet export for some records."""
    records = [result.attributes for result in results]
    columns: dict[str, list[Any]] = {
        "item_id": [record.item_id for record in records],
        "status": [record.status for record in records],
        "people": [record.people for record in records],
        "confidence": [record.confidence for record in records],
        "content_hash": [record.content_hash for record in records],
        "error": [result.error for result in results],
    }
    for attribute in vocabulary.attributes.values():
        decided = [record.attributes[attribute.label] for record in records]
        columns[attribute.key] = [list(d.values) if attribute.many else d.value for d in decided]
        columns[f"{attribute.key}_state"] = [d.state for d in decided]
        columns[f"{attribute.key}_confidence"] = [d.confidence for d in decided]
        columns[f"{attribute.key}_detail"] = [d.detail for d in decided]
    return columns


Writer = Callable[[Store, Path, Iterator[ExtractionResult]], int]
WRITERS: dict[str, Writer] = {"parquet": _write_parquet, "jsonl": _write_jsonl, "csv": _write_csv}
