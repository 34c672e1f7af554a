from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.images.pixels import CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, normalised
from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.inference.packed_linears import PackedLinear, pack_linears, packing_works
from ovrisisbench.adapters.scan.ensemble import cosine_logits
from ovrisisbench.adapters.scan.network import SCAN
from ovrisisbench.adapters.scan.regions import crop, find_regions, touched_patches
from ovrisisbench.adapters.scan.settings import Calibration
from tests.adapters.scan.networks import lively

CALIBRATION = Calibration(replace_ratio=0.5)
HEIGHT, WIDTH = 70, 100  # padded to 96 x 128


@pytest.fixture(scope="module")
def network() -> SCAN:
    return lively()


@pytest.fixture
def pixels() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1, 3, HEIGHT, WIDTH), generator=generator).float()


@pytest.fixture
def text() -> Tensor:
    return F.normalize(torch.randn(4, 32, generator=torch.Generator().manual_seed(1)), dim=-1)


def _score(network: SCAN, pixels: Tensor, text: Tensor, calibration: Calibration = CALIBRATION, **more) -> Tensor:
    return network(pixels, text, calibration=calibration, generator=random.Random(5), **more)


def _traced(network: SCAN, pixels: Tensor, text: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    seen: dict[str, Tensor] = {}
    scores = _score(network, pixels, text, trace=lambda name, value: seen.update({name: value}))
    return seen, scores


@torch.no_grad()
def test_both_branches_see_the_padding(network: SCAN, pixels: Tensor, text: Tensor) -> None:
    seen, _ = _traced(network, pixels, text)
    for name, mean, std in (("backbone_input", IMAGENET_MEAN, IMAGENET_STD), ("clip_input", CLIP_MEAN, CLIP_STD)):
        full = torch.zeros(1, 3, 96, 128)
        for channel in range(3):
            full[0, channel, :HEIGHT, :WIDTH] = (pixels[0, channel] - mean[channel]) / std[channel]
        if name == "clip_input":  # squeezed, padding included, to the nearest pixels
            full = full[:, :, [row * 96 // 48 for row in range(48)]][..., [column * 128 // 48 for column in range(48)]]
        torch.testing.assert_close(seen[name], full, atol=1e-5, rtol=0)


@torch.no_grad()
def test_masks_are_enlarged_to_the_padded_image_and_cut(network: SCAN, pixels: Tensor, text: Tensor) -> None:
    seen, _ = _traced(network, pixels, text)
    logits = seen["pred_masks"][0]
    assert logits.shape[1:] == (24, 32)
    for row, column in ((0, 0), (33, 51), (69, 99)):
        y, x = max((row + 0.5) / 4 - 0.5, 0), max((column + 0.5) / 4 - 0.5, 0)
        top, left = int(y), int(x)
        down, right = y - top, x - left
        value = (1 - down) * (1 - right) * logits[:, top, left] + (1 - down) * right * logits[:, top, left + 1]
        value += down * (1 - right) * logits[:, top + 1, left] + down * right * logits[:, top + 1, left + 1]
        torch.testing.assert_close(seen["mask_prob"][0, :, row, column], value.sigmoid(), atol=1e-4, rtol=0)
    assert seen["mask_prob"].shape == (1, 8, HEIGHT, WIDTH)


@torch.no_grad()
def test_the_steps_follow_each_other_as_the_facts_say(network: SCAN, pixels: Tensor, text: Tensor) -> None:
    config, generator = network.config, random.Random(5)
    proposals, frozen = network.propose(pixels), network.encode_whole(normalised(pixels))
    memory = []
    for tap, sigma in zip(frozen.taps, config.sigmas, strict=True):
        maps = network.lfm(tap.transpose(1, 2).reshape(1, -1, 6, 6), [sigma])
        memory.append(network.oriclip_mlp(maps[0].flatten(1).T))
    queries = network.fusion_decoder(proposals.queries[None], torch.cat(memory)[None])[0]
    queries = queries + network.learnable_weight * frozen.embedding / frozen.embedding.norm()
    queries = network.lightweight_transformer(queries)
    nothing = network.non_object_embedding / network.non_object_embedding.norm()
    inside = cosine_logits(queries, torch.cat([text, nothing])).softmax(-1)[:, :-1]

    valid = [int((mask > 0.4).any()) for mask in proposals.probabilities]
    masks = [mask > 0.4 for mask in proposals.probabilities if (mask > 0.4).any()]
    boxes = []
    for mask in masks:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        boxes.append((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    touched = [touched_patches(mask, box, 48, 8) for mask, box in zip(masks, boxes, strict=True)]
    shift = []
    for number, token in zip(config.replace_after, frozen.classes[0], strict=True):
        which = torch.zeros(len(masks), 36, dtype=torch.bool)
        for region, row in enumerate(touched):
            background = (~row).nonzero().flatten().tolist()
            which[region, generator.sample(background, int(0.5 * len(background)))] = True
        shift.append((number, which, token))
    assert sum(which.sum() for _, which, _ in shift) > 20, "patches are replaced here"
    image = normalised(pixels)[0]
    crops = torch.stack([crop(image, mask, box, 48) for mask, box in zip(masks, boxes, strict=True)])
    outside = cosine_logits(network.clip(crops, shift=shift), text).softmax(-1)

    expected, rows = torch.zeros(4, HEIGHT, WIDTH), iter(outside)
    for query, hit in enumerate(valid):
        weights = inside[query] ** 0.3 * (next(rows) ** 0.7 if hit else 1)
        expected += weights[:, None, None] * proposals.probabilities[query]
    torch.testing.assert_close(_score(network, pixels, text), expected, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_equal_crops_share_their_features_only_where_nothing_is_replaced(network: SCAN, pixels: Tensor) -> None:
    image, classes = normalised(pixels)[0], torch.randn(2, 64, generator=torch.Generator().manual_seed(0))
    probabilities = torch.zeros(4, HEIGHT, WIDTH)
    probabilities[:, 10:40, 20:60] = 1
    probabilities[2, 12:35, 25:50] = 0
    probabilities[3] = 1
    regions = find_regions(probabilities, 0.5)
    encoded: list[int] = []
    hook = network.clip.register_forward_pre_hook(lambda _module, inputs: encoded.append(len(inputs[0])))
    same = network.region_features(image, regions, [[[], [], [], []]] * 2, classes)
    other = network.region_features(image, regions, [[[], [3], [1, 2], []], [[], [], [], []]], classes)
    hook.remove()
    assert sum(encoded) == 3 + 4
    assert torch.equal(same[0], same[1])
    for features, drawn in ((same, {}), (other, {1: [3], 2: [1, 2]})):
        for region in range(4):
            which = torch.zeros(1, 36, dtype=torch.bool)
            which[0, drawn.get(region, [])] = True
            cut = crop(image, regions.masks[region], regions.boxes[region], 48)[None]
            alone = F.normalize(network.clip(cut, shift=[(1, which, classes[0])]), dim=-1)[0]
            torch.testing.assert_close(features[region], alone, atol=1e-5, rtol=0)
    assert (other[1] - other[0]).abs().max() > 1e-4


@torch.no_grad()
def test_queries_without_a_crop_count_with_their_own_opinion(network: SCAN, pixels: Tensor, text: Tensor) -> None:
    proposals = network.propose(pixels)
    highest = proposals.probabilities.amax(dim=(1, 2)).sort().values
    some = replace(CALIBRATION, mask_threshold=float(highest[3:5].mean()))
    seen: dict[str, Tensor] = {}
    scores = _score(network, pixels, text, some, trace=lambda name, value: seen.update({name: value}))
    assert seen["valid"].sum() == 4
    assert seen["region_features"].shape[:2] == (1, 4)
    queries = network.calibrated(proposals.queries, network.encode_whole(normalised(pixels)))
    inside = cosine_logits(queries, network.with_non_object(text)).softmax(-1)[:, :-1]
    weights = inside**0.3
    weights[seen["valid"][0]] *= cosine_logits(seen["region_features"][0], text).softmax(-1) ** 0.7
    expected = torch.einsum("qk,qyx->kyx", weights, proposals.probabilities)
    torch.testing.assert_close(scores, expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_an_image_without_any_crop_is_scored_all_the_same(network: SCAN, pixels: Tensor, text: Tensor) -> None:
    proposals = network.propose(pixels)
    queries = network.calibrated(proposals.queries, network.encode_whole(normalised(pixels)))
    inside = cosine_logits(queries, network.with_non_object(text)).softmax(-1)[:, :-1]
    scores = _score(network, pixels, text, replace(CALIBRATION, mask_threshold=1.0))
    expected = torch.einsum("qk,qyx->kyx", inside**0.3, proposals.probabilities)
    torch.testing.assert_close(scores, expected, atol=1e-5, rtol=1e-4)
    assert not _score(network, pixels, text, Calibration(mask_threshold=1.0, ensemble_weight=0.0)).any()


@torch.no_grad()
def test_the_draw_changes_the_scores_unless_the_ratio_is_nought(network: SCAN, pixels: Tensor, text: Tensor) -> None:
    maps = [
        network(pixels, text, calibration=replace(CALIBRATION, replace_ratio=ratio), generator=random.Random(seed))
        for ratio, seed in ((0.5, 1), (0.5, 2), (0.0, 1), (0.0, 2), (0.5, 1))
    ]
    assert torch.equal(maps[2], maps[3])
    assert torch.equal(maps[0], maps[4])
    assert len({float(scores.double().sum()) for scores in maps}) == 3


@torch.no_grad()
def test_a_trace_changes_no_bit(network: SCAN, pixels: Tensor, text: Tensor) -> None:
    seen, scores = _traced(network, pixels, text)
    assert torch.equal(scores, _score(network, pixels, text))
    assert {name for name in seen if seen[name].shape[0] != 1} == set()
    assert {"res2", "lfm", "after_light", "regions", "replaced_patches", "region_features"} <= set(seen)


@torch.no_grad()
@pytest.mark.skipif(not packing_works(), reason="this torch has no packed float32 product")
def test_packed_linears_give_the_plain_scores(pixels: Tensor, text: Tensor) -> None:
    network = lively()
    plain = _score(network, pixels, text)
    for encoder in network.encoders():
        pack_linears(encoder)
    fold_weights(network)
    assert sum(isinstance(module, PackedLinear) for module in network.modules()) == 5 * 6 + 3 + 2 * 4 * 4
    torch.testing.assert_close(_score(network, pixels, text), plain, atol=2e-4, rtol=1e-3)


def test_gradients_reach_what_the_official_recipe_trains(pixels: Tensor, text: Tensor) -> None:
    network = lively().requires_grad_(True)
    _score(network, pixels, text).square().mean().backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert all(name.startswith("text.") for name in without), without
