"""Driving RSKT-Seg for a parity case: its official file, its settings, its intermediate results."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.rskt_seg.adapter import RSKTSegAdapter
from ovrisisbench.evaluate import label_map
from tests.parity.case import Array, ParityCase
from tests.parity.comparison import Comparison, compared_labels
from tests.parity.rskt_training import compare_step

__all__ = ["NOT_COMPARED", "compare", "is_step", "reason_to_skip", "usual_slicing"]

NOT_COMPARED = ("sure",)
"""Recorded, but no output."""

_BACKBONES = {"ViT-B/16": "vit-b", "ViT-L/14@336px": "vit-l"}

_SLICING = (
    (r"input_u8|scores", (":", "::8", "::8")),
    (r"(clip|dino)_in", ("b", ":", "::8", "::8")),
    (r"remote_in", ("b", ":", "::16", "::16")),
    (r"(clip|remote)_mid_\d", ("b", "::24", "::4")),
    (r"clip_dense_\d", ("b", "::24", ":")),
    (r"dino_layer_\d+", ("b", "::96", "::4")),
    (r"dino_pos", ("::96", "::4")),
    (r"dino_feat", ("b", "::4", "::2", "::2")),
    (r"guid_\w+_48", ("b", "::32", "::4", "::4")),
    (r"guid_\w+_96", ("b", "::16", "::8", "::8")),
    (r"cost_(clip|dino)", ("b", ":", ":", ":", ":")),
    (r"layer_\d+(_spatial)?|cost_embed", ("b", "::16", ":", "::2", "::2")),
    (r"proj_guidance", ("b", "::8", "::2", "::2")),
    (r"up_1", ("b", ":", "::8", "::4", "::4")),
    (r"up_2", ("b", ":", "::8", "::8", "::8")),
    (r"logits", (":", ":", ":", ":")),
    (r"text_embeddings|proj_text|argmax|sure", (":", ":")),
)


_RECORDED_AS = {
    f"guid_{ours}_{stage}": f"guid_{theirs}_{side}"
    for ours, theirs in (("clip", "clip"), ("remote_clip", "remote"), ("dino", "dino"))
    for stage, side in ((0, 48), (1, 96))
}


def reason_to_skip(case: ParityCase) -> str | None:
    """Say why a case cannot be run here; None if it can."""
    del case  # all can
    return None


def is_step(case: ParityCase) -> bool:
    """Tell whether a case is a recorded training step."""
    return case.config.get("mode") == "train"


def usual_slicing(name: str) -> tuple[str, ...]:
    """Slicing of tensors whose description only says that it is like that of another one."""
    return next(axes for pattern, axes in _SLICING if re.fullmatch(pattern, name))


def tolerance(case: ParityCase, name: str, reference: Array) -> float:
    """Return the largest difference that rounding explains: ten times what other operation orders gave."""
    size = float(np.abs(reference.astype(np.float64)).max())
    if name == "input_u8":
        return 0.0
    if name == "logits":
        # Without DINO no sigmoid bounds the cost embedding, and steep gates amplify rounding.
        return 2e-5 if case.config["use_remote_dino"] else 5e-5
    if name == "scores":
        return 1.4e-5
    if name.startswith("layer_"):
        return (2.4e-5 if case.config["use_remote_dino"] else 5.5e-5) * size
    return min(1.1e-4, 1e-4 * size)


def compare(case: ParityCase, folder: Path) -> Iterator[Comparison]:
    """Load the checkpoint as a user would, predict, and compare every recorded tensor."""
    checkpoint = folder / "model_final.pth"
    torch.save({"model": case.state(), "iteration": 30000}, checkpoint)
    if is_step(case):
        yield from compare_step(case, checkpoint)
        return
    found = dict(_run(case, checkpoint))
    score_map = found.pop("score_map")
    size = (case.image_size["height"], case.image_size["width"])
    scores = F.interpolate(torch.from_numpy(score_map)[None], size=size, mode="bilinear", align_corners=False)[0]
    found["scores"] = scores.numpy()
    for name, reference in case.recorded.items():
        if name not in ("argmax", "sure"):
            value = case.as_recorded(name, found[name], usual_slicing(name))
            assert value.shape == reference.shape, f"{name}: {value.shape}, recorded {reference.shape}"
            worst = float(np.abs(value.astype(np.float64) - reference.astype(np.float64)).max())
            yield Comparison(name, worst, tolerance(case, name, reference))
    yield compared_labels(case, "argmax", label_map(score_map, size), sure="sure")


def _run(case: ParityCase, checkpoint: Path) -> Mapping[str, Array]:
    """Return every full tensor by its recorded name."""
    adapter = RSKTSegAdapter.load(
        LoadOptions(backbone=_BACKBONES[case.config["clip"]], checkpoint=checkpoint, settings=settings(case))
    )
    _check_settings(case, adapter)
    adapter.set_vocabulary(case.classes)
    calls: dict[str, list[Array]] = defaultdict(list)
    image = case.image()
    with torch.inference_mode():
        scores = adapter.score(image, trace=lambda name, tensor: calls[name].append(tensor.numpy().copy()))
    found = {
        _RECORDED_AS.get(name, name): values[0] if name in ("proj_text", "dino_pos") else np.concatenate(values)
        for name, values in calls.items()
        if name not in ("conv1", "conv2", "fusion_corr")
    }
    found["input_u8"] = mapped(image).transpose(2, 0, 1)
    found["text_embeddings"] = adapter.embeddings.numpy()
    found["score_map"] = scores.numpy()
    return found


def settings(case: ParityCase) -> dict[str, str]:
    """What the checkpoint cannot tell and a user would have to say."""
    config = case.config
    said = {"sliding_window": _switch(config["sliding_window"]), "linears": "plain"}
    if config["fusion_type"] == "simple_mean" and config["use_remote_dino"]:
        said["rotate"] = _switch(config["use_rotate"])
    with_dino = config["use_remote_dino"] and config["fusion_type"] == "simple_separate"
    if with_dino and not (config["use_rotate"] or config["use_remote_clip"] or config["use_efficient"]):
        # this is GSNet's network and has GSNet's names
        said |= {"rotate": "off", "remote_clip": "off", "efficient": "off"}
    if not config["use_efficient"]:
        said["pooling"] = str(config.get("pooling_sizes", [1])[0])
        said["heads"] = str(config.get("aggregator_heads", 4))
        said["window"] = str(config.get("window_size", 12))
        said["attention"] = config.get("attention_type", "linear")
    return said


def _check_settings(case: ParityCase, adapter: RSKTSegAdapter) -> None:
    """The rest must have been read from the file."""
    config, found = case.config, adapter.describe()
    expected = {
        "rotate": config["use_rotate"],
        "dino": config["use_remote_dino"],
        "remote_clip": config["use_remote_clip"],
        "layers": config["num_layers"],
        "efficient": config["use_efficient"],
        "fusion": config["fusion_type"].removeprefix("simple_") if config["use_remote_dino"] else None,
        "sliding_window": config["sliding_window"],
    }
    wrong = {name: (found[name], value) for name, value in expected.items() if found[name] != value}
    if wrong:
        raise AssertionError(f"settings read (found, expected): {wrong}")


def _switch(state: bool) -> str:
    return "on" if state else "off"
