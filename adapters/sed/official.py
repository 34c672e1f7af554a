"""Official SED checkpoints: a Detectron2 file that holds CLIP and the decoder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.official_files.renaming import Names, Rules, Source, fused_attention_names, rename
from ovrisisbench.adapters.sed.config import BACKBONES, SEDConfig
from ovrisisbench.adapters.sed.network import SED

__all__ = ["CLIP_PREFIX", "DECAYED_NORMS", "FINETUNED", "TUNED_CLIP", "file_layout", "report"]

CLIP_PREFIX = "sem_seg_head.predictor.clip_model."
_DECODER = "sem_seg_head.predictor.transformer."
_STAGE = r"^decoder\.(decoder\d)"

_RULES: Rules = (
    (r"^visual\.trunk\.norm\.", f"{CLIP_PREFIX}visual.trunk.head.norm."),
    (r"^visual\.(trunk\.stages\..+)\.(fc\d)\.", rf"{CLIP_PREFIX}visual.\1.mlp.\2."),
    (r"^visual\.", f"{CLIP_PREFIX}visual."),
    (r"^text\.", CLIP_PREFIX),
    (r"^decoder\.image_projections\.(\d)\.", rf"{_DECODER}decoder_guidance_projection.\1.0."),
    (r"^decoder\.cost_projections\.(\d)\.", rf"{_DECODER}decoder_corr_guidance_projection.\1.0."),
    (rf"{_STAGE}\.cnext\.conv_dw\.", rf"{_DECODER}\1.cnext.dwconv."),
    (rf"{_STAGE}\.cnext\.fc(\d)\.", rf"{_DECODER}\1.cnext.pwconv\2."),
    (rf"{_STAGE}\.attention\.(q|k|v)\.", rf"{_DECODER}\1.attention.attention.\2."),
    (rf"{_STAGE}\.attention\.mlp\.", rf"{_DECODER}\1.attention.MLP."),
    (rf"{_STAGE}\.upsampling\.up\.", rf"{_DECODER}\1.up."),
    (rf"{_STAGE}\.upsampling\.conv1\.", rf"{_DECODER}\1.conv.double_conv.0."),
    (rf"{_STAGE}\.upsampling\.norm1\.", rf"{_DECODER}\1.conv.double_conv.1."),
    (rf"{_STAGE}\.upsampling\.conv2\.", rf"{_DECODER}\1.conv.double_conv.3."),
    (rf"{_STAGE}\.upsampling\.norm2\.", rf"{_DECODER}\1.conv.double_conv.4."),
    (r"^decoder\.", _DECODER),
)

_IGNORABLE = (
    (r".+\.logit_scale", "CLIP's temperature, stored but never used"),
    (r"(clip_)?pixel_(mean|std)", "constants of the pre-processing"),
)
"""Tensors of official files that nothing reads, each with the reason."""

TUNED_CLIP = r"sem_seg_head\.predictor\.clip_model\.visual\..+"
"""Official names of what learns more slowly."""

DECAYED_NORMS = r"sem_seg_head\.predictor\.transformer\.decoder\d\.cnext\.norm\.(weight|bias)"
"""Official names of layer norms of a class of the authors' own, which their optimiser decays like any weight."""

_DECODER_ALONE = r"sem_seg_head\.predictor\.transformer\..+"

FINETUNED: Mapping[str, str] = {
    "none": _DECODER_ALONE,
    "clip": rf"{_DECODER_ALONE}|{TUNED_CLIP}",
}
"""Official names of what learns: the decoder, and the image tower (``CLIP_FINETUNE: full``); never the text tower."""


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not SED's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    if not any(key.startswith(f"{_DECODER}decoder_corr_guidance_projection.") for key in shapes):
        return None
    backbone = _backbone(shapes)
    differences = file_layout(BACKBONES[backbone]).compare(shapes)
    return CheckpointReport(
        model="sed",
        backbone=backbone,
        ambiguous=("A file of SED does not tell pooling; 1 is assumed, as in the official eval.sh.",),
        missing=differences.missing,
        unused=differences.unused,
        misshapen=differences.misshapen,
        ignored=differences.ignored,
    )


@cache
def file_layout(config: SEDConfig) -> FileLayout:
    """Return how the network of ``config`` lies in official files."""
    return FileLayout(build=partial(SED, config), names=_names, ignorable=_IGNORABLE, trained=FINETUNED["clip"])


def _backbone(shapes: Shapes) -> str:
    """Read the backbone from the stem; the first counts where the stem is missing or of another width."""
    stem = shapes.get(f"{CLIP_PREFIX}visual.trunk.stem.0.weight", ())
    return next((name for name, config in BACKBONES.items() if stem[:1] == config.dims[:1]), next(iter(BACKBONES)))


def _names(key: str) -> Names:
    return (Source(fused_attention_names(rename(key, _RULES))),)
