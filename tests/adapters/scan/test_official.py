from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.scan.adapter import SCANAdapter
from ovrisisbench.adapters.scan.config import BACKBONES, TINY
from ovrisisbench.adapters.scan.official import file_layout, report
from ovrisisbench.errors import AdapterError, CheckpointError
from tests.adapters.official_shapes import case_shapes, write_checkpoint, write_zeros
from tests.adapters.scan.networks import lively, scan_state

CASES = {"scan_vitb_dlrsd": "vit-b", "scan_vitl_potsdam": "vit-l"}


@pytest.mark.parametrize(("case", "backbone"), CASES.items())
def test_published_files_are_recognised_and_whole(case: str, backbone: str) -> None:
    found = report(case_shapes(case))
    assert found is not None
    assert (found.model, found.backbone) == ("scan", backbone)
    assert found.missing == found.unused == found.misshapen == found.outside == ()
    assert found.ignored == ("1 tensor: CLIP's temperature, stored but never used",)
    assert found.vocabulary_size is None, "any vocabulary fits"
    assert found.trained_classes is None
    (sentence,) = found.ambiguous
    assert "mask_threshold" in sentence


@pytest.mark.parametrize(
    ("case", "total", "trained"),
    [("scan_vitb_dlrsd", 371_461_178, 135_647_801), ("scan_vitl_potsdam", 890_254_394, 158_671_673)],
)
def test_parameter_counts_of_the_published_files(case: str, total: int, trained: int) -> None:
    shapes, layout = case_shapes(case), file_layout(BACKBONES[CASES[case]])
    counts = {key: torch.Size(shape).numel() for key, shape in shapes.items()}
    assert sum(counts.values()) == total
    assert sum(tensor.numel() for tensor in layout.skeleton.values()) == total - 1, "CLIP's temperature is not read"
    frozen = {
        key: count for key, count in counts.items() if key.startswith("clip_adapter.") and "non_object" not in key
    }
    assert layout.trained_values == total - sum(frozen.values()) == trained


def test_the_loss_tells_the_training_vocabulary() -> None:
    found = report({**case_shapes("scan_vitb_dlrsd"), "criterion.empty_weight": (172,)})
    assert found is not None
    assert found.trained_classes == 171
    assert "1 tensor: weights of the training loss" in found.ignored


def test_missing_unused_and_misshapen_tensors_are_named() -> None:
    shapes = case_shapes("scan_vitb_dlrsd")
    del shapes["backbone.layers.2.blocks.17.attn.qkv.bias"]
    shapes["ema.decay"] = ()
    shapes["clip_adapter.non_object_embedding"] = (2, 512)
    shapes["backbone.layers.0.blocks.1.attn.relative_position_index"] = (144, 144)
    found = report(shapes)
    assert found is not None
    assert found.missing == ("backbone.layers.2.blocks.17.attn.qkv.bias",)
    assert found.unused == ("ema.decay",)
    assert found.misshapen == ("clip_adapter.non_object_embedding: 2x512 in the file, 1x512 expected",)
    assert any("computed when the network is built" in line for line in found.ignored)


def test_stacked_rows_go_where_they_belong() -> None:
    network = lively()
    state = scan_state(network)
    parts = network.segmenter.backbone.swin.encoder.layers[1].blocks[0].attention
    stacked = torch.cat([parts.q_proj.weight, parts.k_proj.weight, parts.v_proj.weight])
    assert torch.equal(state["backbone.layers.1.blocks.0.attn.qkv.weight"], stacked)
    attention = network.segmenter.predictor.decoder.layers[3].self_attn
    biases = torch.cat([attention.q_proj.bias, attention.k_proj.bias, attention.v_proj.bias])
    name = "sem_seg_head.predictor.transformer_self_attention_layers.3.self_attn.in_proj_bias"
    assert torch.equal(state[name], biases)


def test_a_file_gives_the_scores_of_its_network(tmp_path: Path) -> None:
    network = lively()
    path = write_checkpoint(tmp_path / "model_final.pth", scan_state(network))
    loaded = file_layout(TINY).load(read_state_dict(path))
    assert all(torch.equal(tensor, network.state_dict()[key]) for key, tensor in loaded.state_dict().items())
    found = report({key: tuple(tensor.shape) for key, tensor in read_state_dict(path).items()})
    assert found is not None
    assert (found.backbone, found.trained_classes) == ("tiny", 171)
    images = torch.randn(1, 3, 96, 64)
    with torch.no_grad():
        assert torch.equal(loaded.eval().segmenter(images).masks, network.segmenter(images).masks)


def test_half_precision_files_are_computed_in_float32(tmp_path: Path) -> None:
    state = {key: tensor.half() for key, tensor in scan_state(lively()).items()}
    adapter = _load(write_checkpoint(tmp_path / "x.pth", state))
    assert {parameter.dtype for parameter in adapter.network.parameters()} == {torch.float32}


@pytest.mark.parametrize("shapes", [{}, {"oriclip_mlp.fc1.weight": (512, 768)}, {"LFM.weight": (1,)}])
def test_other_files_are_left_alone(shapes: dict[str, tuple[int, ...]]) -> None:
    assert report(shapes) is None


def test_other_models_files_can_be_looked_at_without_the_library() -> None:
    code = (
        "import sys; sys.modules['transformers'] = None;"
        "from ovrisisbench.adapters.scan.official import report; print(report({'conv1.weight': (1,)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None"]


def test_its_own_file_needs_the_library_to_be_judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth", scan_state(lively()))
    monkeypatch.setitem(sys.modules, "transformers", None)
    file_layout.cache_clear()
    with pytest.raises(AdapterError, match="needs the package transformers"):
        report(case_shapes("scan_vitb_dlrsd"))
    with pytest.raises(AdapterError, match="needs the package transformers"):
        _load(path)
    file_layout.cache_clear()


def _load(path: Path, backbone: str = "tiny") -> SCANAdapter:
    return SCANAdapter.load(LoadOptions(backbone=backbone, checkpoint=path, settings={"linears": "plain"}))


def _changed(tmp_path: Path, changes: dict[str, Tensor | None]) -> Path:
    state = scan_state(lively())
    for key, tensor in changes.items():
        if tensor is None:
            del state[key]
        else:
            state[key] = tensor
    return write_checkpoint(tmp_path / "x.pth", state)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"LFM.conv2.bias": None}, "incomplete, 1 tensor is missing: LFM.conv2.bias;"),
        (
            {
                f"fusion_decoder.multiattn.0.{name}": None
                for name in ("in_proj_bias", "out_proj.weight", "out_proj.bias")
            },
            "3 tensors are missing: ",
        ),
        ({"learnable_weight": torch.zeros(2)}, "wrong shape: learnable_weight: 2 in the file, 1 expected"),
        ({"ema": torch.zeros(1)}, "1 tensor is unknown to it: ema"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_sentence(
    tmp_path: Path, changes: dict[str, Tensor | None], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence) as caught:
        _load(_changed(tmp_path, changes))
    assert "\n" not in str(caught.value)


def test_another_backbone_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is for tiny, not vit-l; say --backbone tiny"):
        _load(_changed(tmp_path, {}), "vit-l")


@pytest.mark.parametrize(("case", "name"), [("catseg_vitb_dlrsd", "cat-seg"), ("gsnet_vitb_dlrsd", "gsnet")])
def test_other_models_files_are_refused_by_name(tmp_path: Path, case: str, name: str) -> None:
    path = write_zeros(tmp_path / "x.pth", case_shapes(case))
    with pytest.raises(CheckpointError, match=f"is a checkpoint of {name} .*, not of scan; say --model {name}"):
        _load(path, "vit-b")


def test_a_file_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a checkpoint of SCAN"):
        _load(write_checkpoint(tmp_path / "x.pth", {"fc.weight": torch.zeros(2, 2)}), "vit-b")


def test_other_sizes_of_the_same_classes_make_the_round_trip() -> None:
    config = replace(TINY, mask=replace(TINY.mask, layers=2, queries=5), replace_after=(2,), taps=(1, 4), sigmas=(3, 2))
    network = lively(config)
    loaded = file_layout(config).load(scan_state(network))
    assert all(torch.equal(tensor, network.state_dict()[key]) for key, tensor in loaded.state_dict().items())


def test_the_facts_of_the_cases_are_those_of_the_configurations() -> None:
    for case, backbone in CASES.items():
        path = Path(__file__).parents[2] / "parity" / "cases" / f"{case}.json"
        said, config = json.loads(path.read_text())["config"], BACKBONES[backbone]
        assert said["clip_vision_layers"] == config.clip.blocks
        assert said["clip_text_heads"] == config.clip.text.heads
        assert said["swin"]["depths"] == list(config.swin.depths)
        assert said["fusion"]["layers"] == config.fusion_layers
