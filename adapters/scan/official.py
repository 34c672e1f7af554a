"""Official SCAN checkpoints: a Detectron2 file that holds Swin, both towers of CLIP and everything else."""

from __future__ import annotations

import re
from functools import cache, partial

from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.official_files.renaming import Names, Source, fused_attention_names, rename
from ovrisisbench.adapters.scan.config import BACKBONES, SCANConfig
from ovrisisbench.adapters.scan.network import SCAN

__all__ = ["file_layout", "read_backbone", "report"]

_OWN = "LFM.conv1.weight"
"""In no other model's files."""

_DECODER = "sem_seg_head.predictor."
_PIXELS = "sem_seg_head.pixel_decoder."

_PLACES = (
    (r"^text\.", "clip_adapter.clip_model."),
    (r"^clip\.", "clip_adapter.clip_model.visual."),
    (r"^original_clip\.", "clip_adapter.original_clip."),
    (r"^non_object_embedding$", "clip_adapter.non_object_embedding"),
    (r"^lfm\.", "LFM."),
    (r"^segmenter\.class_embed\.", f"{_DECODER}class_embed."),
    (r"^segmenter\.backbone\.swin\.embeddings\.patch_embeddings\.projection\.", "backbone.patch_embed.proj."),
    (r"^segmenter\.backbone\.swin\.embeddings\.norm\.", "backbone.patch_embed.norm."),
    (r"^segmenter\.backbone\.swin\.encoder\.", "backbone."),
    (r"^segmenter\.pixel_decoder\.level_embed$", f"{_PIXELS}transformer.level_embed"),
    (r"^segmenter\.pixel_decoder\.encoder\.", f"{_PIXELS}transformer.encoder."),
    (r"^segmenter\.pixel_decoder\.input_projections\.", f"{_PIXELS}input_proj."),
    (r"^segmenter\.pixel_decoder\.mask_projection\.", f"{_PIXELS}mask_features."),
    (r"^segmenter\.pixel_decoder\.(adapter_1|layer_1)\.0\.", rf"{_PIXELS}\1."),
    (r"^segmenter\.pixel_decoder\.(adapter_1|layer_1)\.1\.", rf"{_PIXELS}\1.norm."),
    (r"^segmenter\.predictor\.queries_features\.", f"{_DECODER}query_feat."),
    (r"^segmenter\.predictor\.queries_embedder\.", f"{_DECODER}query_embed."),
    (r"^segmenter\.predictor\.level_embed\.", f"{_DECODER}level_embed."),
    (r"^segmenter\.predictor\.decoder\.layernorm\.", f"{_DECODER}decoder_norm."),
    (r"^segmenter\.predictor\.decoder\.mask_predictor\.mask_embedder\.(\d+)\.0\.", rf"{_DECODER}mask_embed.layers.\1."),
    (r"^segmenter\.predictor\.decoder\.", _DECODER),
    *((rf"^segmenter\.backbone\.hidden_states_norms\.stage{n + 1}\.", f"backbone.norm{n}.") for n in range(4)),
)
"""Where the modules stand in the file."""

_SWIN = (
    (r"^(backbone\..*)\.layernorm_before\.", r"\1.norm1."),
    (r"^(backbone\..*)\.layernorm_after\.", r"\1.norm2."),
    (r"^(backbone\..*)\.attention\.o_proj\.", r"\1.attn.proj."),
    (r"^(backbone\..*)\.attention\.relative_position_bias\.", r"\1.attn."),
)
_ENCODER = (
    (r"(encoder\.layers\.\d+)\.self_attn_layer_norm\.", r"\1.norm1."),
    (r"(encoder\.layers\.\d+)\.final_layer_norm\.", r"\1.norm2."),
    (r"(encoder\.layers\.\d+)\.fc([12])\.", r"\1.linear\2."),
)
_LAYER = r"^sem_seg_head\.predictor\.layers\.(\d+)\."
_LAYERS = (
    (rf"{_LAYER}cross_attn\.", rf"{_DECODER}transformer_cross_attention_layers.\1.multihead_attn."),
    (rf"{_LAYER}cross_attn_layer_norm\.", rf"{_DECODER}transformer_cross_attention_layers.\1.norm."),
    (rf"{_LAYER}self_attn\.", rf"{_DECODER}transformer_self_attention_layers.\1.self_attn."),
    (rf"{_LAYER}self_attn_layer_norm\.", rf"{_DECODER}transformer_self_attention_layers.\1.norm."),
    (rf"{_LAYER}fc([12])\.", rf"{_DECODER}transformer_ffn_layers.\1.linear\2."),
    (rf"{_LAYER}final_layer_norm\.", rf"{_DECODER}transformer_ffn_layers.\1.norm."),
)

_ROWS = {"q_proj": 0, "k_proj": 1, "v_proj": 2}
"""The library keeps apart what the official code stacks."""

_IGNORABLE = (
    (r".+\.logit_scale", "CLIP's temperature, stored but never used"),
    (r"backbone\..+\.relative_position_index", "places in the windows, computed when the network is built"),
    (r"clip_adapter\.pixel_(mean|std)", "constants of the pre-processing"),
    (r"criterion\.empty_weight", "weights of the training loss"),
)
_UNTOLD = (
    "A file does not tell mask_threshold, ensemble_weight and replace_ratio, which the authors choose for each data "
    "set; 0.4, 0.7 and 0.15 are assumed, as in the published configurations."
)
_TRAINED = (
    r"(backbone|sem_seg_head|LFM|oriclip_mlp|fusion_decoder|lightweight_transformer)\..+"
    r"|learnable_weight|clip_adapter\.non_object_embedding"
)


def read_backbone(shapes: Shapes) -> str:
    """Tell the backbone from the tensors of a SCAN checkpoint; the first one where its widths are unknown."""
    shape = shapes.get("oriclip_mlp.fc1.weight", ())
    sizes = {(config.clip.embedding, config.clip.width): name for name, config in BACKBONES.items()}
    return sizes.get(tuple(shape), next(iter(BACKBONES)))


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a checkpoint holds; None if it is not SCAN's.

    Args:
        shapes: shape of every tensor in the file, by official name.

    Raises:
        AdapterError: it is SCAN's, but the library transformers, whose modules it fits, is not installed.
    """
    if _OWN not in shapes:
        return None
    backbone = read_backbone(shapes)
    differences = file_layout(BACKBONES[backbone]).compare(shapes)
    weights = shapes.get("criterion.empty_weight", ())
    return CheckpointReport(
        model="scan",
        backbone=backbone,
        trained_classes=weights[0] - 1 if len(weights) == 1 else None,  # the last one is "no object"
        ambiguous=(_UNTOLD,),
        missing=differences.missing,
        unused=differences.unused,
        misshapen=differences.misshapen,
        ignored=differences.ignored,
    )


@cache
def file_layout(config: SCANConfig) -> FileLayout:
    """Return how the network of ``config`` lies in official files."""
    return FileLayout(build=partial(SCAN, config), names=_names, ignorable=_IGNORABLE, trained=_TRAINED)


def _names(key: str) -> Names:
    key = rename(fused_attention_names(key), _PLACES, _SWIN, _ENCODER, _LAYERS)
    split = re.fullmatch(r"(.+)\.([qkv]_proj)\.(weight|bias)", key)
    if not split:
        return (Source(key),)
    stem, rows, leaf = split.groups()
    swin = stem.removesuffix(".attention")
    return (Source(f"{stem}.in_proj_{leaf}" if swin == stem else f"{swin}.attn.qkv.{leaf}", _ROWS[rows], 3),)
