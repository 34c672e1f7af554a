"""SCAN computed the long way: the work that the official code does for one image, step by step.

For comparing speed. It runs on the parameters of our network and gives the
same scores, but does everything that the official code does and ours does not:
all crops at once, every token through the last block of CLIP, crops without
normalisation that nobody reads, masks resized twice, attention maps in Swin,
an embedding of the queries after every layer of the mask decoder.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ovrisisbench.adapters.clip.blocks import Block
from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import (
    CLIP_MEAN,
    IMAGENET_MEAN,
    IMAGENET_STD,
    as_pixels,
    normalised,
    padded,
)
from ovrisisbench.adapters.scan.adapter import SCANAdapter
from ovrisisbench.adapters.scan.replacement import generator_for

__all__ = ["OfficialSCAN", "spread_masks"]


_LAST_LAYER = "predictor.decoder.mask_predictor.mask_embedder.2.0"


@torch.no_grad()
def spread_masks(adapter: SCANAdapter) -> None:
    """Stretch the mask logits of an untrained network, so that no two of its crops are equal.

    Without this, all its masks are the whole image, and we encode equal crops
    once: a comparison would flatter us.
    """
    segmenter = adapter.network.segmenter
    segmenter.get_parameter(f"{_LAST_LAYER}.weight").mul_(60)
    segmenter.get_parameter(f"{_LAST_LAYER}.bias").zero_()
    segmenter.pixel_decoder.mask_projection.bias.zero_()


class OfficialSCAN:
    """The released setting.

    Args:
        adapter: a loaded SCAN with a vocabulary; its network is not changed.
        image_id: what the adapter is told about every image, so that the same patches are drawn here.
    """

    def __init__(self, adapter: SCANAdapter, image_id: str = "drawn") -> None:
        self.adapter = adapter
        self.image_id = image_id
        self.network = adapter.network
        shared = {id(parameter): parameter for parameter in self.network.segmenter.parameters()}
        self.segmenter = copy.deepcopy(self.network.segmenter, memo=shared)
        self.segmenter.backbone.set_attn_implementation("eager")

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> Tensor:
        """Return the score map (K, h, w) of one image (H, W, 3) at the test mapper's size."""
        text = self.adapter.embeddings
        text = torch.cat([text, F.normalize(self.network.non_object_embedding, dim=-1)])
        pixels = as_pixels(mapped(image), text.device)
        taps, classes, whole = self._frozen(pixels)
        queries, masks = self._proposals(padded(normalised(pixels, IMAGENET_MEAN, IMAGENET_STD)))
        inside = (100.0 * self._calibrated(queries, taps, whole) @ text.T).softmax(dim=-1)[:, :-1]

        masks = F.interpolate(masks, size=padded(pixels).shape[-2:], mode="bilinear", align_corners=False)
        masks = masks[..., : pixels.shape[-2], : pixels.shape[-1]]
        masks = F.interpolate(masks, size=pixels.shape[-2:], mode="bilinear", align_corners=False)[0].sigmoid()
        outside, valid = self._crops_opinion(pixels[0], masks, classes, text[:-1])
        weight = self.adapter.calibration.ensemble_weight
        opinion = torch.ones_like(inside)
        opinion[valid] = outside
        scores = inside ** (1 - weight) * opinion**weight
        return torch.einsum("qc,qhw->chw", scores, masks)

    def _frozen(self, pixels: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
        config, tower = self.network.config, self.network.original_clip
        images = F.interpolate(padded(normalised(pixels)), size=(config.side, config.side))
        x = tower.tokens(images).transpose(0, 1)  # (L, 1, W)
        after = []
        for block in tower.blocks:
            x = _run(block, x)
            after.append(x)
        taps = [after[number - 1][1:, 0] for number in config.taps]
        return taps, [after[number - 1][0, 0] for number in config.replace_after], _projected(tower, x)[0]

    def _proposals(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.segmenter.backbone(images).feature_maps
        decoded = self.segmenter.pixel_decoder(maps)
        found = self.segmenter.predictor(list(decoded.multi_scale_features), decoded.mask_features)
        embedded = [self.segmenter.class_embed(queries.transpose(0, 1)) for queries in found.intermediate_hidden_states]
        return embedded[-1][0], found.masks_queries_logits[-1]

    def _calibrated(self, queries: Tensor, taps: list[Tensor], whole: Tensor) -> Tensor:
        """(Q, D), unit vectors."""
        network, grid = self.network, self.network.config.clip.table
        filtered = []
        for tap, sigma in zip(taps, network.config.sigmas, strict=True):
            maps = tap.T.unflatten(1, (grid, grid))[None]
            filtered.append(network.lfm(maps, [sigma])[0].flatten(1).T)
        memory = network.oriclip_mlp(torch.cat(filtered))
        for index, attention in enumerate(network.fusion_decoder.multiattn):
            queries = queries + attention(queries[None], memory[None], memory[None])[0][0]
            if index < len(network.fusion_decoder.ln):
                queries = network.fusion_decoder.ln[index](queries)
        queries = queries + network.learnable_weight * F.normalize(whole, dim=-1)
        queries = nn.TransformerEncoder.forward(network.lightweight_transformer, queries[:, None])[:, 0]
        return F.normalize(queries, dim=-1)

    def _crops_opinion(
        self, image: Tensor, masks: Tensor, classes: list[Tensor], text: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Class probabilities (R, K) of the crops, and which masks have one."""
        config, calibration = self.network.config, self.adapter.calibration
        fill = torch.tensor(CLIP_MEAN, device=image.device)[:, None, None]
        crops, plain, touched, valid = [], [], [], []
        for mask in masks:
            binary = mask > calibration.mask_threshold
            valid.append(bool(binary.any()))
            if not valid[-1]:
                continue
            rows, columns = binary.any(dim=1).nonzero(), binary.any(dim=0).nonzero()
            y, x = slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1)
            inside = binary[None, y, x]
            size = (config.side, config.side)
            filled = image[:, y, x] * inside + fill * ~inside
            plain.append(F.interpolate(image[None, :, y, x], size=size, mode="bicubic", align_corners=False)[0])
            crops.append(F.interpolate(normalised(filled[None]), size=size, mode="bicubic", align_corners=False)[0])
            small = F.interpolate(inside[None].float(), size=size)
            touched.append(F.avg_pool2d(small, config.clip.patch).ceil().flatten())
        features = self._regions(torch.stack(crops), torch.stack(touched), classes)
        return (100.0 * features @ text.T).softmax(dim=-1), torch.tensor(valid)

    def _regions(self, crops: Tensor, touched: Tensor, classes: list[Tensor]) -> Tensor:
        """(R, D), unit vectors."""
        config, tower = self.network.config, self.network.clip
        ratio = self.adapter.calibration.replace_ratio
        generator = generator_for(self.adapter.describe()["replacement_seed"] or 0, self.image_id)
        replacing = dict(zip(config.replace_after, classes, strict=True))
        x = tower.tokens(crops).transpose(0, 1)  # (L, R, W)
        for number, block in enumerate(tower.blocks, start=1):
            x = _run(block, x)
            if number in replacing:
                for region, row in enumerate(touched):
                    background = (row == 0).nonzero().flatten()
                    count = len(background)
                    chosen = background[generator.sample(list(range(count)), int(ratio * count))]
                    x[chosen + 1, region] = replacing[number]
        return F.normalize(_projected(tower, x), dim=-1)


def _run(block: Block, x: Tensor) -> Tensor:
    """One block over (L, B, W), with torch's own attention, as open_clip runs it."""
    attention, y = block.attn, block.ln_1(x)
    attended, _ = F.multi_head_attention_forward(
        y, y, y, y.shape[-1], attention.heads, attention.qkv.weight, attention.qkv.bias, None, None, False, 0.0,
        attention.out_proj.weight, attention.out_proj.bias, training=False, need_weights=False,
    )  # fmt: skip
    x = x + attended
    return x + block.mlp(block.ln_2(x))


def _projected(tower: CLIPImageTower, x: Tensor) -> Tensor:
    return tower.projected(x.transpose(0, 1))[:, 0]
