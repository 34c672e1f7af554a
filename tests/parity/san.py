"""Driving SAN for its parity cases: one checkpoint, one vocabulary, one picture or several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.san.adapter import SANAdapter
from ovrisisbench.adapters.text.class_names import as_written
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import VILD, fill
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.evaluate import label_map
from tests.parity.case import Array, ParityCase
from tests.parity.comparison import Comparison, compared, compared_labels
from tests.parity.synth import synthetic_image

__all__ = ["NOT_COMPARED", "compare", "reason_to_skip"]

NOT_COMPARED = ()
"""Recorded, but no output: nothing here."""

_BACKBONES = {"ViT-B-16": "vit-b", "ViT-L-14-336": "vit-l"}

_MARGIN = 1e-3
"""Lead of the best score over the second best, as a share of the best, from which a pixel is marked safe."""


def reason_to_skip(case: ParityCase) -> str | None:
    """Say why a case cannot be run here; None if it can."""
    del case
    return None


def compare(case: ParityCase, folder: Path) -> Iterator[Comparison]:
    """Load the checkpoint as a user would, predict every picture, and compare every recorded tensor."""
    checkpoint = folder / "model_final.pth"
    torch.save({"model": {**case.state(), **_buffers(case)}, "iteration": 59999}, checkpoint)
    adapter = SANAdapter.load(
        LoadOptions(backbone=_backbone(case), checkpoint=checkpoint, settings={"linears": "plain"})
    )
    adapter.set_vocabulary(case.classes)
    names = [as_written(name) for name in case.classes]
    yield compared(case, "tokens_t0", tokenise([fill(VILD[0], name) for name in names]).numpy(), 0)
    yield compared(case, "text_t0", TextEncoder(adapter.network.text, VILD[:1]).embed(names)[:, 0].numpy(), 1e-5)
    yield compared(case, "text_classifier", adapter.classifier.numpy(), 1e-5)
    for prefix, image in _pictures(case):
        found = _found(adapter, image)
        for name in _recorded_of(case, prefix):
            plain = name.removeprefix(prefix)
            if plain == "argmax":
                labels = label_map(found["scores"], image.shape[:2])
                yield compared_labels(case, name, labels, sure=f"{prefix}argmax_safe")
            elif plain == "argmax_safe":
                yield _compared_margins(case, name, found["scores"])
            else:
                yield compared(case, name, found[plain], _limit(plain, case.recorded[name]))


def _buffers(case: ParityCase) -> dict[str, torch.Tensor]:
    """What an official file holds beside its weights."""
    sizes = {"criterion.empty_weight": (len(case.classes) + 1,), "ov_classifier.attn_mask": (77, 77)}
    return {name: torch.ones(sizes[name]) for name in case.manifest.get("computed", sizes) if name in sizes}


def _backbone(case: ParityCase) -> str:
    """Of all names that occur in the description the longest."""
    return _BACKBONES[max((name for name in _BACKBONES if name in case.config["clip"]), key=len)]


def _pictures(case: ParityCase) -> Iterator[tuple[str, Array]]:
    """Yield the prefix of its recorded names with each picture: ``image`` has none, ``image_wide`` has ``wide_``."""
    yield "", case.image()
    for key, size in case.manifest.items():
        if key.startswith("image_") and isinstance(size, dict):
            yield f"{key.removeprefix('image_')}_", synthetic_image(size["height"], size["width"], size["seed"])


def _recorded_of(case: ParityCase, prefix: str) -> list[str]:
    """Names recorded of one picture; those without any picture's prefix are the first one's."""
    others = [other for other, _ in _pictures(case) if other and other != prefix]
    text = ("tokens_t0", "text_t0", "text_classifier")
    return [
        name
        for name in case.recorded
        if name.startswith(prefix) and not name.startswith(tuple(others)) and name not in text
    ]


def _found(adapter: SANAdapter, image: Array) -> dict[str, Array]:
    """Return every traced tensor of one picture by its recorded name, without the axis of images."""
    traced: dict[str, Array] = {}
    with torch.inference_mode():
        scores = adapter.score(image, trace=lambda name, tensor: traced.update({name: tensor.numpy().copy()}))
    found = {name: value[0] for name, value in traced.items()}
    found["image_resized"] = mapped(image).transpose(2, 0, 1)
    found["padded_shape"] = np.array(traced["padded"].shape)
    found["clip_input_shape"] = np.array(traced["clip_input"].shape)
    found["attn_bias_pooled"] = _flat_patches(found["attn_bias_pooled"])
    found["scores"] = scores.numpy()
    return found


def _flat_patches(bias: Array) -> Array:
    return bias.reshape(*bias.shape[:2], -1)


def _compared_margins(case: ParityCase, name: str, scores: Array) -> Comparison:
    """Compare which pixels are safe; a few lie so near to the threshold that rounding decides."""
    second, best = np.sort(scores, axis=0)[-2:]
    differing = ((best - second) / best > _margin(case, name)) != (case.recorded[name] > 0)
    return Comparison(name, float(differing.mean()), 1e-3, remark=f", {int(differing.sum())} pixels")


def _margin(case: ParityCase, name: str) -> float:
    """Return the threshold that the description gives; small copies of cases have none."""
    said = re.search(r"more than ([\d.e-]+)", case.manifest.get("recorded", {}).get(name, ""))
    return float(said[1]) if said else _MARGIN


def _limit(name: str, reference: Array) -> float:
    """Return the largest difference that rounding explains: below ten times what other operation orders gave."""
    if name in ("image_resized", "padded_shape", "clip_input_shape"):
        return 0.0
    if name in ("scores", "class_logits", "mask_logits", "mask_logits_post", "attn_bias", "attn_bias_pooled"):
        return 2e-4
    if name == "mask_embeddings":
        return 6e-6
    return 5e-6 * float(np.abs(reference).max())
