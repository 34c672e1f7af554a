"""Driving SegEarth-OV for its parity cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.segearth_ov.adapter import SegEarthOVAdapter
from ovrisisbench.adapters.segearth_ov.classes import class_probabilities, class_scores, stretched
from ovrisisbench.adapters.segearth_ov.windows import resized
from ovrisisbench.evaluate import label_map
from tests.parity.case import Array, ParityCase
from tests.parity.comparison import Comparison, compared

__all__ = ["KEPT_WHOLE", "NOT_COMPARED", "compare", "reason_to_skip"]

NOT_COMPARED = ()
"""Recorded, but no output."""

KEPT_WHOLE = ("query_features",)
"""What all that follows is computed from."""

_BACKBONES = {"ViT-B/16": "vit-b"}
_CORNER = 7
"""Of the thinned range kernels, only this corner was recorded."""
_NEAR = 1e-5
"""Probabilities this close count as equal; those of the two sides differ by a tenth of it."""


def reason_to_skip(case: ParityCase) -> str | None:
    """Say why a case cannot be run here; None if it can."""
    del case
    try:
        import cv2  # noqa: F401
    except ImportError:
        return "opencv-python-headless is not installed"
    return None


def compare(case: ParityCase, folder: Path) -> Iterator[Comparison]:
    """Load both files as a user would, and compare every recorded tensor.

    The text tower of these cases amplifies rounding a thousandfold, so queries
    are compared by themselves, and everything else goes on from the recorded ones.
    """
    adapter = _adapter(case, folder)
    yield from _compared_queries(case, adapter)
    vectors = torch.from_numpy(case.recorded["query_features"])
    vocabulary = adapter.vocabularies.present
    adapter.vocabularies.take(vocabulary._replace(queries=vocabulary.queries._replace(vectors=vectors)))
    image = case.image()
    found, exact, labels, sure = _found(case, adapter, image)
    for name, value in exact.items():
        yield compared(case, name, value, 0)
    for name, value in found.items():
        yield compared(case, name, value, _limit(case.recorded[name]))
    for name, value in labels.items():
        wrong = value != case.recorded[name]
        remark = f" of {int(sure.sum())} sure pixels, {int((wrong & ~sure).sum())} others"
        yield Comparison(name, float((wrong & sure).sum()), 0, remark)


def _adapter(case: ParityCase, folder: Path) -> SegEarthOVAdapter:
    state = case.state()
    upsampler = {key: state.pop(key) for key in list(state) if key.startswith("upsampler.")}
    sizes = {"input_resolution": 224, "context_length": 77, "vocab_size": 49408}
    state.update({key: torch.tensor(value) for key, value in sizes.items()})
    torch.save(state, folder / "ViT-B-16.pt")
    torch.save({"state_dict": upsampler, "epoch": 0}, folder / "xclip_jbu_one_million_aid.ckpt")
    settings = {"linears": "plain"}
    if case.config["prob_thd"]:
        settings |= {
            "probability_threshold": str(case.config["prob_thd"]),
            "background": str(case.config["bg_idx"]),
        }
    adapter = SegEarthOVAdapter.load(
        LoadOptions(
            backbone=_BACKBONES[case.manifest["variant"]],
            checkpoint=folder / "ViT-B-16.pt",
            beside={"upsampler": folder / "xclip_jbu_one_million_aid.ckpt"},
            settings=settings,
        )
    )
    adapter.set_vocabulary(case.classes)
    return adapter


def _compared_queries(case: ParityCase, adapter: SegEarthOVAdapter) -> Iterator[Comparison]:
    """A float64 text tower is as far from either of two float32 runs as these are from each other."""
    vectors = adapter.queries.vectors.numpy()
    yield compared(case, "query_class", np.array(adapter.queries.classes), 0)
    yield compared(case, "query_features", vectors, 4e-4)
    of_queries = np.abs(vectors - case.recorded["query_features"]).max(axis=1)
    yield Comparison("median of the queries' largest differences", float(np.median(of_queries)), 1e-4)


def _found(
    case: ParityCase, adapter: SegEarthOVAdapter, image: Array
) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array], Array]:
    """Return by recorded name what is computed, what must be equal to the bit, and label maps; and the sure pixels."""
    traced: dict[str, list[Tensor]] = {}
    many = ("window_cosines",)

    def trace(name: str, tensor: Tensor) -> None:
        calls = traced.setdefault(name, [])
        if not calls or name in many:
            calls.append(tensor.clone())

    with torch.inference_mode():
        scores = adapter.score(image, trace)
        windows, tokens = traced["windows"][0], traced["tokens"][0]
        patch = adapter.network.config.clip.patch
        grid = (windows.shape[2] // patch, windows.shape[3] // patch)
        # The network enlarges coordinates along axes of its own; here every channel goes the same way.
        adapter.network.upsampler(
            tokens[0, 1:].unflatten(0, grid), windows[0], trace=lambda name, tensor: trace(f"full_{name}", tensor)
        )
        cosines = traced["cosines"][0][0]
        large = stretched(cosines, image.shape[:2])
        classes = adapter.queries.classes
        without = class_scores(cosines, classes, image.shape[:2], None)
    small = resized(image, adapter.network.config.long_side)
    of_windows = _as_recorded(case, torch.cat(traced["window_cosines"]), small)
    found = {
        "crop0_input": windows[0],
        "crop_cls": F.normalize(tokens[:, 0], dim=-1),
        "crop0_tokens": tokens[0, 1:],
        "last_tokens": tokens[-1, 1:],
        "crop0_features": traced["features"][0][0],
        "crop0_logits": of_windows[0],
        "crop_logits": of_windows,
        "slide_logits": large,
        "class_prob": class_probabilities(large, classes),
    }
    for step in range(adapter.network.config.steps):
        found[f"crop0_up{step}"] = traced[f"full_up_{step}"][0][0]
        kernels = traced[f"range_kernel_{step}"][0][0]
        apart = 2 ** (step + 1)
        found[f"crop0_range_kernel{step}"] = kernels[:, ::apart, ::apart][:, :_CORNER, :_CORNER]
    exact = {
        "resized_bgr": small[..., ::-1].transpose(2, 0, 1),
        "resized_shape": np.array([3, *small.shape[:2]]),
        "crop_shapes": np.array([[1, *windows.shape[1:]]] * len(windows)),
    }
    labels = {
        "argmax": label_map(scores.numpy(), image.shape[:2]),
        "argmax_no_threshold": label_map(without.numpy(), image.shape[:2]),
    }
    sure = _sure(found["class_prob"], case.config["prob_thd"]).numpy()
    return {name: value.numpy() for name, value in found.items()}, exact, labels, sure


def _sure(probabilities: Tensor, threshold: float) -> Tensor:
    """Pixels that rounding cannot move to another class: neither near a tie nor near the threshold."""
    best = probabilities.topk(min(2, len(probabilities)), dim=0).values
    tie = best[0] - best[-1] < _NEAR if len(best) > 1 else torch.zeros_like(best[0], dtype=torch.bool)
    return ~tie & ((best[0] - threshold).abs() > _NEAR)


def _as_recorded(case: ParityCase, of_windows: Tensor, small: Array) -> Tensor:
    """Logits with or without what lies on the padding of small windows: manifests do not say which was recorded."""
    padded = of_windows.shape[2:]
    sizes = [min(whole, side) for whole, side in zip(small.shape[:2], padded, strict=True)]
    top, left = ((side - size) // 2 for side, size in zip(padded, sizes, strict=True))
    without = of_windows[:, :, top : top + sizes[0], left : left + sizes[1]]
    reference = case.recorded["crop0_logits"]
    cut = [case.cut("crop0_logits", candidate[0].numpy()) for candidate in (of_windows, without)]
    far = [float(np.abs(one - reference).max()) if one.shape == reference.shape else np.inf for one in cut]
    return without if far[1] < far[0] else of_windows


def _limit(reference: Array) -> float:
    """Return the largest difference that rounding explains.

    Other orders of operations moved values by 5e-6 of the largest, and the
    recorded ones are 1.3e-5 of it away from float64, as ours are.
    """
    return 3e-5 * float(np.abs(reference).max())
