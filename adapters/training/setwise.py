"""Training of models that propose masks and classify them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.training.set_loss import Proposed, SetLossConfig, normalisers, set_loss, truths

__all__ = ["SetwiseLoss"]


class SetwiseLoss(nn.Module):
    """A network with its vocabulary and the losses of its proposals.

    Args:
        network: the network.
        propose: gives the proposals for images (B, 3, H, W) uint8, the auxiliary ones behind the main ones; the
            losses of all are added.
        config: of the loss.
        queries: proposals for each image.
    """

    def __init__(
        self,
        network: nn.Module,
        propose: Callable[[Tensor], Sequence[Proposed]],
        config: SetLossConfig,
        *,
        queries: int,
    ) -> None:
        super().__init__()
        self.network = network
        self._propose, self._config, self._queries = propose, config, queries

    def normalisers(self, labels: Tensor) -> dict[str, float]:
        """Return how many true masks there are, and how much the cross-entropy weighs."""
        return normalisers(labels, self._queries, self._config)

    def forward(self, images: Tensor, labels: Tensor, totals: Mapping[str, float]) -> dict[str, Tensor]:
        """See :attr:`ovrisisbench.adapter.training.Training.module`."""
        truth = truths(labels)
        losses: dict[str, Tensor] = {}
        for number, proposed in enumerate(self._propose(images)):
            suffix = f"_aux_{number - 1}" if number else ""
            # Sums over thousands of places need float32, as in the official codes.
            with torch.autocast(images.device.type, enabled=False):
                of_output = set_loss(proposed, truth, self._config, totals)
            losses |= {f"{name}{suffix}": value for name, value in of_output.items()}
        return losses
