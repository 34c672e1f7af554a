from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.inference.folding import Foldable, fold_weights
from ovrisisbench.adapters.inference.packed_linears import PackedLinear, pack_linears, packing_works
from ovrisisbench.adapters.rskt_seg.config import TINY, RSKTSegConfig
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg


def _network(config: RSKTSegConfig = TINY) -> RSKTSeg:
    """A network in which every weight matters, biases and pads too."""
    torch.manual_seed(0)
    network = RSKTSeg(config).eval()
    for name, parameter in network.named_parameters():
        if name.endswith("bias") or "padding" in name:
            nn.init.normal_(parameter, std=0.1)
    return network


@pytest.fixture
def inputs() -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(1, 3, 128, 160), F.normalize(torch.randn(4, 64), dim=-1)


@torch.no_grad()
@pytest.mark.parametrize("efficient", [True, False])
def test_folded_weights_give_the_unfolded_logits(inputs: tuple[Tensor, Tensor], efficient: bool) -> None:
    network = _network(replace(TINY, efficient=efficient))
    step_by_step = network(*inputs)
    fold_weights(network)
    used = [module for module in network.modules() if isinstance(module, Foldable) and module.folded is not None]
    assert len(used) == 11, "two position tables and DINO's, the dense block, five guidance branches, two stages"
    folded = network(*inputs)
    assert not torch.equal(folded, step_by_step), "the folds were not used"
    torch.testing.assert_close(folded, step_by_step, atol=5e-6, rtol=0)


@torch.no_grad()
@pytest.mark.skipif(not packing_works(), reason="this torch has no packed float32 product")
def test_packed_linears_give_the_plain_logits(inputs: tuple[Tensor, Tensor]) -> None:
    network = fold_weights(_network())
    plain = network(*inputs)
    for encoder in network.encoders():
        pack_linears(encoder)
    fold_weights(network)
    assert sum(isinstance(module, PackedLinear) for module in network.modules()) == 4 * (4 + 3 + 4)
    torch.testing.assert_close(network(*inputs), plain, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_trace_changes_no_bit(inputs: tuple[Tensor, Tensor]) -> None:
    network, seen = fold_weights(_network()), []
    plain = network(*inputs)
    assert torch.equal(network(*inputs, trace=lambda name, _tensor: seen.append(name)), plain)
    assert {"clip_dense_3", "dino_pos", "cost_dino", "layer_1_spatial", "up_2", "logits"} <= set(seen)


@torch.no_grad()
def test_a_batch_gives_every_image_its_own_logits(inputs: tuple[Tensor, Tensor]) -> None:
    network, (image, text) = _network(), inputs
    other = torch.randn_like(image)
    together = network(torch.cat([image, other]), text)
    torch.testing.assert_close(together[:1], network(image, text), atol=1e-5, rtol=0)
    torch.testing.assert_close(together[1:], network(other, text), atol=1e-5, rtol=0)


@torch.no_grad()
def test_classes_are_equal_before_the_network(inputs: tuple[Tensor, Tensor]) -> None:
    network, (image, text) = _network(), inputs
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(network(image, text[order]), network(image, text)[:, order], atol=1e-5, rtol=0)


def test_gradients_reach_what_the_official_recipe_trains(inputs: tuple[Tensor, Tensor]) -> None:
    network = fold_weights(_network())
    network(*inputs).square().mean().backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert all(name.startswith("text.") for name in without), without


@torch.no_grad()
def test_the_cost_is_turned_back_with_the_image(inputs: tuple[Tensor, Tensor]) -> None:
    network, (_, text) = _network(), inputs
    costs = []
    clip = torch.randn(1, 36, 64)
    maps = clip.transpose(1, 2).unflatten(2, (6, 6))
    turned = [maps.rot90(turns, dims=(2, 3)).flatten(2).transpose(1, 2) for turns in range(4)]
    network.cost_volume(
        torch.cat(turned), torch.randn(1, 64, 12, 12), text, lambda name, tensor: costs.append((name, tensor))
    )
    cost = dict(costs)["cost_clip"]  # (1, R, K, h, w)
    assert cost.shape == (1, 4, 4, 6, 6)
    for turns in range(1, 4):
        torch.testing.assert_close(cost[:, turns], cost[:, 0])


def test_concatenation_without_rotation_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the rotations"):
        RSKTSeg(replace(TINY, fusion="concatenation", rotate=False))
