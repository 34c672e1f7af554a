"""The names of our parameters in official RSKT-Seg checkpoints."""

from __future__ import annotations

import re
from functools import lru_cache

from ovrisisbench.adapters.clip.renaming import split_attention_names

__all__ = ["HEAD", "PREDICTOR", "official_names"]

PREDICTOR = "sem_seg_head.predictor."
HEAD = f"{PREDICTOR}transformer."
"""Prefix of everything between the encoders and the logits."""

_Rules = tuple[tuple[str, str], ...]

# Ours -> official. Of each table, the first rule that matches is applied.
_EFFICIENT: _Rules = (
    (r"^(fusion\.layers\.\d+)\.spatial\.dwconv\.", r"\1.spatial_fusion.sa.mlp.dwconv.dwconv."),
    (r"^(fusion\.layers\.\d+)\.spatial\.", r"\1.spatial_fusion.sa."),
    (r"^(fusion\.layers\.\d+)\.classes\.(q|k|v|proj)\.", r"\1.class_fusion.sa.attention.\2."),
    (r"^(fusion\.layers\.\d+)\.classes\.", r"\1.class_fusion.sa."),
)
_ORIGINAL: _Rules = (
    (r"^(fusion\.layers\.\d+)\.spatial\.(block_\d)\.mlp\.0\.", r"\1.swin_block.\2.mlp.fc1."),
    (r"^(fusion\.layers\.\d+)\.spatial\.(block_\d)\.mlp\.2\.", r"\1.swin_block.\2.mlp.fc2."),
    (r"^(fusion\.layers\.\d+)\.spatial\.", r"\1.swin_block."),
    (r"^(fusion\.layers\.\d+)\.classes\.(q|k|v)\.", r"\1.attention.attention.\2."),
    (r"^(fusion\.layers\.\d+)\.classes\.mlp\.", r"\1.attention.MLP."),
    (r"^(fusion\.layers\.\d+)\.classes\.", r"\1.attention."),
)
_PREFIXES: _Rules = (
    (r"^clip\.", f"{PREDICTOR}clip_model.visual."),
    (r"^text\.", f"{PREDICTOR}clip_model."),
    (r"^remote_clip\.", f"{PREDICTOR}clip_model_remote.visual."),
    (r"^dino\.", "dino_model."),
    (r"^cost_volume\.dino_down_sample\.", "dino_down_sample."),
    (r"^cost_volume\.", HEAD),
    (r"^fusion\.image_projection\.", f"{HEAD}guidance_projection.0."),
    (r"^fusion\.text_projection\.", f"{HEAD}text_guidance_projection.0."),
    (r"^fusion\.", HEAD),
    (r"^transfer\.branches\.clip\.0\.upsample\.", "upsample1."),
    (r"^transfer\.branches\.clip\.1\.upsample\.", "upsample2."),
    (r"^transfer\.branches\.remote_clip\.0\.upsample\.", "upsample1_remote."),
    (r"^transfer\.branches\.remote_clip\.1\.upsample\.", "upsample2_remote."),
    (r"^transfer\.branches\.dino\.0\.upsample\.", "dino_decod_proj1."),
    (r"^transfer\.branches\.dino\.1\.upsample\.", "dino_decod_proj2."),
    (r"^transfer\.branches\.clip\.(\d)\.project\.", rf"{HEAD}CLIP_decoder_guidance_projection.\1.0."),
    (
        r"^transfer\.branches\.remote_clip\.(\d)\.project\.",
        rf"{HEAD}CLIP_decoder_guidance_projection_remote.\1.0.",
    ),
    (r"^transfer\.branches\.dino\.(\d)\.project\.", rf"{HEAD}DINO_decoder_guidance_projection.\1.0."),
    (r"^transfer\.decoder(\d)\.up\.", rf"{HEAD}Fusiondecoder\1.up."),
    (r"^transfer\.decoder(\d)\.conv1\.", rf"{HEAD}Fusiondecoder\1.conv.double_conv.0."),
    (r"^transfer\.decoder(\d)\.norm1\.", rf"{HEAD}Fusiondecoder\1.conv.double_conv.1."),
    (r"^transfer\.decoder(\d)\.conv2\.", rf"{HEAD}Fusiondecoder\1.conv.double_conv.3."),
    (r"^transfer\.decoder(\d)\.norm2\.", rf"{HEAD}Fusiondecoder\1.conv.double_conv.4."),
    (r"^transfer\.head\.", f"{HEAD}head."),
)


@lru_cache(maxsize=8192)
def official_names(key: str, *, efficient: bool) -> tuple[str, ...]:
    """Return the official names of the tensor that our network calls ``key``.

    Args:
        key: a key of the network's state dict.
        efficient: whether the aggregator is the efficient one or CAT-Seg's.

    Returns:
        One name; three (queries, keys, values) for the attention weights of the
        CLIP towers, which are stored apart and stacked in this order.
    """
    key = _first_match(_EFFICIENT if efficient else _ORIGINAL, key)
    key = _first_match(_PREFIXES, key)
    return split_attention_names(key) if key.startswith(f"{PREDICTOR}clip_model") else (key,)


def _first_match(rules: _Rules, key: str) -> str:
    for pattern, replacement in rules:
        new, count = re.subn(pattern, replacement, key)
        if count:
            return new
    return key
