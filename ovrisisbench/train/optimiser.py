"""AdamW over the tensors of the official code, whatever parameters of ours hold them.

Some networks keep in one parameter what the official code keeps in several,
of which only some learn: the queries, keys and values of attention. Here
every official tensor is optimised on its own, in the memory of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ovrisisbench.adapter.recipe import Recipe
from ovrisisbench.adapter.training import TrainedTensor
from ovrisisbench.train.schedule import rate_factor

__all__ = ["Optimiser"]


class Optimiser:
    """AdamW with torch's defaults, clipping of the whole gradient, and the schedule.

    Args:
        trained: what learns; networks that hold it must be on their device already.
        recipe: rates, decays, limits.
    """

    def __init__(self, trained: Sequence[TrainedTensor], recipe: Recipe) -> None:
        self._trained, self._recipe = list(trained), recipe
        self._leaves = [nn.Parameter(_rows(tensor.parameter.detach(), tensor)) for tensor in self._trained]
        self._parameters = list({id(tensor.parameter): tensor.parameter for tensor in self._trained}.values())
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for tensor, leaf in zip(self._trained, self._leaves, strict=True):
            decay = recipe.weight_decay if tensor.decays else recipe.weight_decay_norm
            groups.setdefault((tensor.lr_multiplier, decay), []).append(leaf)
        self._multipliers = [multiplier for multiplier, _ in groups]
        self._adamw = torch.optim.AdamW(
            [{"params": leaves, "weight_decay": decay} for (_, decay), leaves in groups.items()],
            lr=recipe.lr,
            fused=True,
        )

    @property
    def names(self) -> list[str]:
        """Official names of what learns."""
        return [tensor.name for tensor in self._trained]

    def clear(self) -> None:
        """Forget the gradient."""
        for parameter in self._parameters:
            parameter.grad = None

    def collect(self) -> Tensor:
        """Clip the gradient that backward passes have left, and return its norm before that, a scalar.

        A tensor without gradient counts as one with a gradient of zero.
        """
        for tensor, leaf in zip(self._trained, self._leaves, strict=True):
            gradient = tensor.parameter.grad
            leaf.grad = torch.zeros_like(leaf) if gradient is None else _rows(gradient, tensor)
        limit = self._recipe.clip_gradient_norm
        return nn.utils.clip_grad_norm_(self._leaves, float("inf") if limit is None else limit)

    def step(self, iteration: int) -> float:
        """Change the weights by what :meth:`collect` has left; return the learning rate without multipliers."""
        rate = self._recipe.lr * rate_factor(iteration, self._recipe)
        for group, multiplier in zip(self._adamw.param_groups, self._multipliers, strict=True):
            group["lr"] = rate * multiplier
        self._adamw.step()
        return rate

    def gradients(self) -> Mapping[str, Tensor]:
        """Return the gradients that :meth:`collect` has left, by official name."""
        return {name: _given(leaf.grad) for name, leaf in zip(self.names, self._leaves, strict=True)}

    def rates(self) -> Mapping[str, tuple[float, float]]:
        """Return the learning rate and the decay of each tensor in the last step, by official name."""
        of_leaf = {
            id(leaf): (float(group["lr"]), float(group["weight_decay"]))
            for group in self._adamw.param_groups
            for leaf in group["params"]
        }
        return {name: of_leaf[id(leaf)] for name, leaf in zip(self.names, self._leaves, strict=True)}

    def state(self) -> dict[str, dict[str, Any]]:
        """Return Adam's memory of each tensor, by official name."""
        return {name: dict(self._adamw.state[leaf]) for name, leaf in zip(self.names, self._leaves, strict=True)}

    def load_state(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Take up what :meth:`state` has given.

        Raises:
            KeyError: it is of other tensors.
        """
        for name, leaf in zip(self.names, self._leaves, strict=True):
            self._adamw.state[leaf] = {
                key: value.to(leaf.device, copy=True) if isinstance(value, Tensor) else value
                for key, value in state[name].items()
            }


def _rows(tensor: Tensor, trained: TrainedTensor) -> Tensor:
    """Return the rows of a parameter, or of its gradient, that one official tensor has; a view."""
    return tensor if trained.rows is None else tensor[slice(*trained.rows)]


def _given(gradient: Tensor | None) -> Tensor:
    if gradient is None:
        raise ValueError("no gradient was collected")
    return gradient
