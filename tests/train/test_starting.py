"""Where a training starts: files of encoders, and official start values for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ovrisisbench.adapter.registry import find_adapter, load_object
from ovrisisbench.adapter.training import CLIP_FROM_OPENAI, StartOptions, Training
from ovrisisbench.adapters.cost_aggregation.guided import GuidedLinear
from ovrisisbench.adapters.rskt_seg.fusion import EfficientLayer
from ovrisisbench.errors import CheckpointError
from tests.train.tiny import CLASSES, TRAINABLE, start, tiny_recipe

CLIP = "sem_seg_head.predictor.clip_model."
REMOTE = "sem_seg_head.predictor.clip_model_remote."


def _started(model: str, **options: object) -> Training:
    trainer = load_object(find_adapter(model).info.trainer, what="the trainer")
    return trainer.start(StartOptions(backbone="tiny", class_names=CLASSES, recipe=tiny_recipe(model), **options))


def _joined(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """A CLIP of official tensors as OpenAI and open_clip write it: queries, keys and values in one matrix."""
    clip = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    for name in [name for name in clip if name.endswith("q_proj_weight")]:
        stem = name.removesuffix("q_proj_weight")
        clip[f"{stem}in_proj_weight"] = torch.cat([clip.pop(f"{stem}{part}_proj_weight") for part in "qkv"])
    return {name: tensor.clone() for name, tensor in clip.items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of tiny encoders, as their authors write them, and of other values than those of seed 0."""
    folder, state = tmp_path_factory.mktemp("encoders"), start(seed=7).official_state()
    paths = {name: folder / f"{name}.pth" for name in ("clip", "remote_clip", "dino")}
    torch.save({**_joined(state, CLIP), "logit_scale": torch.tensor(4.6)}, paths["clip"])
    torch.save(_joined(state, REMOTE), paths["remote_clip"])
    of_dino = {
        name.removeprefix("dino_model."): value.clone()
        for name, value in state.items()
        if name.startswith("dino_model.")
    }
    teacher = {f"module.backbone.{name}": value for name, value in of_dino.items()}
    torch.save({"teacher": {**teacher, "module.head.mlp.0.weight": torch.zeros(2)}}, paths["dino"])
    return paths


@pytest.mark.parametrize("model", ["rskt-seg", "cat-seg", "ovris", "gsnet"])
def test_encoders_come_from_files_and_the_rest_from_the_seed(model: str, files: dict[str, Path]) -> None:
    given = {"rskt-seg": {"dino": files["dino"], "remote_clip": files["remote_clip"]}, "gsnet": {"rsib": files["dino"]}}
    state = _started(model, clip_weights=files["clip"], pretrained=given.get(model, {})).official_state()
    other, random = start(seed=7).official_state(), start(model).official_state()
    for name, tensor in state.items():
        of_encoder = name.startswith((CLIP, REMOTE, "dino_model."))
        assert torch.equal(tensor, (other if of_encoder else random)[name]), name


def test_gsnet_is_fine_tuned_from_a_file_without_rsib_and_rsibs_own(files: dict[str, Path], tmp_path: Path) -> None:
    state = start("gsnet").official_state()
    without = {name: value.clone() for name, value in state.items() if not name.startswith("dino_model.")}
    torch.save({"model": without}, tmp_path / "gsnet.pth")
    with pytest.raises(CheckpointError, match="--weights rsib=FILE"):
        _started("gsnet", checkpoint=tmp_path / "gsnet.pth")
    joined = _started("gsnet", checkpoint=tmp_path / "gsnet.pth", pretrained={"rsib": files["dino"]}).official_state()
    other = start("rskt-seg", seed=7).official_state()
    for name, value in joined.items():
        assert torch.equal(value, (other if name.startswith("dino_model.") else state)[name]), name


def test_san_takes_both_halves_of_clips_image_tower_from_one_file(tmp_path: Path) -> None:
    from ovrisisbench.adapters.san.official import name_in_clip

    first, random = start("san", seed=7).official_state(), start("san").official_state()
    front = start("san").module.network.config.front
    clip = {name: value.clone() for key, value in first.items() if (name := name_in_clip(key, front=front)) is not None}
    assert "visual.transformer.resblocks.5.ln_1.bias" in clip
    torch.save(clip, tmp_path / "clip.pt")
    state = _started("san", clip_weights=tmp_path / "clip.pt").official_state()
    for key, value in state.items():
        of_clip = name_in_clip(key, front=front) is not None
        assert torch.equal(value, (first if of_clip else random)[key]), key


def test_sed_takes_open_clips_file_as_it_is(tmp_path: Path) -> None:
    first, random = start("sed", seed=7).official_state(), start("sed").official_state()
    path = tmp_path / "clip.safetensors"
    clip = {name.removeprefix(CLIP): value.contiguous() for name, value in first.items() if name.startswith(CLIP)}
    from safetensors.torch import save_file

    save_file(clip, path)
    state = _started("sed", clip_weights=path).official_state()
    assert all(torch.equal(state[name], (first if name.startswith(CLIP) else random)[name]) for name in state)


def test_a_missing_file_is_asked_for_by_its_option(files: dict[str, Path]) -> None:
    with pytest.raises(CheckpointError, match=r"RSKT-Seg starts from pre-trained encoders: give --clip-weights FILE"):
        _started("rskt-seg")
    with pytest.raises(CheckpointError, match=r"give --weights dino=FILE"):
        _started("rskt-seg", clip_weights=files["clip"], pretrained={"remote_clip": files["remote_clip"]})
    with pytest.raises(CheckpointError, match=r"give --weights rsib=FILE"):
        _started("gsnet", clip_weights=files["clip"])
    without = {"dino": "off", "remote_clip": "off"}
    _started("rskt-seg", clip_weights=files["clip"], settings=without, evaluation_settings=without)
    _started("rskt-seg", clip_weights=files["clip"], untrained=True)


def test_a_file_of_another_encoder_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"dino.pth does not fit the encoder of CAT-Seg: .* is not in it"):
        _started("cat-seg", clip_weights=files["dino"])
    clip = torch.load(files["clip"], weights_only=True)
    torch.save({**clip, "text_projection": torch.zeros(3, 3)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"text_projection has the shape \(3, 3\), not \(64, 64\)"):
        _started("cat-seg", clip_weights=tmp_path / "x.pth")


@pytest.mark.parametrize(
    ("model", "backbone", "name"),
    [("rskt-seg", "vit-l", "ViT-L-14-336"), ("cat-seg", "vit-b", "ViT-B-16"), ("sed", "convnext-l", "convnext_large")],
)
def test_where_nothing_can_be_fetched_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, model: str, backbone: str, name: str
) -> None:
    asked: list[object] = []

    def fail(config: object) -> str:
        asked.append(config)
        raise OSError("no route to host\nand more lines")

    monkeypatch.setattr("open_clip.pretrained.download_pretrained", fail)
    trainer = load_object(find_adapter(model).info.trainer, what="the trainer")
    options = StartOptions(
        backbone=backbone, class_names=CLASSES, recipe=tiny_recipe(model), clip_weights=CLIP_FROM_OPENAI
    )
    with pytest.raises(CheckpointError, match=rf"The CLIP {name}.* could not be fetched \(no route to host\); fetch"):
        trainer.start(options)
    assert asked
    assert asked[0], "open_clip knows no such weights"


def _bound(module: nn.Module) -> float:
    """torch's default for weights and biases: from the second axis on is the fan-in, as torch counts it."""
    return 1 / math.sqrt(math.prod(module.weight.shape[1:]))


@pytest.mark.parametrize("model", TRAINABLE)
def test_new_layers_start_inside_the_official_bounds(model: str) -> None:
    network = start(model).module.network
    efficient = {
        id(module) for layer in network.modules() if isinstance(layer, EfficientLayer) for module in layer.modules()
    }
    seen = 0
    for name, module in network.named_modules():
        if name.split(".")[0] in ("clip", "remote_clip", "dino", "text", "visual"):
            continue
        if isinstance(module, nn.LayerNorm | nn.GroupNorm):
            assert torch.equal(module.weight, torch.ones_like(module.weight)), name
            assert not module.bias.any(), name
        elif isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | GuidedLinear):
            seen += 1
            if id(module) in efficient:
                fan_out = math.prod(module.weight.shape[2:]) * module.weight.shape[0] // getattr(module, "groups", 1)
                std = 0.02 if isinstance(module, nn.Linear) else math.sqrt(2 / fan_out)
                assert float(module.weight.detach().std()) == pytest.approx(std, rel=0.1), name
                assert not module.bias.any(), name
                continue
            bound, weight = _bound(module), module.weight.detach()
            assert float(weight.abs().max()) <= bound, name
            assert weight.numel() < 500 or float(weight.abs().max()) > 0.97 * bound, name
            assert module.bias is None or float(module.bias.detach().abs().max()) <= bound, name
    assert seen > 10


@pytest.mark.parametrize("model", ["cat-seg", "ovris", "gsnet"])
def test_the_tokens_that_fill_up_the_classes_start_at_zero(model: str) -> None:
    state = start(model).official_state()
    padding = {name: tensor for name, tensor in state.items() if ".padding_" in name}
    assert len(padding) == 2 * start(model).module.network.config.layers
    assert not any(tensor.any() for tensor in padding.values())


def test_training_pools_before_class_attention_and_inference_does_not() -> None:
    for model in ("cat-seg", "ovris", "gsnet", "sed"):
        training = start(model)
        assert training.module.network.config.pooling == 2
        assert training.evaluator().describe()["pooling"] == 1
    original = start(settings={"efficient": "off"})
    assert original.module.network.config.pooling == 2
    assert original.evaluator().describe()["pooling"] == 1
    assert start("cat-seg", settings={"pooling": "2"}).evaluator().describe()["pooling"] == 2
