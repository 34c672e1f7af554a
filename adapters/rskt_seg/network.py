"""RSKT-Seg's network: normalised image and text embeddings in, one logit per class and cell out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.cost_aggregation.dino import DINO
from ovrisisbench.adapters.cost_aggregation.layouts import as_maps
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.cost_volume import RSCMA
from ovrisisbench.adapters.rskt_seg.fusion import RSFusion
from ovrisisbench.adapters.rskt_seg.trace import Trace
from ovrisisbench.adapters.rskt_seg.transfer import RSTransfer

__all__ = ["RSKTSeg"]


class RSKTSeg(nn.Module):
    """Encoders, RS-CMA, RS-Fusion and RS-Transfer.

    Parts that no output depends on are left out: RemoteCLIP's text tower and
    what lies behind its second tap, and encoders that ``config`` switches off.

    Args:
        config: the settings.

    Raises:
        ValueError: fusion by concatenation with DINO but without rotation,
            which the official code cannot run either.
    """

    def __init__(self, config: RSKTSegConfig) -> None:
        super().__init__()
        if config.dino and config.fusion == "concatenation" and not config.rotate:
            raise ValueError("fusion 'concatenation' with DINO needs the rotations")
        self.config = config
        self.clip = CLIPImageTower(config.clip, grid=config.grid, taps=config.clip_taps)
        self.text = CLIPTextTower(config.clip)
        if config.remote_guidance:
            self.remote_clip = CLIPImageTower(
                config.remote_tower, grid=config.grid, taps=config.remote_taps, dense=False
            )
        if config.dino:
            self.dino = DINO(config.dino_tower, grid=2 * config.grid)
        self.cost_volume = RSCMA(config)
        self.fusion = RSFusion(config)
        self.transfer = RSTransfer(config)

    def forward(self, images: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """Score every class at every cell.

        Args:
            images: (B, 3, H, W) normalised; any size, every encoder squeezes it to its own square.
            text: (K, C) unit-norm embeddings of the class names, from ``self.text``.
            trace: see :data:`Trace`.

        Returns:
            (B, K, 4 * grid, 4 * grid) logits.
        """
        upright, dense, clip_taps = self._encode_clip(images, trace)
        features = {"clip": tuple(_without_class_token(tap) for tap in clip_taps)}
        dino_map = None
        if self.config.remote_guidance:
            features["remote_clip"] = self._encode_remote(images, trace)
        if self.config.dino:
            first, second, dino_map = self._encode_dino(images, trace)
            features["dino"] = (first, second)
        x = self.cost_volume(dense, dino_map, text, trace)
        x = self.fusion(x, upright, text, trace)
        logits = self.transfer(x, features, trace)
        if trace:
            trace("logits", logits)
        return logits

    def encoders(self) -> tuple[nn.Module, ...]:
        """Return the image encoders, where nearly all of the time goes."""
        names = ("clip", "remote_clip", "dino")
        return tuple(module for name, module in self.named_children() if name in names)

    def _encode_clip(self, images: Tensor, trace: Trace | None) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return dense features of the upright images (B, L, C), of all orientations (R * B, L, C), and the taps."""
        squared = _resized(images, self.config.clip_input)
        turned = [squared.rot90(turns, dims=(-2, -1)) for turns in range(self.config.clip_maps)]
        dense, taps = self.clip(torch.cat(turned))
        taps = tuple(tap[: len(images)] for tap in taps)
        if trace:
            trace("clip_in", squared)
            for turns, features in enumerate(dense.split(len(images))):
                trace(f"clip_dense_{turns}", features)
            for index, tap in enumerate(taps):
                trace(f"clip_mid_{index}", tap)
        dense = dense[:, 1:]
        return dense[: len(images)], dense, taps

    def _encode_remote(self, images: Tensor, trace: Trace | None) -> tuple[Tensor, ...]:
        squared = _resized(images, self.config.remote_input)
        taps = self.remote_clip(squared).taps
        if trace:
            trace("remote_in", squared)
            for index, tap in enumerate(taps):
                trace(f"remote_mid_{index}", tap)
        return tuple(_without_class_token(tap) for tap in taps)

    def _encode_dino(self, images: Tensor, trace: Trace | None) -> tuple[Tensor, ...]:
        squared = _resized(images, self.config.dino_input)
        taps = self.dino(squared)
        if trace:
            trace("dino_in", squared)
            trace("dino_pos", self.dino.positions())
            for block, tap in zip(self.config.dino_tower.taps, taps, strict=True):
                trace(f"dino_layer_{block}", tap)
        return tuple(_without_class_token(tap) for tap in taps)


def _resized(images: Tensor, side: int) -> Tensor:
    """Squeeze to a square, bilinearly and without antialiasing, losing the aspect ratio."""
    if images.shape[-2:] == (side, side):
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


def _without_class_token(tokens: Tensor) -> Tensor:
    """(B, 1 + L, D) tokens -> (B, D, h, w) maps."""
    return as_maps(tokens[:, 1:])
