from __future__ import annotations

import pytest

from ovrisisbench.adapters.clip.config import VIT_B_16, VIT_L_14_336
from ovrisisbench.adapters.clip.openai_file import holds_clip, is_made_of, name_in_file, whose_sizes
from tests.adapters.official_shapes import case_shapes

TOWERS = {"vit-b": VIT_B_16, "vit-l": VIT_L_14_336}


@pytest.fixture
def clip_shapes() -> dict[str, tuple[int, ...]]:
    shapes = case_shapes("segearthov_vitb_potsdam")
    return {key: shape for key, shape in shapes.items() if not key.startswith("upsampler.")}


def test_a_file_of_clip_is_recognised_by_its_parts(clip_shapes: dict[str, tuple[int, ...]]) -> None:
    assert holds_clip(clip_shapes)
    assert is_made_of(clip_shapes)
    assert whose_sizes(clip_shapes, TOWERS) == "vit-b"
    large = {"visual.class_embedding": (1024,), "visual.conv1.weight": (1024, 3, 14, 14)}
    assert whose_sizes({**clip_shapes, **large}, TOWERS) == "vit-l"
    assert whose_sizes({**clip_shapes, "visual.class_embedding": (1024,)}, TOWERS) is None  # no ViT-L has such patches
    assert whose_sizes({**clip_shapes, "visual.class_embedding": (1280,)}, TOWERS) is None
    assert whose_sizes({**clip_shapes, "visual.class_embedding": ()}, TOWERS) is None


def test_what_stands_beside_clip_is_seen(clip_shapes: dict[str, tuple[int, ...]]) -> None:
    more = {**clip_shapes, "head.weight": (2, 2)}
    assert holds_clip(more)
    assert not is_made_of(more)
    assert is_made_of(more, others=("head",))


@pytest.mark.parametrize("missing", ["visual.class_embedding", "visual.proj", "text_projection"])
def test_a_tower_alone_or_a_convolutional_clip_is_not_one(
    clip_shapes: dict[str, tuple[int, ...]], missing: str
) -> None:
    del clip_shapes[missing]
    assert not holds_clip(clip_shapes)


def test_attention_is_fused_in_both_towers() -> None:
    assert name_in_file("clip.transformer.resblocks.3.attn.qkv.bias") == (
        "visual.transformer.resblocks.3.attn.in_proj_bias"
    )
    assert name_in_file("text.transformer.resblocks.3.attn.qkv.weight") == "transformer.resblocks.3.attn.in_proj_weight"
    assert name_in_file("text.text_projection") == "text_projection"
    assert name_in_file("upsampler.up.range_temp") == "upsampler.up.range_temp"
