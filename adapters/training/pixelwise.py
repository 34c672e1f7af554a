"""Training of models that score every class at every pixel of a crop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from ovrisisbench.adapter.recipe import PixelLoss, Recipe
from ovrisisbench.adapters.images.pixels import normalised
from ovrisisbench.adapters.training.pixel_loss import counted_pixels, pixel_loss

__all__ = ["PixelwiseLoss"]

_PIXELS = "pixels"


class PixelwiseLoss(nn.Module):
    """A network with its vocabulary and its loss.

    Args:
        network: called with normalised images (B, 3, H, W) and what ``text`` gives; returns logits (B, K, h, w),
            or several of them, whose losses are added.
        text: gives the embeddings of the training vocabulary, with gradient where the text tower learns.
        recipe: says which loss.
        call: gives several logits for one pass, if the network has auxiliary ones.
    """

    def __init__(
        self,
        network: nn.Module,
        text: Callable[[], Tensor],
        recipe: Recipe,
        *,
        call: Callable[[Tensor, Tensor], Sequence[Tensor]] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.text, self._loss = text, cast("PixelLoss", recipe.loss)
        self._call = call or (lambda images, vectors: (network(images, vectors),))

    def normalisers(self, labels: Tensor) -> dict[str, float]:
        """Return the pixels over which the mean of the loss runs."""
        return {_PIXELS: float(counted_pixels(labels, self._loss))}

    def logits(self, images: Tensor) -> Sequence[Tensor]:
        """Return the logits (B, K, h, w) of images (B, 3, H, W) uint8, the auxiliary ones behind the main ones."""
        return self._call(normalised(images.float()), self.text())

    def forward(self, images: Tensor, labels: Tensor, totals: Mapping[str, float]) -> dict[str, Tensor]:
        """See :attr:`ovrisisbench.adapter.training.Training.module`."""
        losses = [pixel_loss(logits, labels, self._loss, pixels=totals[_PIXELS]) for logits in self.logits(images)]
        names = ["main", *(f"aux_{index}" for index in range(len(losses) - 1))]
        return dict(zip(names, losses, strict=True))
