"""The names of our parameters in official RSKT-Seg checkpoints."""

from __future__ import annotations

from functools import lru_cache

from ovrisisbench.adapters.cost_aggregation.official_names import (
    HEAD,
    PREDICTOR,
    TOWERS,
    aggregator_rules,
    decoder_rules,
    names_by,
    projection_rules,
)
from ovrisisbench.adapters.official_files.renaming import Names, Rules

__all__ = ["official_names"]

_EFFICIENT: Rules = (
    (r"^fusion\.(layers\.\d+)\.spatial\.dwconv\.", rf"{HEAD}\1.spatial_fusion.sa.mlp.dwconv.dwconv."),
    (r"^fusion\.(layers\.\d+)\.spatial\.", rf"{HEAD}\1.spatial_fusion.sa."),
    (r"^fusion\.(layers\.\d+)\.classes\.(q|k|v|proj)\.", rf"{HEAD}\1.class_fusion.sa.attention.\2."),
    (r"^fusion\.(layers\.\d+)\.classes\.", rf"{HEAD}\1.class_fusion.sa."),
    *projection_rules("fusion"),
)
_PARTS: Rules = (
    *TOWERS,
    (r"^remote_clip\.", f"{PREDICTOR}clip_model_remote.visual."),
    (r"^cost_volume\.dino_down_sample\.", "dino_down_sample."),
    (r"^cost_volume\.embedding\.(conv1|conv2|fusion_corr)\.", rf"{HEAD}\1."),
    (r"^cost_volume\.embedding\.", f"{HEAD}conv1."),
    (r"^transfer\.branches\.remote_clip\.0\.upsample\.", "upsample1_remote."),
    (r"^transfer\.branches\.remote_clip\.1\.upsample\.", "upsample2_remote."),
    (
        r"^transfer\.branches\.remote_clip\.(\d)\.project\.",
        rf"{HEAD}CLIP_decoder_guidance_projection_remote.\1.0.",
    ),
    *decoder_rules("transfer", stage="Fusiondecoder", clip_projection="CLIP_decoder_guidance_projection"),
)


@lru_cache(maxsize=8192)
def official_names(key: str, *, efficient: bool) -> Names:
    """Return the official names of the tensor that our network calls ``key``.

    Args:
        key: a key of the network's state dict.
        efficient: whether the aggregator is the efficient one or CAT-Seg's.

    Returns:
        One name; three (queries, keys, values) for the attention weights of the
        CLIP towers, which are stored apart and stacked in this order.
    """
    return names_by(key, [*(_EFFICIENT if efficient else aggregator_rules("fusion")), *_PARTS])
