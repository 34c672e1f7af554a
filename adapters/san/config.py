"""The two published configurations of SAN, and a tiny one."""

from __future__ import annotations

from dataclasses import dataclass

from ovrisisbench.adapters.clip.config import VIT_B_16, VIT_L_14_336, CLIPConfig

__all__ = ["BACKBONES", "TINY", "VIT_B", "VIT_L", "SANConfig", "SideConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideConfig:
    """Sizes of the side adapter network (``SIDE_ADAPTER`` in the official configuration)."""

    queries: int = 100
    """Masks that are proposed."""
    width: int = 240
    blocks: int = 8
    heads: int = 6
    patch: int = 16
    """Side of an image patch in pixels."""
    table: int = 40
    """Side of the grid that the stored position table covers, in patches."""
    hidden: int = 256
    """Channels inside the mask decoder, and of its mask embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SANConfig:
    """Everything that shapes SAN's network; ``configs/*.yaml`` of the official code."""

    clip: CLIPConfig
    resolution: float
    """Size of CLIP's input as a share of the padded image's (``CLIP_RESOLUTION``)."""
    taps: tuple[int, ...]
    """After how many CLIP blocks the features are taken that go into side block 0, 1, 2, ...

    0 stands for the tokens before the first block. The last one is where CLIP
    is cut in two (``FEATURE_LAST_LAYER_IDX``).
    """
    side: SideConfig = SideConfig()

    @property
    def front(self) -> int:
        """CLIP blocks of the first part, the feature extractor; the others recognise."""
        return self.taps[-1]

    @property
    def usual_grid(self) -> tuple[int, int]:
        """Rows and columns of CLIP's patches for a square image, the most usual ones."""
        cells = int(self.side.table * self.side.patch * self.resolution) // self.clip.patch
        return cells, cells


VIT_B = SANConfig(clip=VIT_B_16, resolution=0.5, taps=(0, 3, 6, 9))
"""``configs/san_clip_vit_res4_coco.yaml``."""

VIT_L = SANConfig(clip=VIT_L_14_336, resolution=0.7, taps=(0, 6, 12, 18))
"""``configs/san_clip_vit_large_res4_coco.yaml``."""

TINY = SANConfig(
    clip=CLIPConfig(name="tiny", patch=28, table=12, width=128, blocks=6, embedding=32, text_width=64, text_blocks=2),
    resolution=0.7,
    taps=(0, 1, 3, 4),
    side=SideConfig(queries=12, width=48, blocks=5, heads=3, patch=32, table=20, hidden=32),
)
"""The same classes, only smaller; for tests and demonstrations, no weights exist for it."""

BACKBONES = {"vit-b": VIT_B, "vit-l": VIT_L, "tiny": TINY}
