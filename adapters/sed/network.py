"""SED's network: a cost volume of CLIP features and every prompt of a class, decoded under its encoder's guidance."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.images.pixels import squeezed
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.sed.config import SEDConfig
from ovrisisbench.adapters.sed.convnext import DenseConvNeXt
from ovrisisbench.adapters.sed.decoder import CostDecoder

__all__ = ["SED"]


class SED(nn.Module):
    """``sed_model.py`` with ``modeling/transformer/model.py``.

    Args:
        config: sizes and options.
    """

    def __init__(self, config: SEDConfig) -> None:
        super().__init__()
        self.config = config
        self.visual = DenseConvNeXt(config)
        self.text = CLIPTextTower(config.text)
        self.decoder = CostDecoder(config)

    def forward(
        self, images: Tensor, text: Tensor, trace: Trace | None = None, auxiliary: list[Tensor] | None = None
    ) -> Tensor:
        """Score every class at every cell.

        Args:
            images: (B, 3, H, W) normalised; any size, squeezed to the network's square.
            text: (K, T, D) unit vectors of K classes in T = 80 prompts, from ``self.text``.
            trace: see :data:`Trace`.
            auxiliary: see :meth:`CostDecoder.forward`.

        Returns:
            (B, K, side / 4, side / 4) logits; -inf for classes that were rejected early.
        """
        square = squeezed(images, self.config.side)
        dense, maps = self.visual(square)
        cost = F.normalize(dense, dim=1).flatten(2).transpose(1, 2) @ text.flatten(0, 1).T  # (B, h * w, K * T)
        cost = cost.transpose(1, 2).unflatten(2, dense.shape[2:]).unflatten(1, text.shape[:2])  # (B, K, T, h, w)
        if trace:
            for name, tensor in (("clip_input", square), ("clip_dense", dense), ("cost", cost)):
                trace(name, tensor)
            for level, tensor in enumerate(maps, start=2):
                trace(f"res{level}", tensor)
        # As guidance the maps are constants: the encoder learns through the cost volume alone.
        logits: Tensor = self.decoder(cost, tuple(tensor.detach() for tensor in maps[:3]), trace, auxiliary)
        if trace:
            trace("logits", logits)
        return logits
