from __future__ import annotations

import pytest

from ovrisisbench.adapters.cost_aggregation.official_names import HEAD, PREDICTOR
from ovrisisbench.adapters.rskt_seg.config import TINY, VIT_B
from ovrisisbench.adapters.rskt_seg.official import file_layout, read_settings, report
from tests.adapters.official_shapes import case_shapes

RELEASED = {"rotate": "on", "dino": "on", "remote_clip": "on", "efficient": "on", "fusion": "separate"}

SETTINGS = {
    "rskt_vitb_dlrsd": ("vit-b", RELEASED | {"layers": "5"}),
    "rskt_vitl_isaid": ("vit-l", RELEASED | {"layers": "2"}),
    "rskt_vitb_norotate": ("vit-b", RELEASED | {"layers": "1", "rotate": "off"}),
    "rskt_vitb_noremote": ("vit-b", RELEASED | {"layers": "1", "remote_clip": "off"}),
    "rskt_vitb_concat": ("vit-b", RELEASED | {"layers": "1", "fusion": "concatenation"}),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_are_read_from_names_and_shapes(case: str) -> None:
    backbone, settings = SETTINGS[case]
    found = report(case_shapes(case))
    assert found is not None
    assert (found.model, found.backbone, dict(found.settings)) == ("rskt-seg", backbone, settings)
    assert found.ambiguous == found.missing == found.unused == found.misshapen == ()
    assert found.vocabulary_size is None, "any vocabulary fits"


def test_what_nothing_reads_is_listed_with_its_reason() -> None:
    found = report(case_shapes("rskt_vitb_dlrsd"))
    assert found is not None
    text = "\n".join(found.ignored)
    assert "text tower, never run" in text
    assert "behind its second tap" in text
    counted = sum(int(line.split()[0]) for line in found.ignored)
    expected = case_shapes("rskt_vitb_dlrsd")
    assert counted == sum(
        key.endswith("logit_scale")
        or (
            key.startswith(f"{PREDICTOR}clip_model_remote.")
            and (
                ".visual." not in key
                or any(f"resblocks.{block}." in key for block in (8, 9, 10, 11))
                or ".ln_post." in key
                or key.endswith("visual.proj")
            )
        )
        for key in expected
    )


def test_rotation_is_ambiguous_with_the_mean_of_the_costs() -> None:
    found = report(case_shapes("rskt_vitb_mean"))
    assert found is not None
    assert "rotate" not in found.settings
    (sentence,) = found.ambiguous
    assert "rotate" in sentence


def test_fusion_leaves_no_trace_without_dino() -> None:
    found = report(case_shapes("rskt_vitb_nodino"))
    assert found is not None
    assert "fusion" not in found.settings
    assert found.settings["dino"] == "off"


def test_options_of_the_original_layers_are_ambiguous() -> None:
    shapes = case_shapes("rskt_vitb_original_aggregator")
    found = report(shapes)
    assert found is not None
    assert found.settings["efficient"] == "off"
    for name in ("pooling", "heads", "attention", "window"):
        assert any(name in sentence for sentence in found.ambiguous)


def test_a_stored_mask_tells_the_window() -> None:
    shapes = case_shapes("rskt_vitb_original_aggregator")
    shapes[f"{HEAD}layers.0.swin_block.block_2.attn_mask"] = (16, 36, 36)
    found = report(shapes)
    assert found is not None
    assert found.settings["window"] == "6"
    assert not any("window" in sentence for sentence in found.ambiguous)
    assert any("mask" in line for line in found.ignored)


def test_missing_unused_and_misshapen_tensors_are_named() -> None:
    shapes = case_shapes("rskt_vitb_dlrsd")
    del shapes["dino_model.norm.bias"]
    shapes["ema.decay"] = ()
    shapes[f"{HEAD}head.weight"] = (2, 32, 3, 3)
    found = report(shapes)
    assert found is not None
    assert found.missing == ("dino_model.norm.bias",)
    assert found.unused == ("ema.decay",)
    assert found.misshapen == (f"{HEAD}head.weight: 2x32x3x3 in the file, 1x32x3x3 expected",)


def test_decoder_guidance_that_was_switched_off_is_seen() -> None:
    shapes = case_shapes("rskt_vitb_dlrsd")
    shapes = {key: shape for key, shape in shapes.items() if "CLIP_decoder_guidance_projection" not in key}
    shapes[f"{HEAD}Fusiondecoder1.up.weight"] = (128, 128, 2, 2)
    shapes[f"{HEAD}Fusiondecoder1.up.bias"] = (128,)
    shapes[f"{HEAD}Fusiondecoder2.up.weight"] = (64, 64, 2, 2)
    shapes[f"{HEAD}Fusiondecoder2.up.bias"] = (64,)
    shapes[f"{HEAD}Fusiondecoder1.conv.double_conv.0.weight"] = (64, 160, 3, 3)
    shapes[f"{HEAD}Fusiondecoder2.conv.double_conv.0.weight"] = (32, 80, 3, 3)
    assert not read_settings(shapes).config.clip_guidance
    found = report(shapes)
    assert found is not None
    assert found.missing == found.unused == found.misshapen == ()


def test_no_aggregator_layers_are_a_setting_like_any_other() -> None:
    shapes = {key: shape for key, shape in case_shapes("rskt_vitb_dlrsd").items() if f"{HEAD}layers." not in key}
    found = report(shapes)
    assert found is not None
    assert found.settings["layers"] == "0"
    assert found.missing == ()


@pytest.mark.parametrize("case", [*SETTINGS, "rskt_vitb_mean", "rskt_vitb_nodino", "rskt_vitb_original_aggregator"])
def test_its_own_files_are_recognised(case: str) -> None:
    found = report(case_shapes(case))
    assert found is not None
    assert found.model == "rskt-seg"


def test_published_parameter_counts() -> None:
    import torch

    from ovrisisbench.adapters.rskt_seg.network import RSKTSeg

    with torch.device("meta"):
        network = RSKTSeg(VIT_B)
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    assert counts["clip"] == 86_192_640
    assert counts["text"] + 1 == 63_428_097, "the official count has logit_scale in it"
    assert counts["dino"] == 85_807_872
    assert file_layout(VIT_B).trained_values == 34_299_329
    layers = sum(p.numel() for p in network.fusion.layers.parameters())
    assert layers == 5 * 830_592
    assert sum(p.numel() for p in network.cost_volume.parameters()) == 1_637_376 + 1_573_376
    assert TINY.clip_input == 96
