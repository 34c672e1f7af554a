"""Mistakes that leave training plausible: each changes what the facts of the recorded step say it changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ovrisisbench.adapters.cost_aggregation import encoding
from ovrisisbench.adapters.cost_aggregation.aggregator import Aggregator
from ovrisisbench.adapters.cost_aggregation.encoding import CLIPEncoding, encode_clip
from ovrisisbench.adapters.rskt_seg import network as rskt_network
from ovrisisbench.adapters.training import pixel_loss
from tests.train.tiny import gradients, small_batch, start

IMAGE_TOWER = "clip_model.visual."
TEXT_TOWER = "clip_model.transformer."

Gradients = dict[str, Tensor]


def _gradients(**recipe: object) -> Gradients:
    training = start(**recipe)
    with torch.no_grad():
        for parameter in training.module.network.fusion.parameters():
            parameter.mul_(5)  # start values are so small that guidance hardly matters yet
    return gradients(training, small_batch())


def _loss(**recipe: object) -> float:
    training, batch = start(**recipe), small_batch()
    losses = training.module(batch.images, batch.labels, training.normalisers(batch.labels))
    return float(losses["main"].detach())


def _changed(found: Gradients, right: Gradients) -> set[str]:
    """Names of tensors whose gradient is not the right one, bit for bit: what is computed alike is the same."""
    return {name for name in right if not torch.equal(found[name], right[name])}


@pytest.fixture(scope="module")
def right() -> Gradients:
    return _gradients()


def test_the_same_step_twice_gives_the_same_gradients(right: Gradients) -> None:
    assert right
    assert _changed(_gradients(), right) == set()


def test_every_loss_is_another_number() -> None:
    losses = [_loss(loss=kind) for kind in ("bce-all", "bce-valid", "cross-entropy")]
    assert min(abs(a - b) for i, a in enumerate(losses) for b in losses[:i]) > 1e-3


@pytest.mark.parametrize("options", [{"align_corners": True}, {"mode": "nearest", "align_corners": None}])
def test_another_enlargement_is_another_loss(monkeypatch: pytest.MonkeyPatch, options: dict[str, object]) -> None:
    expected = _loss()
    enlarge = torch.nn.functional.interpolate

    def otherwise(maps: Tensor, **given: object) -> Tensor:
        logits = maps.shape[1:] == (4, 48, 48)
        return enlarge(maps, **{**given, **options} if logits else given)

    monkeypatch.setattr(pixel_loss.F, "interpolate", otherwise)
    assert abs(_loss() - expected) > 1e-5


def _encoding_with(change: Callable[[CLIPEncoding, int], CLIPEncoding]) -> Callable[..., CLIPEncoding]:
    def encode(tower: object, images: Tensor, **options: object) -> CLIPEncoding:
        return change(encode_clip(tower, images, **options), len(images))

    return encode


def _rotated_detached(found: CLIPEncoding, images: int) -> CLIPEncoding:
    return found._replace(dense=torch.cat([found.dense[:images], found.dense[images:].detach()]))


def _taps_detached(found: CLIPEncoding, _images: int) -> CLIPEncoding:
    return found._replace(taps=tuple(tap.detach() for tap in found.taps))


def _guidance_detached(found: CLIPEncoding, _images: int) -> CLIPEncoding:
    return found._replace(upright=found.upright.detach())


@pytest.mark.parametrize("change", [_rotated_detached, _taps_detached, _guidance_detached])
def test_a_path_without_gradient_shows_in_the_image_tower_alone(
    monkeypatch: pytest.MonkeyPatch, right: Gradients, change: Callable[[CLIPEncoding, int], CLIPEncoding]
) -> None:
    monkeypatch.setattr(rskt_network, "encode_clip", _encoding_with(change))
    assert encoding.encode_clip is encode_clip
    changed = _changed(_gradients(), right)
    assert changed
    assert all(IMAGE_TOWER in name for name in changed)
    blocks = {int(name.split("resblocks.")[1].split(".")[0]) for name in changed}
    last_tap = 2
    assert blocks <= set(range(last_tap + 1)) if change is _taps_detached else max(blocks) == 3


def test_text_guidance_without_gradient_shows_in_the_text_tower_alone(
    monkeypatch: pytest.MonkeyPatch, right: Gradients
) -> None:
    forward = Aggregator.forward
    monkeypatch.setattr(
        Aggregator, "forward", lambda self, x, image, text, trace=None: forward(self, x, image, text.detach(), trace)
    )
    changed = _changed(_gradients(), right)
    assert changed
    assert all(TEXT_TOWER in name for name in changed)


def test_the_queries_of_the_last_block_get_a_gradient_of_zero(right: Gradients) -> None:
    assert [name for name, gradient in right.items() if not gradient.any()] == [
        "sem_seg_head.predictor.clip_model.visual.transformer.resblocks.3.attn.q_proj_weight"
    ]


def test_rates_and_decays_are_those_of_the_official_groups() -> None:
    training = start(encoder_lr_multiplier=0.01)
    layers = training.module.network.config.layers
    groups = {name: [] for name in ("clip", "norm", "rest")}
    for tensor in training.trained():
        kind = "clip" if "clip_model." in tensor.name else "rest" if tensor.decays else "norm"
        groups[kind].append(tensor.name)
        assert tensor.lr_multiplier == (0.01 if kind == "clip" else 1.0)
    # Queries and values of 4 image and 2 text blocks; the other counts as in the official parameter groups.
    assert {name: len(members) for name, members in groups.items()} == {
        "clip": 12,
        "norm": 8 + 12 * layers,
        "rest": 46 + 34 * layers,
    }
    assert any(name.endswith(".bias") for name in groups["rest"])


@pytest.mark.parametrize(
    ("finetune", "clip", "dino"),
    [("none", False, False), ("clip", True, False), ("dino", False, True), ("clip+dino", True, True)],
)
def test_the_four_rows_of_table_6_train_what_they_say(finetune: str, clip: bool, dino: bool) -> None:
    names = {tensor.name: tensor for tensor in start(finetune=finetune).trained()}
    assert any("clip_model." in name for name in names) == clip
    of_dino = {name for name in names if name.startswith("dino_model.")}
    expected = {"dino_model.pos_embed", *(f"dino_model.blocks.{block}.attn.qkv.weight" for block in range(4))}
    assert of_dino == (expected if dino else set())
    assert all(names[name].lr_multiplier == 1.0 for name in of_dino)
    assert not any("clip_model_remote" in name for name in names)
    assert "sem_seg_head.predictor.transformer.head.weight" in names


def test_seds_own_layer_norms_decay_and_the_others_do_not() -> None:
    decays = {tensor.name: tensor.decays for tensor in start("sed").trained()}
    assert decays["sem_seg_head.predictor.transformer.decoder1.cnext.norm.weight"]
    assert not decays["sem_seg_head.predictor.transformer.decoder1.attention.norm1.weight"]
    assert not decays["sem_seg_head.predictor.clip_model.visual.trunk.stages.0.blocks.0.norm.weight"]


def test_seds_auxiliary_losses_train_their_own_heads_alone() -> None:
    batch = small_batch("sed")
    training = start("sed")
    losses = training.module(batch.images, batch.labels, training.normalisers(batch.labels))
    assert set(losses) == {"main", "aux_0", "aux_1", "aux_2"}
    (losses["aux_0"] + losses["aux_1"] + losses["aux_2"]).backward()
    reached = {tensor.name for tensor in training.trained() if tensor.parameter.grad is not None}
    head = "sem_seg_head.predictor.transformer.head"
    assert reached == {f"{head}{index}.{kind}" for index in range(3) for kind in ("weight", "bias")}


def test_sans_tables_do_not_decay_and_its_own_layer_norms_do() -> None:
    tensors = {tensor.name: tensor for tensor in start("san").trained()}
    decays = {name: tensor.decays for name, tensor in tensors.items()}
    side = "side_adapter_network."
    assert decays[f"{side}fusion_layers.layer_0.input_proj.0.weight"]
    assert decays["ov_classifier.bg_embed"]
    assert decays[f"{side}mask_decoder.bias_scaling.bias"]
    still = {f"{side}query_embed", f"{side}query_pos_embed", f"{side}vit_model.pos_embed"}
    still |= {"clip_visual_extractor.positional_embedding", f"{side}vit_model.blocks.0.norm1.weight"}
    assert not any(decays[name] for name in still)
    assert {tensor.lr_multiplier for tensor in tensors.values()} == {1.0}
    assert [name for name in tensors if name.startswith("clip_")] == ["clip_visual_extractor.positional_embedding"]
