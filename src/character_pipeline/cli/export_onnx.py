"""`charpipe export-onnx`: make a model that runs without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from character_pipeline.cli.common import console, shown


def export_onnx(
    model: Annotated[str, typer.Argument(help="A folder, or a name on the hub: openai/clip-vit-base-patch32.")],
    output: Annotated[Path, typer.Option(help="The folder to write.")],
    int8: Annotated[bool, typer.Option("--int8", help="Also write 8-bit weights: faster on a CPU.")] = False,
) -> None:
    """Export a CLIP or SigLIP model to ONNX, and check that it says the same as the original."""
    from character_pipeline.models.export import export_onnx as export

    screen = console()
    for parity in export(model, output, int8):
        screen.print(
            f"{parity.precision}: largest difference from the original {parity.difference:.2g}, "
            f"least cosine {parity.cosine:.5f}"
        )
    screen.print(f"written to {shown(str(output))}; use it as clip_analyzer.model_name")
