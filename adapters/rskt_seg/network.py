"""RSKT-Seg's network: normalised image and text embeddings in, one logit per class and cell out."""

from __future__ import annotations

from torch import Tensor

from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.cost_aggregation.dino import DINO
from ovrisisbench.adapters.cost_aggregation.encoding import encode_clip, encode_dino, without_class_token
from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.images.pixels import squeezed
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.cost_volume import RSCMA
from ovrisisbench.adapters.rskt_seg.fusion import RSFusion
from ovrisisbench.adapters.rskt_seg.transfer import RSTransfer

__all__ = ["RSKTSeg"]


class RSKTSeg(FamilyNetwork):
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
        self.clip = DenseCLIPImageTower(config.clip, grid=config.grid, taps=config.clip_taps)
        self.text = CLIPTextTower(config.clip.text)
        if config.remote_guidance:
            self.remote_clip = DenseCLIPImageTower(
                config.remote_tower, grid=config.grid, taps=config.remote_taps, dense=False
            )
        if config.dino:
            self.dino = DINO(config.dino_tower, grid=2 * config.grid)
        self.cost_volume = RSCMA(config)
        self.fusion = RSFusion(config)
        self.transfer = RSTransfer(config)

    def forward(self, images: Tensor, text: Tensor, trace: Trace | None = None) -> Tensor:
        """See :meth:`FamilyNetwork.forward`."""
        config = self.config
        clip = encode_clip(self.clip, images, side=config.clip_input, orientations=config.clip_maps, trace=trace)
        features = {"clip": clip.taps}
        dino_map = None
        if config.remote_guidance:
            features["remote_clip"] = self._encode_remote(images, trace)
        if config.dino:
            first, second, dino_map = encode_dino(self.dino, images, side=config.dino_input, trace=trace)
            features["dino"] = (first, second)
        x = self.cost_volume(clip.dense, dino_map, text, trace)
        x = self.fusion(x, clip.upright, text, trace)
        logits: Tensor = self.transfer(x, features, trace)
        if trace:
            trace("logits", logits)
        return logits

    def _encode_remote(self, images: Tensor, trace: Trace | None) -> tuple[Tensor, ...]:
        square = squeezed(images, self.config.remote_input)
        taps = self.remote_clip(square).taps
        if trace:
            trace("remote_in", square)
            for index, tap in enumerate(taps):
                trace(f"remote_mid_{index}", tap)
        return tuple(without_class_token(tap) for tap in taps)
