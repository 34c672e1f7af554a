"""The two published configurations of SCAN, and a tiny one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ovrisisbench.adapters.clip.config import VIT_B_16, VIT_L_14, CLIPConfig

__all__ = ["BACKBONES", "TINY", "VIT_B", "VIT_L", "MaskConfig", "SCANConfig", "SwinConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwinConfig:
    """Sizes of the Swin backbone; those of Swin-B for 384x384 unless said otherwise."""

    width: int = 128
    """Channels of the first stage; each further one has twice as many."""
    depths: tuple[int, int, int, int] = (2, 2, 18, 2)
    heads: tuple[int, int, int, int] = (4, 8, 16, 32)
    window: int = 12

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the four outputs."""
        return tuple(self.width * 2**stage for stage in range(len(self.depths)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskConfig:
    """Sizes of Mask2Former's pixel decoder and mask decoder."""

    width: int = 256
    """Channels of queries and of mask features."""
    heads: int = 8
    pixel_layers: int = 6
    pixel_mlp: int = 1024
    layers: int = 10
    """Layers of the mask decoder; its configuration file says 10 and means 9, but the code builds 10."""
    mlp: int = 2048
    queries: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SCANConfig:
    """Everything that shapes the network; ``configs/scan_vit*.yaml`` of the official code."""

    clip: CLIPConfig
    taps: tuple[int, ...]
    """The frozen tower's tokens are read after so many blocks."""
    replace_after: tuple[int, ...]
    """Background patches of the crops are replaced after so many blocks (``REPLACE_LAYER``)."""
    sigmas: tuple[float, ...] = (9.0, 7.0, 3.0)
    """Widths of the frequency filter, one for each tap."""
    swin: SwinConfig = field(default_factory=SwinConfig)
    mask: MaskConfig = field(default_factory=MaskConfig)
    fusion_layers: int = 5
    light_layers: int = 5
    heads: int = 8
    """Attention heads of fusion and lightweight transformer."""
    light_mlp: int = 2048

    @property
    def side(self) -> int:
        """Side of CLIP's input in pixels."""
        return self.clip.table * self.clip.patch


VIT_B = SCANConfig(clip=replace(VIT_B_16, quick_gelu=False), taps=(6, 9, 12), replace_after=(1, 3, 5))
"""``configs/scan_vitB.yaml``."""

VIT_L = SCANConfig(clip=replace(VIT_L_14, quick_gelu=False), taps=(12, 18, 24), replace_after=(1, 3, 5, 7, 9))
"""``configs/scan_vitL.yaml``."""

TINY = SCANConfig(
    clip=CLIPConfig(
        name="tiny",
        patch=8,
        table=6,
        width=64,
        blocks=4,
        embedding=32,
        text_width=64,
        text_blocks=2,
        quick_gelu=False,
    ),
    taps=(2, 3, 4),
    replace_after=(1, 3),
    swin=SwinConfig(width=16, depths=(1, 2, 1, 1), heads=(1, 2, 2, 4), window=6),
    mask=MaskConfig(width=32, heads=4, pixel_layers=1, pixel_mlp=64, layers=4, mlp=64, queries=8),
    fusion_layers=2,
    light_layers=2,
    heads=4,
    light_mlp=64,
)
"""The same classes, only smaller; for tests and demonstrations, no weights exist for it."""

BACKBONES = {"vit-b": VIT_B, "vit-l": VIT_L, "tiny": TINY}
