"""CLIP's two towers, the image tower read patch by patch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block, DenseBlock
from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.plain_clip.config import PlainCLIPConfig

__all__ = ["PlainCLIP", "ValueBlock"]


class ValueBlock(DenseBlock):
    """The last block after MaskCLIP: a token passes the value and the output projection, and is added to itself.

    CLIP's last attention gathers the whole image for the class token; without
    it, each token keeps to its own place.
    """

    def forward(self, x: Tensor, *, causal: bool = False) -> Tensor:  # noqa: ARG002 - a block like the others
        """Run the block over tokens (B, L, D)."""
        x = x + self._value_path(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class PlainCLIP(nn.Module):
    """CLIP as a dense classifier.

    Args:
        config: sizes, and what the last block does.
    """

    def __init__(self, config: PlainCLIPConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = DenseCLIPImageTower(config.clip, grid=config.grid, taps=())
        last = self.clip.blocks[-1]
        self.clip.blocks[-1] = ValueBlock(last) if config.dense == "value" else Block(last)
        self.text = CLIPTextTower(config.clip.text)

    def forward(self, images: Tensor, text: Tensor) -> Tensor:
        """Compare every patch with every class.

        Args:
            images: normalised (B, 3, side, side).
            text: unit-norm classes (K, C).

        Returns:
            Cosines (B, K, grid, grid).
        """
        features = F.normalize(self.clip(images).dense[:, 1:].float(), dim=-1)  # (B, grid * grid, C)
        return (features @ text.T).transpose(1, 2).unflatten(2, (self.config.grid, self.config.grid))
