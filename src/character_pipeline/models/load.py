"""From the settings to a model: a folder, the hub, or the small model in the package."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from character_pipeline.config import DEFAULT_MODEL, ClipAnalyzerConfig
from character_pipeline.errors import CharpipeError, ModelError
from character_pipeline.models import hub, machine
from character_pipeline.models.base import DualEncoder
from character_pipeline.models.checkpoint import Checkpoint, open_checkpoint
from character_pipeline.models.plan import Plan, make_plan

log = logging.getLogger(__name__)
EMBEDDED = Path(__file__).parent / "embedded"
EMBEDDED_NAME = "charpipe-embedded"
CANNOT = "the model '{}' cannot be had: "


def load_encoder(settings: ClipAnalyzerConfig | None = None) -> DualEncoder:
    """The model that the settings name, ready to be used. Raises ModelError or MissingExtraError with the remedy."""
    return open_encoder(resolve(settings or ClipAnalyzerConfig()))


def open_encoder(plan: Plan) -> DualEncoder:
    """The model of a plan; the first thing here that loads ONNX Runtime or torch."""
    if plan.backend == "torch":
        from character_pipeline.models.torch_backend import TorchEncoder

        return TorchEncoder(plan).for_asking()
    from character_pipeline.models.onnx_backend import OnnxEncoder

    return OnnxEncoder(plan)


def resolve(settings: ClipAnalyzerConfig, embedded: Path = EMBEDDED) -> Plan:
    """Which checkpoint and what runs it, without loading it. Fetches it from the hub where that is needed.

    Where it cannot be had, the embedded model stands in, unless `on_missing` or a name set by the user says
    otherwise. The plan then has a note that says so; `tell` shows it.
    """
    if settings.model_name == "embedded":
        return make_plan(_open_embedded(embedded), settings)
    try:
        return make_plan(_find(settings), settings)
    except CharpipeError as error:
        if not _may_fall_back(settings):
            raise
        note = _note(settings.model_name, str(error))
    stand_in = settings.model_copy(update={"backend": "auto", "precision": "auto", "device": "auto"})
    return replace(make_plan(_open_embedded(embedded), stand_in), note=note)


def _may_fall_back(settings: ClipAnalyzerConfig) -> bool:
    if settings.on_missing == "auto":
        return settings.model_name == DEFAULT_MODEL
    return settings.on_missing == "fallback"


def tell(plan: Plan) -> None:
    """Log what the user should know of a plan, the first time in this process."""
    if plan.note:
        _tell_once(plan.note)


@lru_cache(maxsize=64)
def _tell_once(note: str) -> None:
    log.warning(note)


def _note(name: str, why: str) -> str:
    """In plain words; what a library said of it comes behind a colon, and is for those who look for it."""
    log.debug("%s: %s", name, why)
    remedy = f"run this again with a network, or there charpipe export-onnx {DEFAULT_MODEL} --output clip-vit-b32"
    if not machine.has_torch():
        remedy = "pip install 'character-pipeline[clip]'"
    why = re.split(r": |\. |\.$", why.removeprefix(CANNOT.format(name)))[0]
    return f"the small embedded model reads the pictures, not {name}: {why}. To get that one: {remedy}"


def _open_embedded(folder: Path) -> Checkpoint:
    if not folder.is_dir():
        raise ModelError(
            "the embedded model is not in this installation: install character-pipeline again, or set "
            "clip_analyzer.model_name to a folder, or clip_analyzer.enabled to false"
        )
    return open_checkpoint(folder, EMBEDDED_NAME)


def _find(settings: ClipAnalyzerConfig) -> Checkpoint:
    """The checkpoint of a folder or of the hub; what is cached goes before the network."""
    name = settings.model_name
    folder = Path(name).expanduser()
    if folder.is_dir():
        return open_checkpoint(folder.absolute(), folder.absolute().name)
    if not hub.is_hub_name(name) or name.startswith((".", "~")):
        raise ModelError(
            f"clip_analyzer.model_name '{name}' is no folder here. Allowed: a folder with a model, a name on the hub "
            f"such as {DEFAULT_MODEL}, or 'embedded'"
        )
    for place in hub.find_cached(name):
        found = _usable(place, settings)
        if found is not None:
            return found
    return _fetch(settings)


def _usable(place: Path, settings: ClipAnalyzerConfig) -> Checkpoint | None:
    """The checkpoint in a cached folder, if all is there that the settings need."""
    try:
        found = open_checkpoint(place, settings.model_name)
        make_plan(found, settings)
    except CharpipeError:
        return None
    return found


def _fetch(settings: ClipAnalyzerConfig) -> Checkpoint:
    name = settings.model_name
    wants_torch = settings.backend == "torch" or (settings.backend == "auto" and machine.has_torch())
    if not wants_torch and name == DEFAULT_MODEL:
        # Its repository has nothing that ONNX Runtime could run, so there is no reason to ask the network.
        raise ModelError("that one needs the extra 'clip'")
    try:
        return open_checkpoint(hub.fetch(name, hub.patterns(wants_torch, settings.precision)), name)
    except ModelError as error:
        raise ModelError(
            f"{CANNOT.format(name)}{error}. If it is a folder, it is not here; else connect to the "
            "network once, or set clip_analyzer.model_name to a folder with the model or to 'embedded'"
        ) from error
