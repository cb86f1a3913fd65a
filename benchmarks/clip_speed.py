"""How fast pictures become vectors: bare torch against ONNX Runtime, fp32 and 8 bits. Prints a Markdown table.

The first rows are bare: tensors that are ready. The last ones are the encoders of the package, which also resize the
pictures. By default the model has random weights in the true shape of ViT-B/32: the speed is that of the real one.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.extractors.prompt_scoring import build_table
from character_pipeline.models.checkpoint import open_checkpoint
from character_pipeline.models.export import export_onnx
from character_pipeline.models.load import EMBEDDED, load_encoder
from character_pipeline.models.machine import count_cores
from character_pipeline.models.plan import make_plan
from character_pipeline.models.prompt_cache import prompt_cache
from character_pipeline.vocabulary import load_vocabulary
from character_pipeline.vocabulary.prompts import load_prompts

Job = Callable[[], Any]


def make_vit(folder: Path) -> Path:
    """A CLIP of the shape of ViT-B/32 with random weights, for both backends."""
    import torch
    from tokenizers import Tokenizer, models
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    torch.manual_seed(0)
    CLIPModel(CLIPConfig()).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    words = {"<|endoftext|>": 0, "[UNK]": 1}
    Tokenizer(models.WordLevel(words, unk_token="[UNK]")).save(str(folder / "tokenizer.json"))
    export_onnx(str(folder), folder, int8=True)
    return folder


def bare_torch(folder: Path, pixels: Any, batch: int, threads: int) -> Job:
    import torch
    from transformers import AutoModel

    torch.set_num_threads(threads)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False).eval()
    tensor = torch.from_numpy(pixels)

    def run() -> None:
        with torch.inference_mode():
            for start in range(0, len(tensor), batch):
                model.get_image_features(pixel_values=tensor[start : start + batch])

    return run


def bare_onnx(path: Path, pixels: Any, batch: int, threads: int) -> Job:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (name,) = (entry.name for entry in session.get_inputs())

    def run() -> None:
        for start in range(0, len(pixels), batch):
            session.run(None, {name: pixels[start : start + batch]})

    return run


def measure(jobs: dict[str, Job], count: int, rounds: int) -> dict[str, tuple[float, float]]:
    """The best and the median pictures a second of each job. The jobs take turns, so that all meet the same noise."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            taken[name].append(time.perf_counter() - start)
    return {name: (count / min(t[1:]), count / statistics.median(t[1:])) for name, t in taken.items()}


def load_pictures(folder: Path | None, count: int) -> list[Image.Image]:
    """Pictures of a folder, else random ones of 512 x 640."""
    if folder is None:
        chance = np.random.default_rng(0)
        coarse = chance.integers(0, 256, (count, 10, 8, 3), dtype=np.uint8)
        return [Image.fromarray(rows).resize((512, 640), Image.Resampling.BICUBIC) for rows in coarse]
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in {".png", ".jpg", ".webp"}]
    return [Image.open(path).convert("RGB") for path in paths[:count]]


def agreement(folder: Path, pictures: list[Image.Image]) -> float:
    """How often the first answer to a question is the same with 8 bits as with 32, over pictures and questions."""
    vocabulary, winners = load_vocabulary(), []
    for precision in ("fp32", "int8"):
        settings = ClipAnalyzerConfig(model_name=str(folder), backend="onnx", precision=precision, device="cpu")
        encoder, checkpoint = load_encoder(settings), open_checkpoint(folder, folder.name)
        cache = prompt_cache(make_plan(checkpoint, settings.model_copy(update={"precision": "fp32"})))
        exact = load_encoder(settings.model_copy(update={"precision": "fp32"}))
        table = build_table(
            load_prompts(vocabulary),
            checkpoint.manifest.prompt_set or "drawn",
            checkpoint.manifest,
            partial(cache.embed, compute=exact.embed_texts),
            (encoder.scale, encoder.bias),
        )
        logits = table.logits(encoder.embed_pictures(pictures))
        winners.append([logits[:, a.start : a.start + len(a.values)].argmax(axis=1) for a in table.asked])
    return float(np.mean(np.array(winners[0]) == np.array(winners[1])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="vit-b-32", help="vit-b-32 (random weights), embedded, or a folder")
    parser.add_argument("--pictures", type=Path, help="a folder of pictures; default: random ones")
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=count_cores())
    parser.add_argument("--agreement", action="store_true", help="also compare the answers of 8 and 32 bits")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        named = {"vit-b-32": lambda: make_vit(Path(place) / "vit-b-32"), "embedded": lambda: EMBEDDED}
        folder = named.get(asked.model, lambda: Path(asked.model))()
        report(folder, asked)


def report(folder: Path, asked: argparse.Namespace) -> None:
    pictures = load_pictures(asked.pictures, asked.count)
    checkpoint = open_checkpoint(folder, folder.name)
    pixels = checkpoint.preprocessing(pictures)
    jobs: dict[str, Job] = {}
    if checkpoint.weights:
        for batch in (1, 16):
            jobs[f"bare torch fp32, batches of {batch}"] = bare_torch(folder, pixels, batch, asked.threads)
    for precision in ("fp32", "int8"):
        path = checkpoint.onnx_file("vision", precision)
        if path is None:
            continue
        for batch in (1, 4):
            jobs[f"bare ONNX {precision}, batches of {batch}"] = bare_onnx(path, pixels, batch, asked.threads)
        settings = ClipAnalyzerConfig(
            model_name=str(folder), backend="onnx", precision=precision, device="cpu", threads=asked.threads
        )
        encoder = load_encoder(settings)
        jobs[f"the encoder, ONNX {precision}, with resizing"] = partial(encoder.embed_pictures, pictures)
    print(
        f"{platform.machine()}, {asked.threads} threads; {len(pictures)} pictures, {asked.rounds} rounds; {folder.name}"
    )
    print("\n| what | pictures/s, best | median | ratio of the medians to the best torch |\n|---|---|---|---|")
    found = measure(jobs, len(pictures), asked.rounds)
    base = max((median for name, (_, median) in found.items() if "torch" in name), default=float("nan"))
    for name, (best, median) in found.items():
        print(f"| {name} | {best:.1f} | {median:.1f} | {median / base:.2f} |")
    if asked.agreement:
        print(f"\nfirst answers that are the same with 8 bits as with 32: {agreement(folder, pictures):.1%}")


if __name__ == "__main__":
    main()
