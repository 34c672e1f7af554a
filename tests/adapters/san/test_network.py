from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.san.clip import SplitCLIP
from ovrisisbench.adapters.san.config import BACKBONES, TINY, VIT_B, VIT_L, SANConfig
from ovrisisbench.adapters.san.mask_decoder import MaskDecoder
from ovrisisbench.adapters.san.network import SAN
from tests.adapters.san.second_version import drawn_network, plain_proposals, pooled, weights_of

SMALL = replace(
    TINY,
    clip=replace(TINY.clip, patch=14, table=3, width=128, text_width=8, text_blocks=1),
    side=replace(TINY.side, queries=5, patch=16, table=4),
)
"""Grids of few cells, two heads in CLIP, three in the side network."""


def _classifier(config: SANConfig, classes: int = 3) -> Tensor:
    return F.normalize(torch.randn(classes + 1, config.clip.embedding, dtype=torch.float64), dim=-1)


def _traced(network: SAN, images: Tensor, classifier: Tensor) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = {}
    network(images, classifier, lambda name, tensor: seen.update({name: tensor.clone()}))
    return seen


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 64), (64, 96), (96, 32), (32, 128), (128, 160)], ids=str)
def test_every_step_equals_a_plainly_written_second_version(size: tuple[int, int]) -> None:
    network = drawn_network(SMALL)
    images, classifier = torch.randn(2, 3, *size, dtype=torch.float64), _classifier(SMALL)
    seen = _traced(network, images, classifier)
    for index, image in enumerate(images):
        expected = plain_proposals(weights_of(network), SMALL, image, classifier)
        seen["attn_bias_pooled"] = seen["attn_bias_pooled"].flatten(3)
        compared = seen.keys() & expected.keys()
        assert compared == expected.keys() - {"clip_feat_2"}, "a step is not traced"
        for name in compared:
            torch.testing.assert_close(seen[name][index], expected[name], atol=1e-9, rtol=1e-9, msg=name)


@torch.no_grad()
def test_the_tiny_network_equals_the_second_version_too() -> None:
    network, images = drawn_network(TINY, seed=3), torch.randn(1, 3, 640, 672, dtype=torch.float64)
    classifier = _classifier(TINY)
    proposals = network(images, classifier)
    expected = plain_proposals(weights_of(network), TINY, images[0], classifier)
    torch.testing.assert_close(proposals.mask_logits[0], expected["mask_logits"], atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(proposals.class_logits[0], expected["class_logits"], atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(
    ("config", "padded", "shape", "grid"),
    [
        (VIT_L, (640, 640), (448, 448), (32, 32)),
        (VIT_L, (640, 864), (448, 604), (32, 43)),
        (VIT_L, (640, 960), (448, 672), (32, 48)),
        (VIT_L, (640, 1440), (448, 1007), (32, 71)),
        (VIT_L, (1440, 640), (1007, 448), (71, 32)),
        (VIT_B, (640, 864), (320, 432), (20, 27)),
        (VIT_B, (640, 1440), (320, 720), (20, 45)),
    ],
)
def test_clips_input_is_rounded_down_in_double_precision(
    config: SANConfig, padded: tuple[int, int], shape: tuple[int, int], grid: tuple[int, int]
) -> None:
    with torch.device("meta"):
        network = SAN(replace(config, clip=replace(config.clip, text_blocks=1)))
        small = network.clip_input(torch.zeros(1, 3, *padded))
    assert small.shape == (1, 3, *shape)
    assert (shape[0] // config.clip.patch, shape[1] // config.clip.patch) == grid
    if padded == (640, 640):
        assert config.usual_grid == grid


def test_clips_input_is_sampled_by_the_factor_and_not_by_the_ratio_of_the_sizes() -> None:
    with torch.device("meta"):
        network = SAN(VIT_L)
    ramp = torch.arange(864.0).expand(1, 3, 640, 864)
    sampled = network.clip_input(ramp)[0, 0, 0]
    assert len(sampled) == 604
    expected = (torch.arange(604) + 0.5) / 0.7 - 0.5
    torch.testing.assert_close(sampled, expected, atol=1e-3, rtol=0)
    by_sizes = (torch.arange(604) + 0.5) * 864 / 604 - 0.5
    assert (sampled - by_sizes)[-1].abs() > 1


@torch.no_grad()
def test_pixels_that_fill_no_patch_are_not_seen() -> None:
    network = SAN(SMALL).eval()
    images = torch.randn(1, 3, 44, 58)
    cut = network.clip.extract(images)
    assert cut.grid == (3, 4)
    whole = network.clip.extract(images[..., :42, :56])
    assert torch.equal(cut.tokens, whole.tokens)


@torch.no_grad()
def test_the_position_table_of_the_side_network_is_resized_unless_the_count_fits() -> None:
    transformer = SAN(TINY).side.vit_model
    transformer.pos_embed.normal_()
    table = transformer.pos_embed[0]
    for grid in ((20, 20), (10, 40), (80, 5)):
        assert torch.equal(transformer.positions(grid)[0], table), "only the number of patches is looked at"
    cells = table.T.reshape(1, -1, 20, 20)
    expected = F.interpolate(cells, size=(20, 27), mode="bicubic", align_corners=False)[0].flatten(1).T
    assert torch.equal(transformer.positions((20, 27))[0], expected)


@pytest.mark.parametrize(("size", "grid"), [((40, 40), (20, 20)), ((40, 40), (32, 32)), ((40, 54), (32, 43))])
def test_the_bias_is_pooled_over_overlapping_windows(size: tuple[int, int], grid: tuple[int, int]) -> None:
    maps = torch.randn(2, 3, *size)
    assert torch.equal(F.adaptive_max_pool2d(maps, grid), pooled(maps, grid))


@torch.no_grad()
def test_channels_of_the_attention_bias_are_read_head_by_head() -> None:
    decoder = MaskDecoder(SMALL.side, heads=2).eval()
    hidden = SMALL.side.hidden
    last = decoder.attn_mlp.layers[-1]
    last.weight[hidden:] = 0
    last.bias[hidden:] = 0
    decoder.bias_scaling.bias.fill_(0.25)
    queries, pixels = torch.randn(1, 5, SMALL.side.width), torch.randn(1, 12, SMALL.side.width)
    bias = decoder(queries, pixels, (3, 4)).bias
    assert torch.equal(bias[:, 1], torch.full((1, 5, 3, 4), 0.25))
    assert (bias[:, 0] != 0.25).all()


@torch.no_grad()
def test_a_proposal_sees_patches_under_its_bias_and_itself_and_nothing_else() -> None:
    clip = drawn_network(SMALL).clip
    tokens = torch.randn(1, 13, 128, dtype=torch.float64)
    bias = torch.randn(1, 2, 5, 12, dtype=torch.float64)
    seen = clip.recognise(tokens, bias)
    assert seen.shape == (1, 5, 32)
    torch.testing.assert_close(seen.norm(dim=-1), torch.ones(1, 5, dtype=torch.float64))
    other = bias.clone()
    other[:, :, 1:] += torch.randn(1, 2, 4, 12)
    torch.testing.assert_close(clip.recognise(tokens, other)[:, 0], seen[:, 0], atol=1e-12, rtol=0)
    fewer = clip.recognise(tokens, bias[:, :, :1])
    torch.testing.assert_close(fewer[:, 0], seen[:, 0], atol=1e-12, rtol=0)
    blind = clip.recognise(tokens, torch.full_like(bias, -1e4))
    torch.testing.assert_close(blind[:, 1:], blind[:, :1].expand(-1, 4, -1), atol=1e-12, rtol=0)


@torch.no_grad()
def test_patches_that_the_bias_hides_do_not_count() -> None:
    config = replace(SMALL, clip=replace(SMALL.clip, blocks=SMALL.front + 1))
    clip = drawn_network(config).clip
    tokens = torch.randn(1, 13, 128, dtype=torch.float64)
    bias = torch.zeros(1, 2, 1, 12, dtype=torch.float64)
    bias[..., 6:] = -1e4
    changed = tokens.clone()
    changed[:, 7:] = torch.randn(1, 6, 128)
    torch.testing.assert_close(clip.recognise(changed, bias), clip.recognise(tokens, bias), atol=1e-12, rtol=0)
    changed[:, 1] = torch.randn(1, 128)
    assert not torch.allclose(clip.recognise(changed, bias), clip.recognise(tokens, bias), atol=1e-4)


@torch.no_grad()
def test_rows_of_the_classifier_are_mean_directions_and_the_background_is_last() -> None:
    network = SAN(SMALL)
    vectors = F.normalize(torch.randn(4, 14, 32), dim=-1)
    network.bg_embed.normal_(std=3)
    rows = network.classifier(vectors)
    assert rows.shape == (5, 32)
    for row, prompts in zip(rows, vectors, strict=False):
        mean = sum(prompts) / 14
        torch.testing.assert_close(row, mean / mean.norm())
    torch.testing.assert_close(rows[4], network.bg_embed[0] / network.bg_embed[0].norm())


@torch.no_grad()
def test_the_position_table_of_a_square_image_is_resized_once() -> None:
    clip = SplitCLIP(TINY).eval()
    clip.positional_embedding.normal_()
    usual, other = clip.positions((16, 16)), clip.positions((16, 21))
    assert TINY.usual_grid == (16, 16)
    fold_weights(clip)
    assert clip.positions((16, 16)) is clip.folded[0]
    assert torch.equal(clip.positions((16, 16)), usual)
    assert torch.equal(clip.positions((16, 21)), other)
    clip.positional_embedding.add_(1)
    assert clip.folded is None
    torch.testing.assert_close(clip.positions((16, 16)), usual + 1)


def test_the_official_sizes_fit_together() -> None:
    for config in BACKBONES.values():
        assert len(config.taps) <= config.side.blocks
        assert config.taps[0] == 0
        assert config.taps[-1] < config.clip.blocks
        assert config.side.table * config.side.patch == 640
    assert (VIT_B.front, VIT_L.front) == (9, 18)


def test_gradients_reach_everything_that_the_recipe_trains() -> None:
    network = drawn_network(SMALL)
    fold_weights(network)
    vectors = F.normalize(torch.randn(3, 2, 32, dtype=torch.float64), dim=-1)
    proposals = network(torch.randn(1, 3, 64, 96, dtype=torch.float64), network.classifier(vectors))
    weights = torch.randn_like(proposals.class_logits)
    (proposals.mask_logits.square().mean() + (weights * proposals.class_logits).sum()).backward()
    trained = [*network.side.named_parameters(), ("positions", network.clip.positional_embedding)]
    trained.append(("background", network.bg_embed))
    assert not [name for name, parameter in trained if parameter.grad is None or not parameter.grad.any()]


@torch.no_grad()
def test_the_trace_changes_no_bit() -> None:
    torch.manual_seed(0)
    network, images = SAN(SMALL).eval(), torch.randn(1, 3, 64, 96)
    classifier = _classifier(SMALL).float()
    seen: list[str] = []
    plain, traced = network(images, classifier), network(images, classifier, lambda name, _tensor: seen.append(name))
    assert torch.equal(plain.mask_logits, traced.mask_logits)
    assert torch.equal(plain.class_logits, traced.class_logits)
    assert len(seen) == len(set(seen))
