"""A small network with the interface of the head finder, for pictures whose heads are red."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 64


def make_finder(path: Path, sure: float = -4.0, output: str = "found") -> Path:
    """The middle of all that is red, and the side of a square of so many pixels; the logit is that number + `sure`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    middle = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    numbers: dict[str, NDArray[Any]] = {
        "red": np.array([1.0, -0.5, -0.5], np.float32).reshape(1, 3, 1, 1),
        "across": middle.reshape(1, 1, 1, SIDE),
        "down": middle.reshape(1, 1, SIDE, 1),
        "one": np.array(1.0, np.float32),
        "side": np.array(SIDE, np.float32),
        "sure": np.array(sure, np.float32),
        "colour": np.array([1], np.int64),
        "place": np.array([1, 2, 3], np.int64),
        "row": np.array([-1, 1], np.int64),
    }
    steps: list[tuple[str, list[str], str]] = [
        ("Mul", ["pixels", "red"], "reds"),
        ("ReduceSum", ["reds", "colour"], "redness"),
        ("Relu", ["redness"], "mass"),
        ("ReduceSum", ["mass", "place"], "total"),
        ("Max", ["total", "one"], "some"),
        *_mean("across"),
        *_mean("down"),
        ("Sqrt", ["total"], "length"),
        ("Div", ["length", "side"], "share"),
        ("Add", ["total", "sure"], "logit"),
        *((("Reshape", [name, "row"], f"{name}_row")) for name in ("mean_across", "mean_down", "share", "logit")),
    ]
    nodes: list[Any] = [helper.make_node(kind, given, [made]) for kind, given, made in steps]
    rows = [f"{name}_row" for name in ("mean_across", "mean_down", "share", "logit")]
    nodes.append(helper.make_node("Concat", rows, [output], axis=1))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    found = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 4])
    constants = [numpy_helper.from_array(array, name) for name, array in numbers.items()]
    graph = helper.make_graph(nodes, "finder", [pixels], [found], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def _mean(axis: str) -> list[tuple[str, list[str], str]]:
    return [
        ("Mul", ["mass", axis], f"mass_{axis}"),
        ("ReduceSum", [f"mass_{axis}", "place"], f"sum_{axis}"),
        ("Div", [f"sum_{axis}", "some"], f"mean_{axis}"),
    ]


def constant_finder(path: Path, answer: list[float]) -> Path:
    """A network that answers the same to every picture."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, [1, len(answer)])
    value = numpy_helper.from_array(np.array([answer], np.float32), "value")
    graph = helper.make_graph([helper.make_node("Constant", [], ["found"], value=value)], "same", [pixels], [found])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def figure(size: tuple[int, int], head: tuple[int, int, int, int] | None, ground: str = "navy") -> Image.Image:
    """A ground with a red head, if any."""
    picture = Image.new("RGB", size, ground)
    if head is not None:
        ImageDraw.Draw(picture).rectangle(head, fill="red")
    return picture
