"""RS-Transfer: the decoder, which brings in intermediate features of all encoders on the way to full size."""

from __future__ import annotations

from torch import nn

from ovrisisbench.adapters.cost_aggregation.decoder import GuidedDecoder, clip_branches, dino_branches
from ovrisisbench.adapters.rskt_seg.config import RSKTSegConfig

__all__ = ["RSTransfer"]


class RSTransfer(GuidedDecoder):
    """Two guided up-sampling stages and the head (``RSKT_Upsample.py``).

    The guidance is concatenated in the order CLIP, RemoteCLIP, DINO.
    """

    def __init__(self, config: RSKTSegConfig) -> None:
        branches: dict[str, nn.ModuleList] = {}
        if config.clip_guidance:
            branches["clip"] = clip_branches(config.clip.width, config)
        if config.remote_guidance:
            branches["remote_clip"] = clip_branches(config.remote_tower.width, config)
        if config.dino and config.dino_guidance:
            branches["dino"] = dino_branches(config.dino_tower.width, config)
        # Without CLIP's guidance the transposed convolutions keep all channels that come in.
        up = None if config.clip_guidance else (config.hidden, config.decoder_dims[0])
        super().__init__(config, branches, up_channels=up)
