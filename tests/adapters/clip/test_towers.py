from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from open_clip.transformer import QuickGELU, TextTransformer, VisionTransformer
from torch import Tensor, nn

from ovrisisbench.adapters.clip.config import CLIPConfig
from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.clip.prompts import fill_template, tokenise
from ovrisisbench.adapters.clip.renaming import split_attention_names, stacked
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.errors import AdapterError

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
    sources = {key: split_attention_names(key) for key in tower.state_dict()}
    tower.load_state_dict(stacked(_split(original), sources))
    return tower.eval()


@torch.no_grad()
def test_taps_of_the_image_tower_are_open_clips_block_outputs() -> None:
    torch.manual_seed(0)
    original = VisionTransformer(24, 8, 64, 3, 1, 4.0, output_dim=24, act_layer=QuickGELU).eval()
    tower = _loaded(CLIPImageTower(SMALL, grid=3, taps=(0, 1)), original)
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
    tower = CLIPImageTower(SMALL, grid=3, taps=(0, 1), dense=False).eval()
    assert len(tower.transformer.resblocks) == 2
    assert not any(key.startswith(("ln_post", "proj")) for key in tower.state_dict())
    features = tower(torch.randn(1, 3, 24, 24))
    assert features.dense is None
    assert len(features.taps) == 2


@torch.no_grad()
def test_folding_keeps_the_resized_position_table() -> None:
    tower = CLIPImageTower(SMALL, grid=5, taps=(0,)).eval()
    fresh = tower.positions()
    tower.fold()
    assert tower.positions() is tower.positions(), "resized again"
    assert torch.equal(tower.positions(), fresh)
    tower.positional_embedding.mul_(2)
    torch.testing.assert_close(tower.positions(), 2 * fresh)


@torch.no_grad()
def test_text_tower_equals_open_clips_on_all_77_positions() -> None:
    torch.manual_seed(0)
    original = TextTransformer(width=64, heads=1, layers=2, output_dim=24, act_layer=QuickGELU).eval()
    tower = _loaded(CLIPTextTower(SMALL), original)
    prompts = ["a photo of a ship", "A photo of a ground track field in the scene", "tree"]
    expected = F.normalize(original(tokenise(prompts)), dim=-1)
    torch.testing.assert_close(tower.embed(prompts), expected, atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_prompt_does_not_feel_its_company() -> None:
    tower = CLIPTextTower(SMALL).eval()
    alone = tower.embed(["a photo of a ship"])
    together = tower.embed(["a photo of a ship", "a photo of a very long class name with many many words"])
    torch.testing.assert_close(together[:1], alone, atol=1e-6, rtol=0)


def test_only_the_first_synonym_reaches_the_prompt() -> None:
    prompts = fill_template(["building, house", "a,b", "Clutter/background"], "A photo of a {} in the scene")
    assert prompts == [
        "A photo of a building in the scene",
        "A photo of a a,b in the scene",
        "A photo of a Clutter/background in the scene",
    ]


def test_braces_in_a_class_name_stay_text() -> None:
    assert fill_template(["{0}"], "a {}") == ["a {0}"]


def test_a_prompt_of_too_many_tokens_is_refused() -> None:
    with pytest.raises(AdapterError, match="more than 77"):
        tokenise(["word " * 80])


def test_tokens_are_clips() -> None:
    tokens = tokenise(["A Photo of a CAT"])[0]
    assert tokens[:7].tolist() == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert not tokens[7:].any()
