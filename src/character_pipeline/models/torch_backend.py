"""Models run by torch and transformers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from character_pipeline.errors import MissingExtraError, ModelError
from character_pipeline.models import machine
from character_pipeline.models.base import unit_rows
from character_pipeline.models.batching import Batches
from character_pipeline.models.logits import read_logits
from character_pipeline.models.onnx_backend import threads_in_words
from character_pipeline.models.plan import Plan
from character_pipeline.models.tokenizer import TextTokenizer, read_tokenizer

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image

log = logging.getLogger(__name__)
SENTENCES = 32
TYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


class TorchEncoder:
    """A dual encoder in safetensors files. A picture's vector does not depend on what else is in the batch."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.name = plan.checkpoint.name
        self.key = plan.key
        self.size = plan.checkpoint.size
        self.model = load_model(plan)
        self.scale, self.bias = read_logits(plan.checkpoint)
        self.device = _device_in_words(plan)
        # On a CPU a row's last bits depend on its place in the batch; on a GPU only on the shape of the batch.
        limit = 1 if plan.device == "cpu" else plan.batch_size
        # Measured: calls side by side, each in one thread, do half as much again as one picture in many threads.
        threads = (plan.threads or machine.count_cores()) if plan.device == "cpu" else 1
        self._pictures = Batches(limit, padded=True, threads=threads)
        # Sentences are computed once and kept, so that their last bits come from one batch alone.
        self._sentences = Batches(max(limit, SENTENCES), padded=True)

    def for_asking(self) -> TorchEncoder:
        """Itself, with weights laid out for speed where that helps: it can be exported and trained no more."""
        if self.plan.device == "cpu" and self.plan.precision == "fp32" and not self.plan.compile:
            pack(self.model.vision_model)
        return self

    def embed_pictures(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """See DualEncoder."""
        with one_thread_a_call(self._pictures.threads):
            return unit_rows(self._pictures.run(pictures, self.size, self._look))

    def _look(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        import torch

        pixels = torch.from_numpy(self.plan.checkpoint.preprocessing(pictures))
        return self._features(self._see, {"pixel_values": pixels.to(self.plan.device, self._floats)})

    def embed_texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """See DualEncoder."""
        import numpy as np

        found = np.empty((len(sentences), self.size), dtype=np.float32)
        for places, arrays in self.tokenizer.groups(sentences):
            found[places] = self._sentences.run(range(len(places)), self.size, partial(self._read, arrays))
        return unit_rows(found)

    def _read(self, arrays: Mapping[str, NDArray[np.int64]], rows: Sequence[int]) -> NDArray[np.float32]:
        import torch

        inputs = {name: torch.from_numpy(arrays[name][list(rows)]).to(self.plan.device) for name in self.text_inputs}
        return self._features(self.model.get_text_features, inputs)

    @property
    def text_inputs(self) -> list[str]:
        """What the text model is given; one that reads the padding too (SigLIP) has no mask."""
        return ["input_ids"] if self.tokenizer.fixed else ["input_ids", "attention_mask"]

    def _features(self, work: Any, inputs: Mapping[str, torch.Tensor]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            found = work(**inputs)
        vectors: NDArray[np.float32] = getattr(found, "pooler_output", found).float().cpu().numpy()
        return vectors

    @cached_property
    def _see(self) -> Any:
        import torch

        see = self.model.get_image_features
        return torch.compile(see) if self.plan.compile else see

    @cached_property
    def _floats(self) -> torch.dtype:
        found: torch.dtype = next(p.dtype for p in self.model.vision_model.parameters() if p.dtype.is_floating_point)
        return found

    @cached_property
    def tokenizer(self) -> TextTokenizer:
        return read_tokenizer(self.plan.checkpoint.folder, self.plan.checkpoint.config)


def load_model(plan: Plan) -> Any:
    """The model of a plan, from safetensors alone, ready to be asked. Raises ModelError on damaged files."""
    import torch
    from transformers import AutoModel

    if plan.device == "cpu" and plan.threads:
        torch.set_num_threads(plan.threads)
    how = _quantised(plan) if plan.precision == "int8" else {"dtype": getattr(torch, TYPES[plan.precision])}
    try:
        with silence():
            model = AutoModel.from_pretrained(
                plan.checkpoint.folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, **how
            )
    except Exception as error:
        told = f"{plan.checkpoint.folder} cannot be loaded by transformers: {type(error).__name__}: {error}"
        raise ModelError(f"{told[:600]}. Fetch the model again") from error
    if not hasattr(model, "get_image_features") or not hasattr(model, "get_text_features"):
        raise ModelError(f"{plan.checkpoint.name} is a {type(model).__name__}, not a model of pictures and sentences")
    return (model if plan.precision == "int8" else model.to(plan.device)).eval()


def pack(network: Any) -> None:
    """Let oneDNN do the products of a network, in place. Measured on an AMD EPYC: twice as fast as the usual ones."""
    import torch

    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is torch.nn.Linear:
                setattr(parent, name, _packed(layer))


def _packed(layer: torch.nn.Linear) -> Any:
    import torch

    weight, bias = layer.weight.detach(), layer.bias.detach() if layer.bias is not None else None
    packed, packed_bias = weight.to_mkldnn(), None if bias is None else bias.to_mkldnn()

    class Packed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = layer.weight  # its type and device are asked for

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = torch.ops.aten.mkldnn_linear(given.to_mkldnn(), packed, packed_bias).to_dense()
            return found

    return Packed()


@contextmanager
def one_thread_a_call(calls: int) -> Iterator[None]:
    """Where several calls go on at the same time, torch shares none of them out over threads."""
    import torch

    before = torch.get_num_threads()
    try:
        if calls > 1:
            torch.set_num_threads(1)
        yield
    finally:
        if calls > 1:
            torch.set_num_threads(before)


@contextmanager
def silence() -> Iterator[None]:
    """No progress bars of transformers: a library does not write to the screen."""
    from transformers.utils import logging as told

    bars: Any = told
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _quantised(plan: Plan) -> dict[str, Any]:
    """What makes transformers load 8-bit weights through bitsandbytes; the projections stay as they are."""
    if not machine.has_package("bitsandbytes"):
        raise MissingExtraError("precision 'int8' with torch", "int8")
    import torch
    from transformers import BitsAndBytesConfig

    kept = ["visual_projection", "text_projection", "head", "out_proj"]
    if str(plan.checkpoint.config.get("vision_config", {}).get("model_type", "")).startswith("convnext"):
        kept.append("vision_model")  # its linear layers work on whole planes, which 8-bit products do not take
    make: Any = BitsAndBytesConfig
    config = make(load_in_8bit=True, llm_int8_skip_modules=kept)
    floats = torch.float32 if plan.device == "cpu" else torch.float16
    return {"quantization_config": config, "device_map": {"": plan.device}, "dtype": floats}


def _device_in_words(plan: Plan) -> str:
    import torch

    if plan.device == "cpu":
        return f"cpu, {threads_in_words(torch.get_num_threads())}"
    return f"{plan.device} ({torch.cuda.get_device_name(plan.device)})"
