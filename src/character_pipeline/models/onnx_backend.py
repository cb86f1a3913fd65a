"""Models run by ONNX Runtime."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

from character_pipeline.errors import ModelError
from character_pipeline.models import machine
from character_pipeline.models.base import unit_rows
from character_pipeline.models.batching import Batches
from character_pipeline.models.logits import read_logits
from character_pipeline.models.plan import Plan
from character_pipeline.models.tokenizer import TextTokenizer, read_tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

log = logging.getLogger(__name__)
CPU_BATCH = 4
"""Pictures in a call on a CPU. Measured: more are no faster, and fewer are slower."""
SENTENCES = 16
OUTPUTS = ("image_embeds", "text_embeds", "pooler_output")
NUMBERS = {"tensor(float16)": "float16", "tensor(int32)": "int32", "tensor(int64)": "int64"}


class Session(Protocol):
    """What is used of an ONNX Runtime session."""

    def run(self, names: Sequence[str], feed: Mapping[str, Any]) -> Sequence[Any]: ...
    def get_inputs(self) -> Sequence[Any]: ...
    def get_outputs(self) -> Sequence[Any]: ...
    def get_providers(self) -> Sequence[str]: ...


class Tower:
    """One session: its inputs, and the one output that is the embedding."""

    def __init__(self, session: Session, what: str, size: int) -> None:
        self.session = session
        self.inputs = {entry.name: entry for entry in session.get_inputs()}
        self.output = _find_output(session, what, size)
        self.size = size

    @property
    def text_length(self) -> int | None:
        """The number of tokens that the model insists on, or None."""
        length = self.inputs["input_ids"].shape[-1]
        return length if isinstance(length, int) else None

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The embeddings as the model gives them, shape (rows, size)."""
        import numpy as np

        feed = {
            name: np.ascontiguousarray(arrays[name], dtype=NUMBERS.get(entry.type, "float32"))
            for name, entry in self.inputs.items()
        }
        (found,) = self.session.run([self.output], feed)
        return np.asarray(found, dtype=np.float32)


def _find_output(session: Session, what: str, size: int) -> str:
    """The output that holds the embedding: by its name, else the only one of the right shape."""
    outputs: dict[str, list[int | str]] = {entry.name: entry.shape for entry in session.get_outputs()}
    named = [name for name in OUTPUTS if name in outputs]
    flat = [name for name, shape in outputs.items() if len(shape) == 2]
    found = next(iter(named or (flat if len(flat) == 1 else [])), None)
    if found is None:
        raise ModelError(f"{what} has no output named {', '.join(OUTPUTS)}. It has: {', '.join(outputs)}")
    width = outputs[found][-1]
    if isinstance(width, int) and width != size:
        raise ModelError(
            f"{what}: the output '{found}' has {width} numbers where config.json says {size}: the file was exported "
            "without its projection. Export the model anew with: charpipe export-onnx MODEL --output FOLDER"
        )
    return found


class OnnxEncoder:
    """A dual encoder in ONNX files. The text model is loaded when the first sentence comes.

    A picture's vector does not depend on what else is in the batch: every call has the same shape, and with int8,
    where one scale holds for all pictures of a call, a call has one picture.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.name = plan.checkpoint.name
        self.key = plan.key
        self.size = plan.checkpoint.size
        self.scale, self.bias = read_logits(plan.checkpoint)
        self._vision = self._open("vision")
        on_gpu = self._vision.session.get_providers()[0] != "CPUExecutionProvider"
        self.device = f"{plan.device} (ONNX Runtime)" if on_gpu else f"cpu, {threads_in_words(plan.threads)}"
        single = plan.precision == "int8"
        limit = 1 if single else plan.batch_size if on_gpu else min(CPU_BATCH, plan.batch_size)
        # Measured: calls side by side, each in one thread, do half as much again as one call in many threads.
        threads = 1 if on_gpu else plan.threads or machine.count_cores()
        self._pictures = Batches(limit, padded=True, threads=threads)
        self._sentences = Batches(1 if single else max(limit, SENTENCES), padded=True, threads=threads)

    def embed_pictures(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """See DualEncoder."""
        return unit_rows(self._pictures.run(pictures, self.size, self._look))

    def _look(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        return self._vision.run({"pixel_values": self.plan.checkpoint.preprocessing(pictures)})

    def embed_texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """See DualEncoder."""
        import numpy as np

        found = np.empty((len(sentences), self.size), dtype=np.float32)
        for places, arrays in self._tokenizer.groups(sentences, self._text.text_length):
            found[places] = self._sentences.run(range(len(places)), self.size, partial(self._read, arrays))
        return unit_rows(found)

    def _read(self, arrays: Mapping[str, NDArray[np.int64]], rows: Sequence[int]) -> NDArray[np.float32]:
        return self._text.run({name: array[list(rows)] for name, array in arrays.items()})

    @cached_property
    def _text(self) -> Tower:
        return self._open("text")

    @cached_property
    def _tokenizer(self) -> TextTokenizer:
        return read_tokenizer(self.plan.checkpoint.folder, self.plan.checkpoint.config)

    def _open(self, tower: Any) -> Tower:
        path = self.plan.onnx_file(tower)
        if path is None:
            raise ModelError(
                f"{self.plan.checkpoint.folder}/onnx/{tower}_model.onnx is missing. It is needed for sentences "
                "that the folder has no embeddings of: put it there, or go back to the prompts of the package"
            )
        return Tower(open_session(path, self.plan), path, self.size)


def open_session(path: str, plan: Plan) -> Session:
    """A session on the device of the plan. Raises ModelError on a damaged file, or where a GPU is not to be had."""
    session = start_session(path, plan.device)
    check_provider(session, plan)
    return session


def start_session(path: str, device: str = "cpu") -> Session:
    """A session of one thread, on another device than this one where it cannot be had. Raises ModelError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Processors without VNNI would cut off sums of 8-bit products, and answer otherwise than those that have it.
    options.add_session_config_entry("session.x64quantprecision", "1")
    wanted = _providers(device)
    try:
        session: Session = onnxruntime.InferenceSession(path, options, providers=wanted)
    except Exception as error:
        raise ModelError(f"{path} cannot be loaded by ONNX Runtime: {error}. Fetch or export it again") from error
    return session


def check_provider(session: Session, plan: Plan) -> None:
    """Warn, or stop where the device was asked for, when a GPU was wanted and a CPU is used."""
    if plan.device == "cpu" or session.get_providers()[0] != "CPUExecutionProvider":
        return
    told = (
        f"ONNX Runtime runs {plan.checkpoint.name} on the CPU, not on '{plan.device}': CUDA could not be loaded. "
        "Check that the versions of CUDA and cuDNN fit onnxruntime-gpu, or set clip_analyzer.device to 'cpu'"
    )
    if plan.strict:
        raise ModelError(told)
    log.warning(told)


def _providers(device: str) -> list[Any]:
    if device == "cpu":
        return ["CPUExecutionProvider"]
    number = int(device.partition(":")[2] or 0)
    return [("CUDAExecutionProvider", {"device_id": number, "use_tf32": "0"}), "CPUExecutionProvider"]


def threads_in_words(threads: int) -> str:
    count = threads or machine.count_cores()
    return f"{count} thread{'s' if count > 1 else ''}"
