"""Training of models that score every class at every pixel of a crop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ovrisisbench.adapter.interface import Adapter
from ovrisisbench.adapter.recipe import PixelLoss, Recipe
from ovrisisbench.adapter.training import TrainedTensor
from ovrisisbench.adapters.images.pixels import normalised
from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.adapters.training.pixel_loss import counted_pixels, pixel_loss
from ovrisisbench.adapters.training.tuning import Tuning, tuned

__all__ = ["PixelTraining", "PixelwiseLoss"]

_PIXELS = "pixels"


class PixelwiseLoss(nn.Module):
    """A network with its vocabulary and its loss.

    Args:
        network: called with normalised images (B, 3, H, W) and what ``text`` gives; returns logits (B, K, h, w),
            or several of them, whose losses are added.
        text: gives the embeddings of the training vocabulary, with gradient where the text tower learns.
        loss: which loss.
    """

    def __init__(
        self,
        network: nn.Module,
        text: Callable[[], Tensor],
        loss: PixelLoss,
        *,
        call: Callable[[Tensor, Tensor], Sequence[Tensor]] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.text, self._loss = text, loss
        self._call = call or (lambda images, vectors: (network(images, vectors),))

    def logits(self, images: Tensor) -> Sequence[Tensor]:
        """Return the logits (B, K, h, w) of images (B, 3, H, W) uint8, the auxiliary ones behind the main ones."""
        return self._call(normalised(images.float()), self.text())

    def forward(self, images: Tensor, labels: Tensor, totals: Mapping[str, float]) -> dict[str, Tensor]:
        """See :attr:`ovrisisbench.adapter.training.Training.module`."""
        losses = [pixel_loss(logits, labels, self._loss, pixels=totals[_PIXELS]) for logits in self.logits(images)]
        names = ["loss", *(f"loss_aux_{index}" for index in range(len(losses) - 1))]
        return dict(zip(names, losses, strict=True))


class PixelTraining:
    """A network of pixel scores in training; see :class:`ovrisisbench.adapter.training.Training`.

    Args:
        network: on its device; exactly what the recipe trains learns afterwards.
        layout: of the network in official files.
        recipe: of the training.
        rules: parameter groups of the official code.
        text: see :class:`PixelwiseLoss`.
        evaluate: makes a model of official tensors, which it copies.
        told: switches of the network, as one would type them to load its file.
        call: see :class:`PixelwiseLoss`.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        layout: FileLayout,
        recipe: Recipe,
        rules: Tuning,
        text: Callable[[], Tensor],
        evaluate: Callable[[Mapping[str, Tensor]], Adapter],
        told: Mapping[str, str],
        call: Callable[[Tensor, Tensor], Sequence[Tensor]] | None = None,
    ) -> None:
        self.network, self.layout = network, layout
        self._loss = cast("PixelLoss", recipe.loss)
        self._trained = tuned(network, layout, rules, encoder_multiplier=recipe.encoder_lr_multiplier)
        self.module = PixelwiseLoss(network.train(), text, self._loss, call=call)
        self._evaluate, self._told = evaluate, dict(told)

    def normalisers(self, labels: Tensor) -> dict[str, float]:
        """Return the pixels over which the mean of the loss runs."""
        return {_PIXELS: float(counted_pixels(labels, self._loss))}

    def trained(self) -> list[TrainedTensor]:
        """Return what learns."""
        return self._trained

    def official_state(self) -> dict[str, Tensor]:
        """Return the network's tensors by official name."""
        return self.layout.official_state(self.network)

    @torch.no_grad()
    def evaluator(self) -> Adapter:
        """Return a model on a copy of the present weights; its text is encoded anew."""
        return self._evaluate(self.official_state())

    def settings(self) -> dict[str, str]:
        """Return the switches of the network."""
        return self._told
