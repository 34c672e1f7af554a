"""The parts of SCAN that the library transformers has: Swin, and Mask2Former's pixel decoder and mask decoder.

The library is optional and takes seconds to import, so it is imported where a
network is built. Its modules keep its names for their parameters; those
depend on its major version.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.scan.config import MaskConfig, SwinConfig
from ovrisisbench.errors import AdapterError

__all__ = ["ClassEmbedding", "Segmenter", "Segments", "library"]


class Segments(NamedTuple):
    """What Mask2Former proposes, Q queries."""

    queries: Tensor
    """(B, Q, D) embeddings of the queries for classification."""
    masks: Tensor
    """(B, Q, H / 4, W / 4) mask logits."""


class ClassEmbedding(nn.Module):
    """From a query of the mask decoder to CLIP's joint space: two layers (``class_embed``)."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, 4 * width), nn.Linear(4 * width, embedding)])

    def forward(self, queries: Tensor) -> Tensor:
        """(..., width) -> (..., embedding)."""
        first, second = self.layers
        embedded: Tensor = second(first(queries).relu())
        return embedded


class Segmenter(nn.Module):
    """Swin, pixel decoder and mask decoder (``scan/modeling/{backbone,pixel_decoder,transformer_decoder}``).

    Args:
        swin: sizes of the backbone.
        mask: sizes of the two decoders.
        embedding: channels of CLIP's joint space.

    Raises:
        AdapterError: the library transformers is not installed.
    """

    def __init__(self, swin: SwinConfig, mask: MaskConfig, embedding: int) -> None:
        super().__init__()
        self.backbone = _swin(swin)
        self.pixel_decoder, self.predictor = _decoders(swin, mask)
        self.class_embed = ClassEmbedding(mask.width, embedding)

    def forward(self, images: Tensor, trace: Trace | None = None) -> Segments:
        """Propose masks for normalised images (B, 3, H, W), sides multiples of 32."""
        maps = self.backbone(images).feature_maps
        decoded = self.pixel_decoder(maps)
        found = self.predictor(list(decoded.multi_scale_features), decoded.mask_features)
        # Normalised queries and mask logits, before the first layer and after every one; queries come first there.
        queries, masks = found.intermediate_hidden_states, found.masks_queries_logits
        embedded: Tensor = self.class_embed(queries[-1].transpose(0, 1))
        if trace:
            for index, value in enumerate(maps):
                trace(f"res{index + 2}", value)
            for index, value in enumerate(decoded.multi_scale_features):
                trace(f"multi_scale_{index}", value)
            trace("mask_features", decoded.mask_features)
            trace("layer_query_embedding", torch.stack([self.class_embed(q.transpose(0, 1)) for q in queries], dim=1))
            trace("layer_masks", torch.stack(list(masks), dim=1))
        return Segments(embedded, masks[-1])


def library() -> ModuleType:
    """Import transformers.

    Raises:
        AdapterError: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise AdapterError(
            "SCAN needs the package transformers; install it with pip install 'ovrisisbench[scan]'."
        ) from error
    return transformers


def _swin(config: SwinConfig) -> nn.Module:
    transformers = library()
    backbone: Any = transformers.SwinBackbone(
        transformers.SwinConfig(
            embed_dim=config.width,
            depths=list(config.depths),
            num_heads=list(config.heads),
            window_size=config.window,
            out_features=[f"stage{stage + 1}" for stage in range(len(config.depths))],
            drop_path_rate=0.3,  # in training only
            attn_implementation="sdpa",
        )
    )
    backbone.swin.layernorm = nn.Identity()  # the outputs have norms of their own
    for module in backbone.modules():
        if "relative_position_index" in getattr(module, "_non_persistent_buffers_set", ()):
            # No file holds this table, so it must have values even where the network is built without memory.
            module.relative_position_index = _relative_positions(config.window)
    return backbone


def _relative_positions(window: int) -> Tensor:
    """Rows of the bias table for each pair of query and key of a window, (window ** 4,) int64."""
    with torch.device("cpu"):
        places = torch.cartesian_prod(torch.arange(window), torch.arange(window))  # (n, 2), row by row
        difference = places[:, None] - places[None] + (window - 1)  # query minus key
        return (difference[..., 0] * (2 * window - 1) + difference[..., 1]).flatten()


def _decoders(swin: SwinConfig, mask: MaskConfig) -> tuple[nn.Module, nn.Module]:
    transformers = library()
    from transformers.models.mask2former import modeling_mask2former as mask2former

    config = transformers.Mask2FormerConfig(
        feature_size=mask.width,
        mask_feature_size=mask.width,
        hidden_dim=mask.width,
        encoder_feedforward_dim=mask.pixel_mlp,
        activation_function="relu",
        encoder_layers=mask.pixel_layers,
        decoder_layers=mask.layers + 1,  # the library builds one less
        num_attention_heads=mask.heads,
        dropout=0.0,
        dim_feedforward=mask.mlp,
        pre_norm=False,
        enforce_input_projection=False,
        common_stride=4,
        num_queries=mask.queries,
        feature_strides=[4, 8, 16, 32],
    )
    decoders = (
        mask2former.Mask2FormerPixelDecoder(config, list(swin.channels)),
        mask2former.Mask2FormerTransformerModule(mask.width, config),
    )
    start = mask2former.Mask2FormerPreTrainedModel(config)._init_weights  # noqa: SLF001 - no public name
    for decoder in decoders:
        decoder.apply(start)
    return decoders
