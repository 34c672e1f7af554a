"""A network in training: what all trainers return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from ovrisisbench.adapter.interface import Adapter
from ovrisisbench.adapter.recipe import Recipe
from ovrisisbench.adapter.training import TrainedTensor
from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.adapters.training.tuning import Tuning, tuned

__all__ = ["LossModule", "NetworkTraining"]


class LossModule(Protocol):
    """A network with its loss, a torch module."""

    def normalisers(self, labels: Tensor) -> dict[str, float]:
        """See :meth:`ovrisisbench.adapter.training.Training.normalisers`."""
        ...

    def train(self, mode: bool = True) -> nn.Module:
        """Put the network into training."""
        ...


class NetworkTraining:
    """See :class:`ovrisisbench.adapter.training.Training`.

    Args:
        network: on its device; exactly what the recipe trains learns afterwards.
        loss: holds the network.
        layout: of the network in official files.
        recipe: of the training.
        rules: parameter groups of the official code.
        evaluate: makes a model of official tensors, which it copies.
        settings: switches of the network, as one would type them; those of speed alone are left out.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: LossModule,
        *,
        layout: FileLayout,
        recipe: Recipe,
        rules: Tuning,
        evaluate: Callable[[Mapping[str, Tensor]], Adapter],
        settings: Mapping[str, str],
    ) -> None:
        self._network, self._layout, self._loss = network, layout, loss
        self._trained = tuned(network, layout, rules, encoder_multiplier=recipe.encoder_lr_multiplier)
        self.module = loss.train()
        self._evaluate = evaluate
        self._settings = {name: value for name, value in settings.items() if name != "linears"}

    def normalisers(self, labels: Tensor) -> dict[str, float]:
        """Return what the loss of a part of a batch is divided by."""
        return self._loss.normalisers(labels)

    def trained(self) -> list[TrainedTensor]:
        """Return what learns."""
        return self._trained

    def official_state(self) -> dict[str, Tensor]:
        """Return the network's tensors by official name."""
        return self._layout.official_state(self._network)

    @torch.no_grad()
    def evaluator(self) -> Adapter:
        """Return a model on a copy of the present weights; its text is encoded anew."""
        return self._evaluate(self.official_state())

    def settings(self) -> dict[str, str]:
        """Return the switches of the network."""
        return self._settings
