"""Driving SCAN for its parity cases: stage by stage, since hard thresholds turn rounding into small jumps.

A pixel on the other side of a threshold changes a whole crop, so crops are
counted: some must agree closely, most roughly. What such pixels cannot excuse
is compared on the official side's own intermediate results.
"""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import as_pixels, normalised
from ovrisisbench.adapters.scan.adapter import SCANAdapter
from ovrisisbench.adapters.scan.ensemble import class_scores, cosine_logits, map_of_scores
from ovrisisbench.adapters.scan.network import SCAN
from ovrisisbench.adapters.scan.regions import find_regions
from ovrisisbench.adapters.scan.settings import Calibration
from ovrisisbench.adapters.scan.towers import FrozenFeatures
from ovrisisbench.evaluate import label_map
from tests.parity.case import Array, ParityCase
from tests.parity.comparison import Comparison, compared, compared_labels

__all__ = ["KEPT_WHOLE", "NOT_COMPARED", "compare", "reason_to_skip"]

NOT_COMPARED = ()
"""Recorded, but no output."""

KEPT_WHOLE = ("query_embedding", "text_features", "in_vocab_logits", "region_logits", "region_logits_noreplace")
"""What the stages behind continue with."""

_BACKBONES = {"ViT-B/16": "vit-b", "ViT-L/14": "vit-l"}

_EXACT = ("valid", "bboxes", "patch_mask", "replaced_patches")
_BEHIND_MASKS = ("layer_query_embedding", "layer_masks", "query_embedding", "pred_masks", "mask_prob")
_BEHIND_FUSION = {"after_fusion": 8e-4, "after_light": 8e-4, "in_vocab_logits": 4e-4}
_FUSION_ALONE = {"after_fusion": 1e-4, "after_light": 1e-4, "in_vocab_logits": 7e-5}
"""Differences that rounding explains, relative to the largest value; ten times as much is allowed."""

_TEXT = {512: 4e-3, 768: 2e-2}
"""Differences of text vectors that are allowed, by the tower's width; its attention is sharp in these cases."""

_COMBINATION = 3e-4
"""Largest difference of a score, given the official side's logits."""

_CLOSE, _ROUGH = 1e-3, 0.2
_SHARE_CLOSE, _SHARE_ROUGH = 0.3, 0.7
"""So many of the regions must agree so well in their logits."""


def reason_to_skip(case: ParityCase) -> str | None:
    """Say why a case cannot be run here; None if it can."""
    del case
    return None if importlib.util.find_spec("transformers") else "SCAN needs the package transformers"


def compare(case: ParityCase, folder: Path) -> Iterator[Comparison]:
    """Load the checkpoint as a user would, predict once, and compare every recorded tensor."""
    checkpoint = folder / "model_final.pth"
    torch.save({"model": case.state(), "iteration": 119_999}, checkpoint)
    adapter = _adapter(case, checkpoint)
    image = case.image()
    yield compared(case, "image_resized", mapped(image).transpose(2, 0, 1), 0)
    yield compared(case, "resized_shape", np.array(mapped(image).transpose(2, 0, 1).shape), 0)
    with torch.inference_mode():
        yield from _compared_stages(case, adapter, image)


def _adapter(case: ParityCase, checkpoint: Path) -> SCANAdapter:
    config = case.config
    said = {
        "mask_threshold": str(config["mask_thr"]),
        "ensemble_weight": str(config["clip_ensemble_weight"]),
        "replace_ratio": str(config["replace_ratio"]),
        "linears": "plain",
    }
    adapter = SCANAdapter.load(
        LoadOptions(backbone=_BACKBONES[case.manifest["variant"]], checkpoint=checkpoint, settings=said)
    )
    sizes = adapter.network.config
    built = (list(sizes.taps), list(sizes.sigmas), list(sizes.replace_after), sizes.mask.layers, sizes.clip.table)
    expected = (
        config["select_blocks"],
        config["frequency_sigma"],
        config["replace_layers"],
        config["mask_decoder"]["layers"],
        config["patch_grid_side"],
    )
    assert built == expected, f"built {built}, the case has {expected}"
    adapter.set_vocabulary(case.classes)
    return adapter


def _compared_stages(case: ParityCase, adapter: SCANAdapter, image: Array) -> Iterator[Comparison]:
    network, calibration = adapter.network, adapter.calibration
    own_text = network.with_non_object(adapter.embeddings)
    yield compared(case, "text_features", own_text.numpy(), _TEXT[network.config.clip.text_width])
    text = torch.from_numpy(case.recorded["text_features"])
    adapter.vocabularies.take(text[:-1])  # rounding in the text tower grows: the rest continues with these
    found: dict[str, Tensor] = {}
    score_map = adapter.score(
        image, generator=random.Random(case.manifest["seed"]), trace=lambda name, value: found.update({name: value[0]})
    )
    for name in ("layer_query_embedding", "layer_masks"):
        found[name] = found[name][: network.config.mask.layers]  # recorded before each layer
    found["in_vocab_logits"] = cosine_logits(found["after_light"], text)
    for name, limit in _limits(case).items():
        yield compared(case, name, _padded(case, name, found[name].numpy()), limit)
    yield from _compared_fusion(case, network, found, text)
    yield _compared_crops(case, found["regions"])

    probabilities, size = found["mask_prob"], (image.shape[0], image.shape[1])
    yield from _compared_regions(case, "region_logits", found["region_features"], text)
    yield from _compared_scores(case, "", score_map, size)
    yield from _compared_combination(case, "", calibration, probabilities, size)
    if "region_logits_noreplace" in case.recorded:
        features = _without_replacement(network, calibration, image, probabilities)
        yield from _compared_regions(case, "region_logits_noreplace", features, text)
        scores = class_scores(
            found["in_vocab_logits"], cosine_logits(features, text[:-1]), found["valid"], calibration.ensemble_weight
        )
        yield from _compared_scores(case, "_noreplace", map_of_scores(scores, probabilities), size)
        yield from _compared_combination(case, "_noreplace", calibration, probabilities, size)


def _limits(case: ParityCase) -> Mapping[str, float]:
    """Recorded tensors that are compared value by value, each with the largest difference allowed."""
    limits = dict.fromkeys(_EXACT, 0.0)
    limits["region_features"] = 7e-2
    for name, reference in case.recorded.items():
        largest = float(np.abs(reference.astype(np.float64)).max(initial=0.0))
        if name in _BEHIND_MASKS:
            limits[name] = 9e-4 * largest
        elif name in _BEHIND_FUSION:
            limits[name] = 10 * _BEHIND_FUSION[name] * largest
        elif name.startswith(("backbone_input", "clip_", "lfm", "context", "res", "mask_features", "multi_scale_")):
            limits[name] = 1e-5 * largest
    del limits["resized_shape"]
    return limits


def _compared_fusion(
    case: ParityCase, network: SCAN, found: Mapping[str, Tensor], text: Tensor
) -> Iterator[Comparison]:
    """The calibration of the queries that the official side had."""
    frozen = FrozenFeatures(
        taps=tuple(found[f"clip_tokens_{number}"][None] for number in network.config.taps),
        classes=found["clip_layer_cls"][None],
        embedding=found["clip_cls"][None],
    )
    alone: dict[str, Tensor] = {}
    queries = torch.from_numpy(case.recorded["query_embedding"])
    calibrated = network.calibrated(queries, frozen, lambda name, value: alone.update({name: value[0]}))
    alone["in_vocab_logits"] = cosine_logits(calibrated, text)
    for name, noise in _FUSION_ALONE.items():
        yield compared(case, name, alone[name].numpy(), 10 * noise * float(np.abs(case.recorded[name]).max()))


def _compared_regions(case: ParityCase, name: str, features: Tensor, text: Tensor) -> Iterator[Comparison]:
    difference = np.abs(cosine_logits(features, text).numpy() - case.recorded[name]).max(axis=1)
    regions = len(difference)
    for bound, share in ((_CLOSE, _SHARE_CLOSE), (_ROUGH, _SHARE_ROUGH)):
        beyond = int((difference > bound).sum())
        yield Comparison(
            name, beyond, regions - np.ceil(share * regions), f" of {regions} regions differ by more than {bound}"
        )


def _compared_crops(case: ParityCase, crops: Tensor) -> Comparison:
    """A pixel on the other side of the threshold changes at most some 25 values around it."""
    difference = np.abs(case.cut("regions", crops.numpy()) - case.recorded["regions"])
    return Comparison("regions", float((difference > 1e-6).mean()), 1e-3, " of the values differ by more than 1e-6")


def _compared_scores(case: ParityCase, ending: str, score_map: Tensor, size: tuple[int, int]) -> Iterator[Comparison]:
    """End to end."""
    largest = float(case.recorded[f"sem_seg{ending}"].max())
    yield compared(case, f"sem_seg{ending}", _stretched(score_map, size), 4e-2 * largest)
    yield compared_labels(case, f"argmax{ending}", label_map(score_map.numpy(), size), least=0.99)


def _compared_combination(
    case: ParityCase, ending: str, calibration: Calibration, probabilities: Tensor, size: tuple[int, int]
) -> Iterator[Comparison]:
    """The logits that the official side had, with our masks."""
    inside, outside = (torch.from_numpy(case.recorded[name]) for name in ("in_vocab_logits", f"region_logits{ending}"))
    valid = torch.from_numpy(case.recorded["valid"])
    scores = class_scores(inside, outside[:, :-1], valid, calibration.ensemble_weight)
    score_map = map_of_scores(scores, probabilities)
    stretched = _stretched(score_map, size)
    yield compared(case, f"sem_seg{ending}", stretched, _COMBINATION)
    yield _compared_where_decided(case, f"argmax{ending}", stretched)


def _compared_where_decided(case: ParityCase, name: str, scores: Array) -> Comparison:
    """Label maps must agree where the two best classes are further apart than twice the difference allowed."""
    second, best = np.sort(scores, axis=0)[-2:] if len(scores) > 1 else (np.full_like(scores[0], -np.inf), scores[0])
    same, decided = scores.argmax(axis=0) == case.recorded[name], best - second > 2 * _COMBINATION
    return Comparison(
        name, int((~same & decided).sum()), 0, f" of {int(decided.sum())} decided pixels, {int((~same).sum())} of all"
    )


def _padded(case: ParityCase, name: str, value: Array) -> Array:
    """Fill up the list of replaced patches as it was recorded."""
    if name != "replaced_patches":
        return value
    thinned = case.manifest.get("thinned", {}).get(name)
    width = (thinned["shape"] if thinned else case.recorded[name].shape)[-1]
    return np.pad(value, [(0, 0), (0, 0), (0, max(0, width - value.shape[-1]))], constant_values=-1)


def _without_replacement(network: SCAN, calibration: Calibration, image: Array, probabilities: Tensor) -> Tensor:
    """The features of the regions with nothing replaced."""
    pixels = as_pixels(mapped(image), probabilities.device)
    regions = find_regions(probabilities, calibration.mask_threshold)
    drawn = network.draw(regions, 0.0, random.Random(0))
    classes = torch.zeros(len(network.config.replace_after), network.config.clip.width)
    return network.region_features(normalised(pixels)[0], regions, drawn, classes)


def _stretched(score_map: Tensor, size: tuple[int, int]) -> Array:
    return F.interpolate(score_map[None], size=size, mode="bilinear", align_corners=False)[0].numpy()
