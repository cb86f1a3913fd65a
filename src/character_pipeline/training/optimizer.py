"""One optimizer for all weights of a network: Muon for matrices and filters, AdamW for the rest.

Muon (Jordan et al., 2024, "Muon: an optimizer for hidden layers in neural networks") makes every step of a matrix
orthogonal, so that all its directions learn alike; from scratch that takes fewer steps than AdamW alone (Loshchilov and
Hutter, 2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MATRIX_RATE = 5.0
"""The rate of Muon, in relation to that of AdamW."""
MOMENTUM = 0.95
DECAY = 0.05
MATRIX_DECAY = 0.02
RMS = 0.2
"""A step of Muon is as large as one of AdamW usually is, whatever the shape of the matrix (Liu et al., 2025)."""
NEWTON = ((3.4445, -4.7750, 2.0315),) * 5
"""Coefficients of the quintic Newton-Schulz iterations."""
LARGEST_GRADIENT = 5.0
SMALLEST = 24
"""Matrices with fewer rows, or filters with fewer weights, are left to AdamW."""


def fast_type() -> torch.dtype:
    """What this processor multiplies fastest: bfloat16, or float32 where it would have to imitate bfloat16, which takes
    many times as long."""
    import torch

    there: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older releases cannot tell
    own = any(there.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return torch.bfloat16 if own else torch.float32


def fast_products() -> torch.autocast:
    """Within, networks multiply in `fast_type`."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=fast_type() is torch.bfloat16)


def orthogonal(step: torch.Tensor) -> torch.Tensor:
    """The nearest orthogonal matrix, nearly, of a matrix or of filters laid flat; same shape."""
    flat = step.reshape(len(step), -1).to(fast_type())
    tall = flat.shape[0] > flat.shape[1]
    flat = flat.T if tall else flat
    flat = flat / (flat.norm() + 1e-7)
    for a, b, c in NEWTON:
        gram = flat @ flat.T
        flat = a * flat + (b * gram + c * gram @ gram) @ flat
    found: torch.Tensor = (flat.T if tall else flat).float().reshape(step.shape)
    return found


@dataclass
class Optimizers:
    """Both, under one schedule: up to `rate` over the first `warmup` of all steps, then to zero along a cosine."""

    matrices: list[torch.Tensor]
    momenta: list[torch.Tensor]
    adam: torch.optim.AdamW
    rate: float
    warmup: float = 0.06

    def step(self, loss: torch.Tensor, progress: float) -> None:
        """Learn from one loss; `progress` is the share of all steps that are done. Raises on numbers without sense."""
        import torch

        loss.backward()  # type: ignore[no-untyped-call]
        others = [weight for group in self.adam.param_groups for weight in group["params"]]
        torch.nn.utils.clip_grad_norm_(others, LARGEST_GRADIENT, error_if_nonfinite=True)
        rate = self.rate * self._share(progress)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self._move(MATRIX_RATE * rate)
        for weight in (*others, *self.matrices):
            weight.grad = None

    def _share(self, progress: float) -> float:
        if progress < self.warmup:
            return (progress + 1e-3) / (self.warmup + 1e-3)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - self.warmup) / (1 - self.warmup))))

    def _move(self, rate: float) -> None:
        import torch

        with torch.no_grad():
            for weight, momentum in zip(self.matrices, self.momenta, strict=True):
                if weight.grad is None:
                    continue
                momentum.lerp_(weight.grad, 1 - MOMENTUM)
                step = orthogonal(weight.grad.lerp(momentum, MOMENTUM))
                weight.mul_(1 - rate * MATRIX_DECAY)
                weight.add_(step, alpha=-rate * RMS * max(weight.shape[0], weight[0].numel()) ** 0.5)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The state, for a file."""
        found = {f"momentum.{number}": value for number, value in enumerate(self.momenta)}
        for number, state in self.adam.state_dict()["state"].items():
            found |= {f"adam.{number}.{key}": value for key, value in state.items()}
        return {name: value.clone() for name, value in found.items()}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take up a state as `tensors` gave it."""
        moments: dict[int, dict[str, Any]] = {}
        for name, value in tensors.items():
            kind, number, *key = name.split(".")
            if kind == "momentum":
                self.momenta[int(number)].copy_(value)
            else:
                moments.setdefault(int(number), {})[key[0]] = value
        self.adam.load_state_dict({**self.adam.state_dict(), "state": moments})


def make_optimizers(network: torch.nn.Module, rate: float) -> Optimizers:
    """The optimizers of all weights of a network."""
    import torch

    weights = dict(network.named_parameters())
    matrices = {name: weight for name, weight in weights.items() if _is_matrix(name, weight)}
    others = [weight for name, weight in weights.items() if name not in matrices]
    groups: list[dict[str, Any]] = [
        {"params": [w for w in others if w.ndim < 2], "weight_decay": 0.0},
        {"params": [w for w in others if w.ndim >= 2], "weight_decay": DECAY},
    ]
    adam = torch.optim.AdamW([g for g in groups if g["params"]], lr=rate, betas=(0.9, 0.98))
    found: list[torch.Tensor] = list(matrices.values())
    return Optimizers(found, [torch.zeros_like(weight) for weight in found], adam, rate)


def _is_matrix(name: str, weight: torch.Tensor) -> bool:
    """Whether Muon takes it: hidden layers, not heads, not filters of single channels."""
    return weight.ndim >= 2 and len(weight) >= SMALLEST and weight[0].numel() >= 64 and not name.startswith("heads")
