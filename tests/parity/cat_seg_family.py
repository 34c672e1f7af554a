"""Driving CAT-Seg, OVRIS and GSNet for their parity cases: whole image, pooled, and sliding windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.cost_aggregation.adapter import CostAggregationAdapter
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.text.class_names import first_synonym
from ovrisisbench.adapters.text.templates import SCENE, fill
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.evaluate import label_map
from tests.parity.case import Array, ParityCase
from tests.parity.comparison import Comparison, compared, compared_labels

__all__ = ["NOT_COMPARED", "compare", "reason_to_skip"]

NOT_COMPARED = ("whole_sure", "slide_sure", "whole_argmax_safe", "slide_argmax_safe")
"""Recorded, but no output."""

_MODELS = {"catseg": "cat-seg", "ovrs": "ovris", "gsnet": "gsnet"}
_BACKBONES = {"ViT-B/16": "vit-b", "ViT-L/14@336px": "vit-l"}

_WAYS = {
    "whole": {"sliding_window": "off"},
    "whole_pool2": {"sliding_window": "off", "pooling": "2"},
    "slide": {},
}
"""Prefix of the recorded names -> settings; sliding windows are the default."""


def reason_to_skip(case: ParityCase) -> str | None:
    """Say why a case cannot be run here; None if it can."""
    del case
    return None


def compare(case: ParityCase, folder: Path) -> Iterator[Comparison]:
    """Load the checkpoint as a user would for each way of scoring, and compare every recorded tensor."""
    checkpoint = folder / "model_final.pth"
    torch.save({"model": case.state(), "iteration": 80000}, checkpoint)
    image = case.image()
    prompts = [fill(SCENE[0], first_synonym(name)) for name in case.classes]
    yield compared(case, "tokens", tokenise(prompts).numpy(), 0)
    yield compared(case, "input_resized", mapped(image).transpose(2, 0, 1), 0)
    for way, settings in _WAYS.items():
        names = [name for name in case.recorded if _way_of(name) == way]
        if not names:
            continue
        adapter = _adapter(case, checkpoint, settings)
        if way == "whole":
            yield compared(case, "text_embeds", adapter.embeddings.numpy(), 2e-5)
        found, score_map = _found(adapter, image, way)
        size = (image.shape[0], image.shape[1])
        scores = F.interpolate(torch.from_numpy(score_map)[None], size=size, mode="bilinear", align_corners=False)
        found[f"{way}_scores"] = scores[0].numpy()
        for name in names:
            if name == f"{way}_argmax":
                yield compared_labels(case, name, label_map(score_map, size), sure=f"{way}_sure")
            elif name not in NOT_COMPARED:
                yield compared(case, name, found[name], _limit(name, case.recorded[name]))


def _way_of(name: str) -> str:
    return next((way for way in ("whole_pool2", "whole", "slide") if name.startswith(f"{way}_")), "")


def _adapter(case: ParityCase, checkpoint: Path, settings: Mapping[str, str]) -> CostAggregationAdapter:
    found = find_adapter(_MODELS[case.model])
    adapter = found.load_class().load(
        LoadOptions(
            backbone=_BACKBONES[case.config["clip"]],
            checkpoint=checkpoint,
            settings={"linears": "plain", **settings},
        )
    )
    assert isinstance(adapter, CostAggregationAdapter)
    adapter.set_vocabulary(case.classes)
    return adapter


def _found(adapter: CostAggregationAdapter, image: Array, way: str) -> tuple[dict[str, Array], Array]:
    """Return every traced tensor by its recorded name, and the score map."""
    calls: dict[str, list[Array]] = defaultdict(list)
    with torch.inference_mode():
        scores = adapter.score(image, trace=lambda name, tensor: calls[name].append(tensor.numpy().copy()))
    found = {}
    for name, values in calls.items():
        for recorded in _recorded_names(name):
            found[f"{way}_{recorded}"] = _laid_out(recorded, values, batch=way == "slide")
    return found, scores.numpy()


def _recorded_names(name: str) -> list[str]:
    """Names under which the cases record what the trace calls ``name``."""
    plain = {
        "clip_in": "clip_input",
        "clip_mid_0": "clip_block_a",
        "clip_mid_1": "clip_block_b",
        "guid_clip_0": "res4",
        "guid_clip_1": "res5",
        "guid_dino_0": "dino_l4",
        "guid_dino_1": "dino_l8",
        "cost_clip": "corr",
        "cost_dino": "dino_corr",
        "cost_embed": "corr_embed",
        "proj_guidance": "guidance",
        "proj_text": "text_guidance",
        "up_1": "decoder1",
        "up_2": "decoder2",
    }
    if name.startswith("clip_dense_"):
        turns = int(name[-1])
        return [f"clip_dense_rot{90 * turns}", *(["clip_dense"] if turns == 0 else [])]
    if name.startswith("layer_"):
        return [name.replace("layer_", "layer").replace("_spatial", "_swin")]
    if name.startswith("dino_layer_"):
        return [name.replace("layer_", "layer")]
    return [plain.get(name, name)]


def _laid_out(recorded: str, values: list[Array], *, batch: bool) -> Array:
    """Bring a traced tensor into the layout of the case."""
    if recorded in ("text_guidance", "dino_pos", "conv1", "conv2", "fusion_corr"):
        return values[0]  # these have no axis of images
    if batch:
        return np.concatenate(values)
    (value,) = values
    return value[0].swapaxes(0, 1) if recorded == "corr_embed" else value[0]


def _limit(name: str, reference: Array) -> float:
    """Return the largest difference that rounding explains: ten times what other operation orders gave, or less."""
    if name.endswith("_logits"):
        return 2e-5
    if name.endswith("_scores"):
        return 8e-6
    return 2e-5 * float(np.abs(reference).max())
