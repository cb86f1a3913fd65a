"""Every setting, typed and documented. An unknown key is an error that names the nearest known one."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from character_pipeline.data import VIEWS, View
from character_pipeline.errors import ConfigError, unknown_name

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]

File = Annotated[str, AfterValidator(lambda path: str(Path(path).absolute()))]
Folder = Annotated[str, AfterValidator(lambda path: str(Path(path).absolute()))]
"""A folder that is found again from anywhere."""

PILLOW_PIXEL_LIMIT = 178_956_970
"""Pillow itself refuses pictures with more pixels than this, whatever we allow."""


SERVERS = ("postgresql://", "postgres://")


def is_server(place: str) -> bool:
    """Whether a database is on a server, and not a file."""
    return place.startswith(SERVERS)


def without_password(place: str) -> str:
    """The address of a database as it may be shown and kept."""
    if not is_server(place):
        return place
    plain = re.sub(r"(://[^:@/?]*):.*@", r"\1@", place)
    return re.sub(r"([?&])(?:ssl)?password=[^&]*&?", r"\1", plain).rstrip("?&")


Database = Annotated[
    str,
    AfterValidator(lambda place: place if is_server(place) else str(Path(place).absolute())),
    PlainSerializer(without_password, return_type=str),
]
"""A file that is found again from anywhere, or an address on a server."""


def order_views(given: object) -> tuple[View, ...]:
    """The views that a list names, each once and in their fixed order. Raises ValueError that says what is allowed."""
    if not isinstance(given, list | tuple) or not given or any(name not in VIEWS for name in given):
        raise ValueError(f"must be a list of views. Allowed: {', '.join(VIEWS)}")
    return tuple(view for view in VIEWS if view in given)


def _order_read(given: object) -> tuple[View, ...]:
    views = order_views(given)
    if "whole" not in views:
        raise ValueError("must name 'whole' too: it stands in for a view that a picture does not have")
    return views


Looks = Annotated[tuple[View, ...], BeforeValidator(order_views)]
ReadViews = Annotated[tuple[View, ...], BeforeValidator(_order_read)]
MaybeViews = Annotated[
    Literal["auto"] | tuple[View, ...],
    BeforeValidator(lambda given: given if given == "auto" else _order_read(given)),
]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputLoaderConfig(Section):
    dataset_path: str = Field("./continued/sensitive", description="what process_dataset() reads when not told")
    max_pixels: int = Field(89_478_485, ge=1, le=PILLOW_PIXEL_LIMIT, description="larger pictures are refused")
    max_file_bytes: int = Field(256 * 2**20, ge=1, description="larger picture files are refused")
    max_text_bytes: int = Field(2**20, ge=1, description="longer texts are refused")
    check_pictures: bool = Field(True, description="decode each picture once, so that broken ones are found")
    jpeg_draft: int = Field(
        224, ge=0, description="decode JPEGs smaller, no side below this many pixels or what readers need; 0: in full"
    )
    text_field: str | None = Field(None, description="the column with the text, where it is not found by its name")
    image_field: str | None = Field(None, description="the column with the picture or its path")
    id_field: str | None = Field(None, description="the column with the item's id")


DEFAULT_MODEL = "openai/clip-vit-base-patch32"
Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]


class ClipAnalyzerConfig(Section):
    enabled: bool = Field(True, description="look at the pictures; false: read texts alone")
    model_name: str = Field(
        DEFAULT_MODEL, min_length=1, description="a folder, a name on the hub, or 'embedded': the model in the package"
    )
    backend: Literal["auto", "onnx", "torch"] = Field("auto", description="auto: torch on a GPU, else ONNX Runtime")
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = Field("auto", description="numbers to calculate with")
    device: Device = Field("auto", description="auto, cpu, cuda, or cuda:1 for the second GPU")
    confidence_threshold: Fraction = Field(0.3, description="a value with a lower score is not claimed")
    prompt_set: Literal["auto", "drawn", "photo"] = Field("auto", description="auto: what the model was made for")
    views: MaybeViews = Field(
        "auto", description='what a model is shown: ["whole", "head"] adds a crop of the head; auto: as the model says'
    )
    probes: File | None = Field(None, description="what `charpipe train probes` learned from your tags; none: prompts")
    batch_size: int = Field(32, ge=1, description="pictures that a GPU works on together; halved when it is too much")
    threads: int = Field(0, ge=0, description="of the model; 0: as many as there are processors")
    compile: bool = Field(False, description="torch.compile: slow to start, then faster")
    on_missing: Literal["auto", "fallback", "error"] = Field(
        "auto", description="a model that cannot be had: fall back on 'embedded', or stop; auto: stop if you named it"
    )


class PictureAnalyzersConfig(Section):
    colors: bool = Field(True, description="name the color of hair from where colors lie in the picture")
    quality: bool = Field(True, description="see whether a picture has colors at all; without them, none is known")
    hash: bool = Field(True, description="keep a small hash of each picture, by which `charpipe dedupe` finds copies")


class AttributeFusionConfig(Section):
    fusion_strategy: str = Field("hierarchical", description="how sources are weighed; a plugin may offer others")
    confidence_threshold: Fraction = Field(0.3, description="a value with less confidence is withheld")
    target_precision: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(
        None, description="say only values of which this share is right, such as 0.98, and withhold the others"
    )
    weights: File | None = Field(None, description="what fusion learned from your items; none: that of the package")
    character_profiles: Database | None = Field(
        None,
        repr=False,
        description="a database with `charpipe profiles`: what nothing says of a named character is taken from it",
    )
    describe_solo_focus: bool = Field(False, description="describe the focus character of pictures tagged solo_focus")


class SafetyConfig(Section):
    quarantine: bool = Field(True, description="set items aside that pair minor-coded with sexual content")


class RLOptimizerConfig(Section):
    learning_rate: float = Field(0.001, gt=0, description="of `charpipe train policy`; falls to 0 in the training")
    epsilon: Fraction = Field(0.1, description="share of random actions, where a policy learns by trial or explores")
    batch_size: int = Field(32, ge=1, description="items that a training step learns from")
    policy: File | None = Field(None, description="a trained policy; none: the adopted one, or that of the package")
    budget_ms: float | None = Field(
        None, ge=0, description="with 'learned': what an item may cost on average; pictures not worth it stay unseen"
    )
    audit_share: Fraction = Field(
        0.0, description="with 'learned': share of items on which all runs, whatever the budget; no answer changes"
    )
    explore_share: Fraction = Field(
        0.0, description="with 'learned': share of items for which drawn actions are logged; no answer changes"
    )
    sampling_seed: int = Field(0, ge=0, description="another seed audits and explores other items")


class DatabaseConfig(Section):
    db_path: Annotated[str, PlainSerializer(without_password, return_type=str)] = Field(
        "./data/character_attributes.db",
        repr=False,
        description="the file; `extract` puts it into --output; or postgresql://user@host/database",
    )
    enable_caching: bool = Field(True, description="reuse what is already in the database")


class VocabularyConfig(Section):
    path: Folder | None = Field(
        None, description="a folder with data files of your own instead of those of the package"
    )


class RunConfig(Section):
    shard_size: int = Field(1000, ge=1, description="items that are processed and committed together")
    batch_size: int = Field(
        128, ge=1, description="items that go through the stages together; of three such batches pictures may wait"
    )
    workers: int = Field(
        0,
        ge=0,
        description="processes; 0: one for each processor while models have room, one in all for small runs",
    )


class ServeConfig(Section):
    host: str = Field("127.0.0.1", min_length=1, description="the address that `charpipe serve` listens on")
    port: int = Field(7860, ge=0, le=65535, description="its port; 0: any that is free")
    batch_size: int = Field(32, ge=1, description="single items of many callers that are processed together")
    batch_wait_ms: float = Field(
        4.0, ge=0, le=1000, description="how long the first of them waits for others; 0: for none"
    )
    queue_size: int = Field(256, ge=1, description="single items that may wait; with more the service is busy")
    decode_processes: int | None = Field(
        None, ge=0, description="that open single pictures; null: as many as processors, at most 8; 0: none but its own"
    )
    max_concurrent: int = Field(128, ge=1, description="requests that are answered at a time; the others get 429")
    timeout_seconds: float = Field(60.0, gt=0, description="after which a request gets 504")
    max_body_bytes: int = Field(64 * 2**20, ge=1, description="larger requests are refused")
    max_batch_items: int = Field(20_000, ge=1, description="items of one batch")
    spool_path: Folder | None = Field(None, description="where batches wait; none: a folder beside the database")
    require_key: bool | None = Field(
        None, description="ask for an API key; null: where others than this machine reach it"
    )
    cors_origins: tuple[str, ...] = Field((), description="pages of these origins may ask from a browser")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="names, besides those of this machine, by which it may be asked"
    )


class PipelineConfig(Section):
    """All sections; every one has defaults."""

    input_loader: InputLoaderConfig = InputLoaderConfig()
    clip_analyzer: ClipAnalyzerConfig = ClipAnalyzerConfig()
    picture_analyzers: PictureAnalyzersConfig = PictureAnalyzersConfig()
    attribute_fusion: AttributeFusionConfig = AttributeFusionConfig()
    safety: SafetyConfig = SafetyConfig()
    rl_optimizer: RLOptimizerConfig = RLOptimizerConfig()
    database: DatabaseConfig = DatabaseConfig()
    vocabulary: VocabularyConfig = VocabularyConfig()
    run: RunConfig = RunConfig()
    serve: ServeConfig = ServeConfig()


def load_config(given: Mapping[str, Any] | str | Path | PipelineConfig | None = None) -> PipelineConfig:
    """The configuration from a dictionary, the path of a .toml, .yaml or .json file, or None for the defaults.

    Raises ConfigError that names what is wrong and what is allowed.
    """
    if isinstance(given, PipelineConfig):
        return given
    table = _read(Path(given)) if isinstance(given, str | Path) else dict(given or {})
    try:
        return PipelineConfig.model_validate(table)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        table = _parse(path.suffix.lower(), text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the configuration cannot be read: {path}: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"the configuration must be a table of sections: {path}")
    return table


def _parse(suffix: str, text: str) -> Any:
    if suffix == ".toml":
        return tomllib.loads(text)
    if suffix == ".json":
        return json.loads(text)
    if suffix in {".yaml", ".yml"}:
        import yaml

        try:
            return yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            # What the library shows of the line may be a password.
            place = getattr(error, "problem_mark", None)
            where = f" in line {place.line + 1}" if place else ""
            raise ValueError(f"{getattr(error, 'problem', None) or 'it is no YAML'}{where}") from None
    raise ValueError(f"the ending is '{suffix}'; allowed: .toml, .yaml, .yml, .json")


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] != "extra_forbidden":
        return f"configuration: {'.'.join(where)}: {first['msg']} (given: {first['input']!r})"
    section: type[BaseModel] = PipelineConfig
    for part in where[:-1]:
        section = _section(section, part)
    place = f"section [{'.'.join(where[:-1])}]" if where[:-1] else "the configuration"
    return f"{place}: {unknown_name('key', where[-1], section.model_fields)}"


def _section(parent: type[BaseModel], name: str) -> type[BaseModel]:
    annotation = parent.model_fields[name].annotation
    kinds = [annotation, *get_args(annotation)]
    return next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
