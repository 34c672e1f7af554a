"""What the networks of the family have in common."""

from __future__ import annotations

from torch import Tensor, nn

from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.cost_aggregation.config import FamilyConfig
from ovrisisbench.adapters.inference.trace import Trace

__all__ = ["FamilyNetwork"]


class FamilyNetwork(nn.Module):
    """Image encoders, a text tower, and what lies between the cost volume and the logits."""

    config: FamilyConfig
    text: CLIPTextTower

    def forward(self, images: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """Score every class at every cell.

        Args:
            images: (B, 3, H, W) normalised; any size, every encoder squeezes it to its own square.
            text: (K, C) unit-norm embeddings of the class names, from ``self.text``.
            trace: see :data:`Trace`.

        Returns:
            (B, K, 4 * grid, 4 * grid) logits.
        """
        raise NotImplementedError

    def encoders(self) -> tuple[nn.Module, ...]:
        """Return the image encoders, where nearly all of the time goes."""
        names = ("clip", "remote_clip", "dino")
        return tuple(module for name, module in self.named_children() if name in names)
