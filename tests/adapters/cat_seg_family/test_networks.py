"""What OVRIS and GSNet add to CAT-Seg, against second versions; and the contract of all three."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapter.contract import check_adapter
from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.cost_aggregation.cost import GatedFusion, clip_cost, cosine
from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.ovris.up import Up
from ovrisisbench.errors import AdapterError
from tests.parity.synth import synthetic_image

MODELS = ("cat-seg", "ovris", "gsnet")


def _adapter(model: str, **settings: str):
    options = LoadOptions(backbone="tiny", untrained=True, settings={"linears": "plain", **settings})
    adapter = find_adapter(model).load_class().load(options)
    adapter.set_vocabulary(["road", "water", "building, house"])
    return adapter


@pytest.mark.parametrize("model", MODELS)
def test_the_contract_is_kept(model: str) -> None:
    checks = check_adapter(find_adapter(model), LoadOptions(backbone="tiny", untrained=True))
    assert [check for check in checks if not check.passed] == []
    assert len(checks) == 10


@pytest.mark.parametrize("model", MODELS)
def test_windows_are_the_default_as_in_the_official_evaluation(model: str) -> None:
    image = synthetic_image(64, 96, seed=0)
    (windows,) = _adapter(model).predict([image], image_ids=["0"])
    (whole,) = _adapter(model, sliding_window="off").predict([image], image_ids=["0"])
    assert windows.scores.shape == (3, 640, 640)
    assert whole.scores.shape == (3, 48, 48)
    assert _adapter(model).describe()["sliding_window"] is True


@pytest.mark.parametrize("model", MODELS)
def test_pooling_changes_the_scores_and_is_described(model: str) -> None:
    image = synthetic_image(64, 96, seed=0)
    pooled = _adapter(model, sliding_window="off", pooling="2")
    assert pooled.describe()["pooling"] == 2
    plain = _adapter(model, sliding_window="off").score(image)
    assert not torch.equal(pooled.score(image), plain)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pooling": "5"}, "pooling=5 does not divide the 12x12 grid"),
        ({"pooling": "0"}, "pooling=0 is not possible; give a whole number from 1 on"),
        ({"rotate": "on"}, "has no setting 'rotate'; there are sliding_window, pooling, linears"),
        ({"sliding_window": "yes"}, "sliding_window=yes is not possible; choose one of on, off"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(AdapterError, match=sentence):
        _adapter("cat-seg", **settings)


@pytest.mark.parametrize("model", MODELS)
def test_weights_are_needed(model: str) -> None:
    with pytest.raises(AdapterError, match="needs weights; give them with --checkpoint, or say --untrained"):
        find_adapter(model).load_class().load(LoadOptions(backbone="tiny"))


@pytest.mark.parametrize("model", MODELS)
def test_training_reaches_what_the_recipe_trains(model: str) -> None:
    network = _adapter(model).network.requires_grad_(True)
    text = F.normalize(torch.randn(3, network.config.clip.embedding), dim=-1)
    network(torch.randn(1, 3, 96, 96), text).square().mean().backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert all(name.startswith("text.") for name in without), without


@torch.no_grad()
@pytest.mark.parametrize("folded", [False, True])
def test_guidance_is_weighed_by_the_mean_over_classes(folded: bool) -> None:
    torch.manual_seed(0)
    stage = Up(24, 8, 16, 32, grid=5).eval()
    for parameter in stage.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x, guidance = torch.randn(2, 3, 24, 5, 5), torch.randn(2, 16, 10, 10)

    expected = []
    for image in range(2):
        enlarged = stage.up(x[image])  # (K, 8, 10, 10)
        mean = enlarged.mean(dim=0)
        channels = stage.cconv.weight[:, :, 0, 0] @ mean.mean(dim=(1, 2)) + stage.cconv.bias
        places = stage.sconv.weight.item() * mean.mean(dim=0) + stage.sconv.bias.item()
        weighed = guidance[image] * (1 + channels[:, None, None] + places)
        joined = torch.cat([enlarged, weighed.expand(3, -1, -1, -1)], dim=1)
        y = F.relu(
            F.group_norm(F.conv2d(joined, stage.conv1.weight, padding=1), 2, stage.norm1.weight, stage.norm1.bias)
        )
        expected.append(F.relu(stage.norm2(stage.conv2(y))))
    if folded:
        fold_weights(stage)
    torch.testing.assert_close(stage(x, guidance), torch.stack(expected), atol=2e-5, rtol=1e-5)


def test_guidance_attention_needs_guidance() -> None:
    with pytest.raises(ValueError, match="needs some"):
        Up(24, 8, 16, 32, grid=5)(torch.zeros(1, 1, 24, 5, 5), None)


@torch.no_grad()
def test_costs_of_turned_images_are_turned_back() -> None:
    torch.manual_seed(0)
    text = F.normalize(torch.randn(4, 32), dim=-1)
    maps = torch.randn(2, 32, 6, 6)
    turned = torch.cat([maps.rot90(turns, dims=(2, 3)) for turns in range(4)])
    costs = clip_cost(turned.flatten(2).transpose(1, 2), text, orientations=4)
    assert costs.shape == (2, 4, 4, 6, 6)
    for turns in range(4):
        torch.testing.assert_close(costs[:, :, turns], cosine(maps, text))


@torch.no_grad()
def test_the_gated_fusion_adds_clips_embedding_to_the_gate() -> None:
    torch.manual_seed(0)
    fusion = GatedFusion(1, 8).eval()
    clip, dino = torch.randn(3, 1, 6, 6), torch.randn(3, 1, 6, 6)
    e_c = torch.sigmoid(F.conv2d(clip, fusion.conv1.weight, fusion.conv1.bias, padding=3))
    e_d = torch.sigmoid(F.conv2d(dino, fusion.conv2.weight, fusion.conv2.bias, padding=3))
    gate = F.conv2d(torch.cat([e_c, e_d], 1), fusion.fusion_corr.weight, fusion.fusion_corr.bias, padding=3)
    torch.testing.assert_close(fusion(clip, dino), torch.sigmoid(gate) + e_c)


@torch.no_grad()
def test_classes_of_ovris_feel_each_other_through_the_decoder() -> None:
    image = synthetic_image(64, 96, seed=0)
    adapter = _adapter("ovris", sliding_window="off")
    three = adapter.score(image)
    adapter.set_vocabulary(["road", "water"])
    assert not torch.allclose(adapter.score(image), three[:2], atol=1e-7)


@torch.no_grad()
def test_rsib_divides_by_dinos_epsilon_and_everything_else_by_clips() -> None:
    # No parity case sees it: the wrong epsilon moves GSNet's logits by 2.5e-5 only.
    network = _adapter("gsnet").network
    norms = [(name, module) for name, module in network.named_modules() if isinstance(module, torch.nn.LayerNorm)]
    assert {name.split(".")[0] for name, _ in norms} == {"clip", "text", "dino", "aggregator"}
    for name, norm in norms:
        epsilon = 1e-6 if name.startswith("dino.") else 1e-5
        flat = torch.tensor([1e-3, -1e-3]).repeat(norm.normalized_shape[0] // 2)  # so little variance that it shows
        expected = flat / (1e-6 + epsilon) ** 0.5 * norm.weight + norm.bias
        torch.testing.assert_close(norm(flat), expected, msg=name)
