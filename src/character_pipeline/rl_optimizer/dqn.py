"""A deep Q-network, whole: replay, network, targets, learner, training loop.

Deep Q-learning (Mnih et al., 2015) with double targets (van Hasselt et al., 2016), a dueling head (Wang et al., 2016)
and slowly following target weights (Lillicrap et al., 2016). Actions that are not allowed are never taken, neither in
acting nor in the targets. Shapes: n transitions or environments, F features, A actions.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from character_pipeline.errors import MissingExtraError
from character_pipeline.models import machine
from character_pipeline.rl_optimizer.settings import Settings

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32] | NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Step(NamedTuple):
    """What n actions led to. A terminal state is worth nothing more; a truncated episode was merely cut off there.

    `next_states` (n, F) and `next_masks` (n, A) are those reached, also where the next episode has begun since.
    """

    rewards: Floats
    terminal: Flags
    truncated: Flags
    next_states: Floats
    next_masks: Flags


class Transitions(NamedTuple):
    """Actions (n,) taken in states (n, F), and the fields of `Step`."""

    states: Floats
    actions: Ints
    rewards: Floats
    terminal: Flags
    truncated: Flags
    next_states: Floats
    next_masks: Flags


class Environments(Protocol):
    """n environments side by side. Each begins its next episode by itself."""

    def observe(self) -> tuple[Floats, Flags]:
        """Where they are: states (n, F), and masks (n, A) of the actions that are allowed there, at least one."""

    def step(self, actions: Ints) -> Step:
        """Take actions (n,)."""


class Replay:
    """A ring buffer of transitions in plain arrays."""

    def __init__(self, capacity: int, features: int, actions: int) -> None:
        self.added = 0
        kinds: dict[str, tuple[Any, ...]] = {
            "states": (np.float32, features),
            "next_states": (np.float32, features),
            "rewards": (np.float32,),
        }
        kinds |= {"actions": (np.int64,), "next_masks": (np.bool_, actions)}
        kinds |= {"terminal": (np.bool_,), "truncated": (np.bool_,)}
        self.columns: dict[str, NDArray[Any]] = {
            name: np.zeros((capacity, *shape), kind) for name, (kind, *shape) in kinds.items()
        }
        self.capacity = capacity

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, seen: Transitions) -> None:
        """Keep transitions, in place of the oldest where it is full."""
        places = (self.added + np.arange(len(seen.actions))) % self.capacity
        for name, values in seen._asdict().items():
            self.columns[name][places] = values
        self.added += len(seen.actions)

    def sample(self, rng: np.random.Generator, size: int) -> Transitions:
        """So many transitions, each drawn from all that are kept."""
        places = rng.integers(len(self), size=size)
        return Transitions(**{name: column[places] for name, column in self.columns.items()})


def make_network(features: int, actions: int, hidden: tuple[int, ...], seed: int) -> torch.nn.ModuleDict:
    """An untrained network; torch's own random numbers go on as if nothing had been drawn."""
    import torch
    from torch import nn

    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        sizes = zip((features, *hidden), hidden, strict=False)
        body = nn.Sequential(*(layer for size in sizes for layer in (nn.Linear(*size), nn.ReLU())))
        heads = {"value": nn.Linear(hidden[-1], 1), "advantage": nn.Linear(hidden[-1], actions)}
        return nn.ModuleDict({"body": body, **heads})


def q_values(network: torch.nn.ModuleDict, states: torch.Tensor) -> torch.Tensor:
    """The expected return (n, A) of each action in states (n, F): that of the state, and the action's advantage."""
    seen = network["body"](states)
    advantage = network["advantage"](seen)
    found: torch.Tensor = network["value"](seen) + advantage - advantage.mean(dim=1, keepdim=True)
    return found


def values_of(network: torch.nn.ModuleDict, states: Floats) -> NDArray[np.float32]:
    """`q_values` in plain arrays."""
    import torch

    with torch.no_grad():
        found: NDArray[np.float32] = q_values(network, _tensor(states)).numpy()
    return found


def td_targets(
    seen: Transitions, online: Floats, target: Floats, gamma: float, bounds: tuple[float, float] | None = None
) -> Floats:
    """What the actions taken turned out to be worth, shape (n,).

    The reward, and unless the state reached is terminal (a truncated one is not) what the best allowed action there is
    worth: chosen by the values `online` (n, A), judged by `target` (n, A), both of the next states (double Q-learning,
    van Hasselt et al., 2016; with `target` for both it is that of Mnih et al., 2015). Clamped to `bounds`.
    """
    best = best_allowed(online, seen.next_masks)
    later = np.take_along_axis(target, best[:, None], axis=1)[:, 0]
    found: Floats = seen.rewards + gamma * np.where(seen.terminal, 0.0, later)
    return found if bounds is None else found.clip(*bounds)


class Learner:
    """A network that learns. The same seed, experience, machine and number of threads give the same weights.

    Raises MissingExtraError where torch is not installed.
    """

    def __init__(self, features: int, actions: int, settings: Settings) -> None:
        if not machine.has_package("torch"):
            raise MissingExtraError("learning a policy", "train")
        import torch

        self.features, self.actions, self.settings = features, actions, settings
        self.rng = np.random.default_rng(settings.seed)
        self.online = make_network(features, actions, settings.hidden, settings.seed)
        self.target = copy.deepcopy(self.online)
        self._weights = list(self.online.parameters())
        self._pairs = list(zip(self.target.parameters(), self._weights, strict=True))
        self.adam = torch.optim.Adam(self._weights, lr=settings.learning_rate)
        self.replay = Replay(settings.capacity, features, actions)
        self.updates = 0
        """Steps of learning from experience."""

    def values(self, states: Floats) -> NDArray[np.float32]:
        """The expected return of each action, shape (n, A), also of those not allowed."""
        return values_of(self.online, states)

    def act(self, states: Floats, masks: Flags, explore: bool = False) -> Ints:
        """The best allowed action in each state; or, exploring, now and then any that is allowed.

        Raises ValueError where no action is allowed.
        """
        check_masks(masks, len(states), self.actions)
        chosen = best_allowed(self.values(states), masks)
        if explore:
            any_allowed = best_allowed(self.rng.random(masks.shape), masks)
            dice = self.rng.random(len(states)) < self.settings.epsilon_after(self.replay.added)
            chosen = np.where(dice, any_allowed, chosen)
        return chosen

    def remember(self, seen: Transitions) -> None:
        """Take up what was seen. Raises ValueError where a state that is not terminal allows no action."""
        going_on = ~seen.terminal
        check_masks(seen.next_masks[going_on], int(going_on.sum()), self.actions)
        self.replay.add(seen)

    def learn(self) -> None:
        """As many steps from experience as are due after what was seen."""
        settings = self.settings
        due = (self.replay.added - settings.warmup) // settings.learn_every
        while self.updates < due:
            self._learn_once(self.replay.sample(self.rng, settings.batch_size))
            self.updates += 1

    def _learn_once(self, seen: Transitions) -> float:
        later = values_of(self.online, seen.next_states), values_of(self.target, seen.next_states)
        targets = td_targets(seen, *later, self.settings.gamma, self.settings.bounds)
        found = q_values(self.online, _tensor(seen.states))
        return self._improve(found.gather(1, _tensor(seen.actions)[:, None])[:, 0], _tensor(targets))

    def regress(self, states: Floats, targets: Floats, masks: Flags) -> float:
        """One step from full information: the returns (n, A) of all allowed actions are known. Returns the loss.

        Targets of actions that are not allowed are not looked at, and may be NaN.
        """
        check_masks(masks, len(states), self.actions)
        allowed = _tensor(masks)
        return self._improve(q_values(self.online, _tensor(states))[allowed], _tensor(targets)[allowed])

    def _improve(self, found: torch.Tensor, targets: torch.Tensor) -> float:
        """Move values (any shape) towards targets. Raises RuntimeError on numbers without sense."""
        import torch

        loss = torch.nn.functional.huber_loss(found, targets, delta=self.settings.largest_error)
        self.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._weights, self.settings.largest_gradient, error_if_nonfinite=True)
        self.adam.param_groups[0]["lr"] = self.settings.rate_after(self.replay.added)
        self.adam.step()
        with torch.no_grad():
            for old, new in self._pairs:
                old.lerp_(new, self.settings.target_rate)
        return float(loss.detach())

    def layers(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Weights (inputs, outputs) and bias (outputs,) of an equal plain network, with ReLU between layers."""
        body, value, advantage = self.online["body"], self.online["value"], self.online["advantage"]
        pairs = [(layer.weight, layer.bias) for layer in (*body[::2], value, advantage)]  # type: ignore[index]
        *found, (v, v_bias), (a, a_bias) = [
            (w.detach().double().numpy().T, b.detach().double().numpy()) for w, b in pairs
        ]
        return [*found, (v + a - a.mean(axis=1, keepdims=True), v_bias + a_bias - a_bias.mean())]


def _tensor(values: NDArray[Any]) -> torch.Tensor:
    import torch

    found = torch.from_numpy(np.require(values, requirements=["C", "W"]))
    return found.float() if found.is_floating_point() else found


def best_allowed(values: Floats, masks: Flags) -> Ints:
    """The first of the best allowed actions, shape (n,), by values (n, A)."""
    found: Ints = np.where(masks, values, -np.inf).argmax(axis=1)
    return found


def check_masks(masks: Flags, rows: int, actions: int) -> None:
    """Raises ValueError unless masks have the shape (rows, actions) and each row allows something."""
    if masks.dtype != np.bool_ or masks.shape != (rows, actions):
        raise ValueError(f"masks are {masks.dtype} of shape {masks.shape}, not bool of shape {(rows, actions)}")
    if not masks.any(axis=1).all():
        raise ValueError(f"no action is allowed in row {int(np.argmin(masks.any(axis=1)))} of {rows}")


def train(learner: Learner, environments: Environments, transitions: int) -> None:
    """Act and learn until so many more transitions are seen. Where it stops, a later call goes on."""
    end = learner.replay.added + transitions
    while learner.replay.added < end:
        states, masks = environments.observe()
        actions = learner.act(states, masks, explore=True)
        learner.remember(Transitions(states, actions, *environments.step(actions)))
        learner.learn()


def fit(learner: Learner, states: Floats, targets: Floats, masks: Flags, passes: int) -> float:
    """Regress so often over all states, in shuffled batches. Returns the mean loss of the last pass."""
    size, loss = learner.settings.batch_size, np.nan
    for _ in range(passes):
        order = learner.rng.permutation(len(states))
        batches = [order[at : at + size] for at in range(0, len(order), size)]
        loss = float(np.mean([learner.regress(states[rows], targets[rows], masks[rows]) for rows in batches]))
    return loss
