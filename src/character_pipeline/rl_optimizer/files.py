"""How policies and half-done trainings lie on disk: see `models.tensor_file`."""

from character_pipeline.models.tensor_file import Tensors, read_tensors, write_tensors

__all__ = ["Tensors", "read_tensors", "write_tensors"]
