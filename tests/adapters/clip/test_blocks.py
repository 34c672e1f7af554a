from __future__ import annotations

import open_clip.transformer
import pytest
import torch
import torch.nn.functional as F
from open_clip.transformer import ResidualAttentionBlock

from ovrisisbench.adapters.clip.blocks import Block, DenseBlock, QuickGELU

WIDTH, HEADS = 48, 4


@pytest.fixture
def original() -> ResidualAttentionBlock:
    torch.manual_seed(0)
    block = ResidualAttentionBlock(WIDTH, HEADS, act_layer=QuickGELU).eval()
    with torch.no_grad():
        block.attn.in_proj_bias.normal_()
        block.attn.out_proj.bias.normal_()
    return block


@torch.no_grad()
@pytest.mark.parametrize("causal", [False, True])
def test_block_computes_what_open_clips_block_computes(original: ResidualAttentionBlock, causal: bool) -> None:
    x = torch.randn(2, 7, WIDTH)
    mask = torch.full((7, 7), float("-inf")).triu(1) if causal else None
    torch.testing.assert_close(Block(original)(x, causal=causal), original(x, attn_mask=mask), atol=1e-5, rtol=0)


def test_quick_gelu_is_open_clips_with_and_without_gradients() -> None:
    ours, theirs = (torch.linspace(-4, 4, 30, requires_grad=True) for _ in range(2))
    QuickGELU()(ours).sum().backward()
    open_clip.transformer.QuickGELU()(theirs).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    with torch.no_grad():
        before = ours.clone()
        assert torch.equal(QuickGELU()(ours), open_clip.transformer.QuickGELU()(theirs))
        assert torch.equal(ours, before), "the input was overwritten"


@torch.no_grad()
def test_dense_block_sends_each_token_through_the_value_path_and_adds_the_class_token(
    original: ResidualAttentionBlock,
) -> None:
    x = torch.randn(2, 7, WIDTH)
    attention = original.attn
    values = F.linear(original.ln_1(x), attention.in_proj_weight[-WIDTH:], attention.in_proj_bias[-WIDTH:])
    expected = F.linear(values, attention.out_proj.weight, attention.out_proj.bias) + x[:, 0][:, None]
    expected = expected + original.mlp(original.ln_2(expected))
    torch.testing.assert_close(DenseBlock(original)(x), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_folded_dense_block_equals_the_unfolded_one(original: ResidualAttentionBlock) -> None:
    block, x = DenseBlock(original), torch.randn(2, 7, WIDTH)
    step_by_step = block(x)
    block.fold()
    assert block.folded is not None
    folded = block(x)
    assert not torch.equal(folded, step_by_step), "the fold was not used"
    torch.testing.assert_close(folded, step_by_step, atol=1e-5, rtol=0)
