"""The names that the models of the family share in official files: ours -> official, as rules."""

from __future__ import annotations

from collections.abc import Mapping

from ovrisisbench.adapters.official_files.renaming import Names, Rules, Source, rename, split_attention_names

__all__ = [
    "FINETUNED",
    "HEAD",
    "PREDICTOR",
    "TOWERS",
    "TRAINED",
    "TUNED_CLIP",
    "aggregator_rules",
    "decoder_rules",
    "names_by",
    "projection_rules",
]

PREDICTOR = "sem_seg_head.predictor."
HEAD = f"{PREDICTOR}transformer."
"""Prefix of everything between the encoders and the logits."""

_CLIP = r"sem_seg_head\.predictor\.clip_model"

_CLIP_ATTENTION = rf"{_CLIP}\..+\.attn\.[qv]_proj_weight"
_DINO_ATTENTION = r"dino_model\.(blocks\.\d+\.attn\.qkv\.weight|pos_embed)"
_NO_ENCODER = rf"(?!{_CLIP}|dino_model\.).+"

FINETUNED: Mapping[str, str] = {
    "none": _NO_ENCODER,
    "clip": rf"{_CLIP_ATTENTION}|{_NO_ENCODER}",
    "dino": rf"{_DINO_ATTENTION}|{_NO_ENCODER}",
    "clip+dino": rf"{_CLIP_ATTENTION}|{_DINO_ATTENTION}|{_NO_ENCODER}",
    "clip+positions": rf"{_CLIP_ATTENTION}|{_CLIP}\.(visual\.)?positional_embedding|{_NO_ENCODER}",
}
"""Official names of what learns: everything but the encoders; of both towers of CLIP the queries' and values' matrices
(``CLIP_FINETUNE: attention``); of DINO the attention matrices and the position table (``DINO_FINETUNE: attention``).
The official code means to free CLIP's position tables with its attention, but its test of names never matches them."""

TRAINED = FINETUNED["clip"]
"""Official names of what the recipe of the family trains."""

TUNED_CLIP = rf"{_CLIP}\..+"
"""Official names of what learns more slowly."""

TOWERS: Rules = (
    (r"^clip\.", f"{PREDICTOR}clip_model.visual."),
    (r"^text\.", f"{PREDICTOR}clip_model."),
    (r"^dino\.", "dino_model."),
)


def aggregator_rules(attribute: str) -> Rules:
    """Return the rules for an aggregator of CAT-Seg's layers that the network keeps as ``attribute``."""
    layer = rf"^{attribute}\.(layers\.\d+)"
    return (
        (rf"{layer}\.spatial\.(block_\d)\.mlp\.0\.", rf"{HEAD}\1.swin_block.\2.mlp.fc1."),
        (rf"{layer}\.spatial\.(block_\d)\.mlp\.2\.", rf"{HEAD}\1.swin_block.\2.mlp.fc2."),
        (rf"{layer}\.spatial\.", rf"{HEAD}\1.swin_block."),
        (rf"{layer}\.classes\.(q|k|v)\.", rf"{HEAD}\1.attention.attention.\2."),
        (rf"{layer}\.classes\.mlp\.", rf"{HEAD}\1.attention.MLP."),
        (rf"{layer}\.classes\.", rf"{HEAD}\1.attention."),
        *projection_rules(attribute),
    )


def projection_rules(attribute: str) -> Rules:
    """Return the rules for the guidance projections of any aggregator."""
    return (
        (rf"^{attribute}\.image_projection\.", f"{HEAD}guidance_projection.0."),
        (rf"^{attribute}\.text_projection\.", f"{HEAD}text_guidance_projection.0."),
    )


def decoder_rules(attribute: str, *, stage: str, clip_projection: str) -> Rules:
    """Return the rules for a decoder that the network keeps as ``attribute``.

    Args:
        attribute: name in our network.
        stage: official name of an up-sampling stage, without its number.
        clip_projection: official name of the projections of CLIP's guidance.
    """
    clip, dino, part = (
        rf"^{attribute}\.branches\.clip",
        rf"^{attribute}\.branches\.dino",
        rf"^{attribute}\.decoder(\d)",
    )
    return (
        (rf"{clip}\.0\.upsample\.", "upsample1."),
        (rf"{clip}\.1\.upsample\.", "upsample2."),
        (rf"{clip}\.(\d)\.project\.", rf"{HEAD}{clip_projection}.\1.0."),
        (rf"{dino}\.0\.upsample\.", "dino_decod_proj1."),
        (rf"{dino}\.1\.upsample\.", "dino_decod_proj2."),
        (rf"{dino}\.(\d)\.project\.", rf"{HEAD}DINO_decoder_guidance_projection.\1.0."),
        (rf"{part}\.conv1\.", rf"{HEAD}{stage}\1.conv.double_conv.0."),
        (rf"{part}\.norm1\.", rf"{HEAD}{stage}\1.conv.double_conv.1."),
        (rf"{part}\.conv2\.", rf"{HEAD}{stage}\1.conv.double_conv.3."),
        (rf"{part}\.norm2\.", rf"{HEAD}{stage}\1.conv.double_conv.4."),
        (rf"{part}\.", rf"{HEAD}{stage}\1."),
        (rf"^{attribute}\.head\.", f"{HEAD}head."),
    )


def names_by(key: str, *tables: Rules) -> Names:
    """Return what one of our tensors is made of in an official file, by the first rule of each table.

    The attention matrices of CLIP's towers are stored apart, as queries, keys and values.
    """
    official = rename(key, *tables)
    parts = split_attention_names(official) if official.startswith(f"{PREDICTOR}clip_model") else (official,)
    return tuple(Source(part) for part in parts)
