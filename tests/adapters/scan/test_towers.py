from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from ovrisisbench.adapters.scan.config import TINY
from ovrisisbench.adapters.scan.towers import FrozenCLIP, RegionCLIP

CLIP = replace(TINY.clip, blocks=3)
SIDE = CLIP.table * CLIP.patch


def _tower(kind: type[FrozenCLIP | RegionCLIP]) -> FrozenCLIP | RegionCLIP:
    torch.manual_seed(0)
    tower = kind(CLIP).eval()
    for parameter in tower.parameters():
        nn.init.normal_(parameter, std=0.1)
    return tower


@pytest.fixture
def images() -> Tensor:
    return torch.randn(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def _open_clip(tower: nn.Module) -> VisionTransformer:
    """The library's own tower with exact GELU on the same weights."""
    theirs = VisionTransformer(
        image_size=SIDE, patch_size=CLIP.patch, width=CLIP.width, layers=CLIP.blocks, heads=CLIP.heads,
        mlp_ratio=4.0, output_dim=CLIP.embedding, act_layer=nn.GELU,
    ).eval()  # fmt: skip
    theirs.load_state_dict({name.replace(".qkv.", ".in_proj_"): value for name, value in tower.state_dict().items()})
    return theirs


@torch.no_grad()
def test_the_frozen_tower_hands_out_residual_streams_class_tokens_and_the_embedding(images: Tensor) -> None:
    tower = _tower(FrozenCLIP)
    theirs, streams = _open_clip(tower), []
    for block in theirs.transformer.resblocks:
        block.register_forward_hook(lambda _module, _inputs, output: streams.append(output))
    embedding = theirs(images)
    found = tower(images, taps=(1, 3), replace_after=(2, 3))
    torch.testing.assert_close(found.embedding, embedding, atol=1e-4, rtol=1e-4)
    for tap, number in zip(found.taps, (1, 3), strict=True):
        torch.testing.assert_close(tap, streams[number - 1][:, 1:], atol=1e-4, rtol=1e-4)
    for index, number in enumerate((2, 3)):
        torch.testing.assert_close(found.classes[:, index], streams[number - 1][:, 0], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_without_replacement_a_region_is_clips_embedding_of_its_crop(images: Tensor) -> None:
    tower = _tower(RegionCLIP)
    torch.testing.assert_close(tower(images, shift=[]), _open_clip(tower)(images), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_replaced_patches_take_over_the_token_behind_their_block(images: Tensor) -> None:
    tower = _tower(RegionCLIP)
    patches = [torch.rand(3, CLIP.table**2, generator=torch.Generator().manual_seed(n)) < 0.3 for n in (1, 2)]
    tokens = torch.randn(2, CLIP.width)
    theirs = _open_clip(tower)

    def overwrite(which: Tensor, token: Tensor) -> object:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
            output = output.clone()
            for region, patch in which.nonzero().tolist():
                output[region, 1 + patch] = token
            return output

        return hook

    for number, which, token in zip((1, 2), patches, tokens, strict=True):
        theirs.transformer.resblocks[number - 1].register_forward_hook(overwrite(which, token))
    shift = list(zip((1, 2), patches, tokens, strict=True))
    found = tower(images, shift=shift)
    torch.testing.assert_close(found, theirs(images), atol=1e-4, rtol=1e-4)
    assert (found - tower(images, shift=shift[:1])).abs().max() > 1e-3
    assert (found - tower(images, shift=[])).abs().max() > 1e-3
