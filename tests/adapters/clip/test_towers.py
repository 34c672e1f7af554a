from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from open_clip.transformer import QuickGELU, TextTransformer, VisionTransformer
from torch import Tensor, nn

from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.clip.image_tower import CLIPImageTower, DenseCLIPImageTower
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.official_files.renaming import Source, fused_attention_names, renamed, split_attention_names
from ovrisisbench.adapters.text.tokens import tokenise

SMALL = CLIPConfig(name="small", patch=8, table=3, width=64, blocks=3, embedding=24, text_width=64, text_blocks=2)


def _split(module: nn.Module) -> dict[str, Tensor]:
    """The state of an open_clip tower with the attention matrices apart, as the CAT-Seg family stores them."""
    state = {}
    for key, tensor in module.state_dict().items():
        if key.endswith("in_proj_weight"):
            for part, rows in zip("qkv", tensor.chunk(3), strict=True):
                state[key.replace("in_proj_weight", f"{part}_proj_weight")] = rows
        else:
            state[key] = tensor
    return state


def _loaded(tower: nn.Module, original: nn.Module) -> nn.Module:
    names = {key: tuple(map(Source, split_attention_names(key))) for key in tower.state_dict()}
    tower.load_state_dict(renamed(_split(original), names))
    return tower.eval()


@torch.no_grad()
def test_taps_of_the_image_tower_are_open_clips_block_outputs() -> None:
    torch.manual_seed(0)
    original = VisionTransformer(24, 8, 64, 3, 1, 4.0, output_dim=24, act_layer=QuickGELU).eval()
    tower = _loaded(DenseCLIPImageTower(SMALL, grid=3, taps=(0, 1)), original)
    seen = []
    for block in original.transformer.resblocks:
        block.register_forward_hook(lambda _block, _inputs, output: seen.append(output))
    image = torch.randn(2, 3, 24, 24)
    original(image)
    features = tower(image)
    assert features.dense is not None
    assert features.dense.shape == (2, 10, 24)
    for tap, expected in zip(features.taps, seen[:2], strict=True):
        torch.testing.assert_close(tap, expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_tapped_tower_ends_with_its_last_tap() -> None:
    tower = DenseCLIPImageTower(SMALL, grid=3, taps=(0, 1), dense=False).eval()
    assert len(tower.transformer.resblocks) == 2
    assert not any(key.startswith(("ln_post", "proj")) for key in tower.state_dict())
    features = tower(torch.randn(1, 3, 24, 24))
    assert features.dense is None
    assert len(features.taps) == 2


@torch.no_grad()
def test_folding_keeps_the_resized_position_table() -> None:
    tower = DenseCLIPImageTower(SMALL, grid=5, taps=(0,)).eval()
    fresh = tower.positions((5, 5))
    tower.fold()
    assert tower.positions((5, 5)) is tower.positions((5, 5)), "resized again"
    assert torch.equal(tower.positions((5, 5)), fresh)
    assert tower.positions((2, 5)).shape == (11, 64), "another grid is resized for itself"
    tower.positional_embedding.mul_(2)
    torch.testing.assert_close(tower.positions((5, 5)), 2 * fresh)


@torch.no_grad()
@pytest.mark.parametrize("quick_gelu", [True, False])
def test_an_image_tower_driven_by_hand_is_open_clips(quick_gelu: bool) -> None:
    torch.manual_seed(0)
    act = QuickGELU if quick_gelu else nn.GELU
    original = VisionTransformer(24, 8, 64, 3, 1, 4.0, output_dim=24, act_layer=act).eval()
    tower = CLIPImageTower(replace(SMALL, quick_gelu=quick_gelu)).eval()
    state = original.state_dict()
    tower.load_state_dict({key: state[fused_attention_names(key)] for key in tower.state_dict()})
    image = torch.randn(2, 3, 24, 24)
    x = tower.tokens(image)
    for block in tower.blocks:
        x = block(x)
    torch.testing.assert_close(tower.projected(x[:, 0]), original(image), atol=1e-5, rtol=0)


@torch.no_grad()
def test_an_image_of_any_shape_has_tokens_for_whole_patches() -> None:
    tower = CLIPImageTower(SMALL, blocks=1, projects=False).eval()
    assert tower.tokens(torch.randn(1, 3, 16, 44)).shape == (1, 1 + 2 * 5, 64)
    assert len(tower.blocks) == 1
    assert not any(key.startswith(("ln_post", "proj")) for key in tower.state_dict())


@torch.no_grad()
@pytest.mark.parametrize("quick_gelu", [True, False])
def test_text_tower_equals_open_clips_on_all_77_positions(quick_gelu: bool) -> None:
    torch.manual_seed(0)
    act = QuickGELU if quick_gelu else nn.GELU
    original = TextTransformer(width=64, heads=1, layers=2, output_dim=24, act_layer=act).eval()
    tower = _loaded(CLIPTextTower(replace(SMALL, quick_gelu=quick_gelu).text), original)
    tokens = tokenise(["a photo of a ship", "A photo of a ground track field in the scene", "tree"])
    torch.testing.assert_close(tower(tokens), original(tokens), atol=1e-6, rtol=1e-5)
