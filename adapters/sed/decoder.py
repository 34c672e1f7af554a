"""SED's decoder: from the cost volume to logits, in three stages, with categories rejected early if so wished.

The second half of ``modeling/transformer/model.py``. K shrinks from stage to
stage when categories are rejected.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.sed.class_attention import ClassAttention
from ovrisisbench.adapters.sed.config import TEMPLATES, SEDConfig
from ovrisisbench.adapters.sed.convnext import ConvNeXtBlock
from ovrisisbench.adapters.sed.layouts import channels_last
from ovrisisbench.adapters.sed.upsampling import GuidedUpsampling

__all__ = ["CostDecoder", "surviving"]


class _Stage(nn.Module):
    """One stage, ``decoder{1,2,3}``."""

    def __init__(self, config: SEDConfig, index: int) -> None:
        super().__init__()
        channels = (config.hidden, *config.decoder_dims)[index]
        self.cnext = ConvNeXtBlock(channels, config.kernel)
        self.attention = ClassAttention(channels, heads=config.heads, pooling=config.pooling)
        self.upsampling = GuidedUpsampling(
            channels, config.guidance_dims[index], config.decoder_dims[index], grid=config.grid * 2**index
        )
        self.name = f"decoder{index + 1}"

    def forward(
        self, x: Tensor, image: Tensor, cost: Tensor, then: nn.Module | None = None, trace: Trace | None = None
    ) -> Tensor:
        """See :meth:`GuidedUpsampling.forward`."""
        x = _each(self.cnext, x)
        if trace:
            trace(f"{self.name}_cnext", x)
        x = self.attention(x)
        if trace:
            trace(f"{self.name}_attention", x)
            trace(f"{self.name}_up", _each(self.upsampling.up, x))
            trace(self.name, self.upsampling(x, image, cost))
        out: Tensor = self.upsampling(x, image, cost, then)
        return out


class CostDecoder(nn.Module):
    """Cost embedding, three stages, and the heads.

    Args:
        config: sizes and options.
    """

    def __init__(self, config: SEDConfig) -> None:
        super().__init__()
        self.early_rejection = config.early_rejection
        self.conv1 = nn.Conv2d(TEMPLATES, config.hidden, 7, padding=3)
        finest_last = reversed(config.dims[:3])
        self.image_projections = nn.ModuleList(
            nn.Conv2d(dim, guidance, 3, padding=1)
            for dim, guidance in zip(finest_last, config.guidance_dims, strict=True)
        )
        self.cost_projections = nn.ModuleList(
            nn.ConvTranspose2d(before, guidance, 2, stride=2)
            for before, guidance in zip((TEMPLATES, *config.guidance_dims), config.guidance_dims, strict=False)
        )
        self.decoder1, self.decoder2, self.decoder3 = (_Stage(config, index) for index in range(3))
        heads = (nn.Conv2d(dim, 1, 3, padding=1) for dim in (config.hidden, *config.decoder_dims))
        self.head0, self.head1, self.head2, self.head = heads

    def forward(
        self,
        cost: Tensor,
        maps: tuple[Tensor, ...],
        trace: Trace | None = None,
        auxiliary: list[Tensor] | None = None,
    ) -> Tensor:
        """Score every class at every cell.

        Args:
            cost: (B, K, T, h, w), cosine similarities; T = 80 prompts.
            maps: outputs of the first three stages of the image tower, finest first.
            trace: see :data:`Trace`.
            auxiliary: takes the logits of the three heads that early rejection asks, coarsest first, for training;
                their gradient reaches nothing but the heads.

        Returns:
            (B, K, 8 * h, 8 * w) logits; -inf for rejected classes.

        Raises:
            ValueError: early rejection for more than one image.
        """
        if self.early_rejection and len(cost) > 1:
            raise ValueError("early rejection takes one image at a time")
        classes = cost.shape[1]
        x = _each(self.conv1, cost)  # (B, K, C, h, w)
        if trace:
            trace("conv1", x)
        alive = torch.arange(classes, device=cost.device)
        stages = ((self.decoder1, self.head0), (self.decoder2, self.head1), (self.decoder3, self.head2))
        for index, (stage, head) in enumerate(stages):
            if auxiliary is not None:
                auxiliary.append(_each(head, x.detach())[:, :, 0])
            if self.early_rejection or trace:
                logits = _each(head, x)[:, :, 0]
                if trace:
                    trace(f"head{index}", logits)
                if self.early_rejection:
                    x, cost, alive = self._rejected(logits, x, cost, alive)
                if trace:
                    trace(f"survivors{index}", torch.zeros(1, classes).index_fill(1, alive.cpu(), 1))
            cost = F.relu_(_each(self.cost_projections[index], cost))
            image = F.relu_(self.image_projections[index](maps[2 - index]))
            if trace:
                trace(f"cost_guidance_{index}", cost)
                trace(f"guidance_{index}", image)
            x = stage(x, image, cost, self.head if index == 2 else None, trace)
        logits = x[:, :, 0]
        if len(alive) == classes:
            return logits
        rejected = logits.new_full((1, classes, *logits.shape[2:]), -torch.inf)
        return rejected.index_copy(1, alive, logits)

    def _rejected(self, logits: Tensor, x: Tensor, cost: Tensor, alive: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Keep what belongs to the classes that survive ``logits`` (1, K, h, w)."""
        kept = surviving(logits[0], self.early_rejection).nonzero()[:, 0]
        if len(kept) == len(alive):
            return x, cost, alive
        return x[:, kept], cost[:, kept], alive[kept]


def surviving(logits: Tensor, most: int) -> Tensor:
    """Tell which classes are among the ``most`` best anywhere (category early rejection).

    Args:
        logits: (K, h, w).
        most: classes that survive at one position.

    Returns:
        (K,) bool.
    """
    if most >= len(logits):
        return torch.ones(len(logits), dtype=torch.bool, device=logits.device)
    best = logits.flatten(1).topk(most, dim=0).indices
    return torch.zeros(len(logits), dtype=torch.bool, device=logits.device).index_fill(0, best.flatten(), value=True)


def _each(layer: nn.Module, x: Tensor) -> Tensor:
    """Run a layer over the maps of every class, (B, K, C, h, w)."""
    out: Tensor = layer(channels_last(x.flatten(0, 1)))
    return out.unflatten(0, x.shape[:2])
