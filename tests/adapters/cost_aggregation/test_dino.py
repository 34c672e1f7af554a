from __future__ import annotations

import torch
from timm.models.vision_transformer import VisionTransformer

from ovrisisbench.adapters.cost_aggregation.dino import DINO, DINOConfig

SMALL = DINOConfig(table=4, width=32, blocks=4, heads=2, taps=(0, 2, 3))


@torch.no_grad()
def test_every_tap_is_timms_block_output_after_the_final_norm() -> None:
    torch.manual_seed(0)
    original = VisionTransformer(
        img_size=32, patch_size=8, embed_dim=32, depth=4, num_heads=2, num_classes=0, global_pool=""
    ).eval()
    dino = DINO(SMALL, grid=4).eval()
    dino.load_state_dict(original.state_dict())
    seen = []
    for block in original.blocks:
        block.register_forward_hook(lambda _block, _inputs, output: seen.append(output))
    image = torch.randn(2, 3, 32, 32)
    last = original(image)
    taps = dino(image)
    for tap, index in zip(taps, SMALL.taps, strict=True):
        torch.testing.assert_close(tap, original.norm(seen[index]), atol=1e-5, rtol=0)
    torch.testing.assert_close(taps[-1], last, atol=1e-5, rtol=0)


@torch.no_grad()
def test_positions_are_resized_by_the_scale_factor_of_dino() -> None:
    dino = DINO(DINOConfig(width=12, blocks=1, heads=1, taps=(0,)), grid=48)
    dino.pos_embed.normal_()
    cells = dino.pos_embed[:, 1:].reshape(1, 28, 28, 12).permute(0, 3, 1, 2)
    expected = torch.nn.functional.interpolate(cells, scale_factor=1.717857142857143, mode="bicubic")
    positions = dino.positions()
    assert torch.equal(positions[0], dino.pos_embed[0, 0])
    assert torch.equal(positions[1:], expected[0].flatten(1).T)
    dino.fold()
    assert torch.equal(dino.positions(), positions)
