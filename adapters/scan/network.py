"""SCAN's network: masks, two opinions about the class of each, and the score map they add up to."""

from __future__ import annotations

import random
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.images.pixels import IMAGENET_MEAN, IMAGENET_STD, normalised, padded
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.scan.calibration import FrequencyFilter, Fusion, LightweightTransformer, SemanticMLP
from ovrisisbench.adapters.scan.config import SCANConfig
from ovrisisbench.adapters.scan.ensemble import class_scores, cosine_logits, map_of_scores
from ovrisisbench.adapters.scan.regions import Regions, crop, find_regions, first_of_equals, touched_patches
from ovrisisbench.adapters.scan.replacement import Draw, draw_patches, replaced
from ovrisisbench.adapters.scan.segmenter import Segmenter
from ovrisisbench.adapters.scan.settings import Calibration
from ovrisisbench.adapters.scan.towers import FrozenCLIP, FrozenFeatures, RegionCLIP

__all__ = ["SCAN", "Proposals"]

_CHUNK = 8
"""Crops that go through CLIP at once: on a CPU their activations stay in its caches, and memory stays small."""


class Proposals(NamedTuple):
    """Q proposed masks of one image (h, w)."""

    queries: Tensor
    """(Q, D)."""
    probabilities: Tensor
    """(Q, h, w)."""


class SCAN(nn.Module):
    """Swin and Mask2Former propose masks, calibrated queries and CLIP on crops name them.

    Args:
        config: sizes and options.

    Raises:
        AdapterError: the library transformers is not installed.
    """

    def __init__(self, config: SCANConfig) -> None:
        super().__init__()
        self.config = config
        embedding = config.clip.embedding
        self.segmenter = Segmenter(config.swin, config.mask, embedding)
        self.original_clip = FrozenCLIP(config.clip)
        self.clip = RegionCLIP(config.clip)
        self.text = CLIPTextTower(config.clip.text)
        self.lfm = FrequencyFilter(config.clip.width)
        self.oriclip_mlp = SemanticMLP(config.clip.width, embedding)
        self.fusion_decoder = Fusion(embedding, config.heads, config.fusion_layers)
        self.lightweight_transformer = LightweightTransformer(
            embedding, config.heads, config.light_mlp, config.light_layers
        )
        self.learnable_weight = nn.Parameter(torch.full((1,), 0.1))
        self.non_object_embedding = nn.Parameter(torch.empty(1, embedding).normal_(std=0.02))

    def encoders(self) -> tuple[nn.Module, ...]:
        """The parts in which most of the time goes."""
        return self.segmenter.backbone, self.original_clip, self.clip

    def forward(
        self,
        pixels: Tensor,
        text: Tensor,
        *,
        calibration: Calibration,
        generator: random.Random,
        trace: Trace | None = None,
    ) -> Tensor:
        """Score one image.

        Args:
            pixels: (1, 3, h, w) in 0..255, as the test mapper gives it.
            text: unit embeddings of the classes, (K, D).
            calibration: thresholds and weights.
            generator: what the replaced patches are drawn with.
            trace: see :data:`~ovrisisbench.adapters.inference.trace.Trace`.

        Returns:
            Score map (K, h, w) float32, not negative.
        """
        proposals = self.propose(pixels, trace)
        image = normalised(pixels)
        frozen = self.encode_whole(image, trace)
        queries = self.calibrated(proposals.queries, frozen, trace)
        regions = find_regions(proposals.probabilities, calibration.mask_threshold)
        if trace:
            trace("valid", regions.valid[None])
            trace("bboxes", torch.tensor(regions.boxes)[None])
        drawn = self.draw(regions, calibration.replace_ratio, generator, trace)
        features = self.region_features(image[0], regions, drawn, frozen.classes[0], trace)
        with torch.autocast(pixels.device.type, enabled=False):  # a hundred cosines need every digit
            inside, outside = cosine_logits(queries, self.with_non_object(text)), cosine_logits(features, text)
            scores = class_scores(inside, outside, regions.valid, calibration.ensemble_weight)
            return map_of_scores(scores, proposals.probabilities)

    def propose(self, pixels: Tensor, trace: Trace | None = None) -> Proposals:
        """Propose masks for one image (1, 3, h, w), and enlarge them to its size."""
        images = padded(normalised(pixels, IMAGENET_MEAN, IMAGENET_STD))
        found = self.segmenter(images, trace)
        height, width = pixels.shape[-2:]
        masks = F.interpolate(found.masks.float(), size=images.shape[-2:], mode="bilinear", align_corners=False)
        probabilities = masks[..., :height, :width].sigmoid()
        if trace:
            trace("backbone_input", images)
            trace("query_embedding", found.queries)
            trace("pred_masks", found.masks)
            trace("mask_prob", probabilities)
        return Proposals(found.queries[0], probabilities[0])

    def encode_whole(self, image: Tensor, trace: Trace | None = None) -> FrozenFeatures:
        """Encode one image (1, 3, h, w), normalised for CLIP, with the frozen tower.

        It is padded, then squeezed to a square of nearest pixels, padding and all.
        """
        side = self.config.side
        images = F.interpolate(padded(image), size=(side, side), mode="nearest")
        frozen: FrozenFeatures = self.original_clip(
            images, taps=self.config.taps, replace_after=self.config.replace_after
        )
        if trace:
            trace("clip_input", images)
            trace("clip_cls", frozen.embedding)
            trace("clip_layer_cls", frozen.classes)
            for number, tokens in zip(self.config.taps, frozen.taps, strict=True):
                trace(f"clip_tokens_{number}", tokens)
        return frozen

    def calibrated(self, queries: Tensor, frozen: FrozenFeatures, trace: Trace | None = None) -> Tensor:
        """Bring what CLIP sees in the whole image into the queries (Q, D)."""
        grid = self.config.clip.table
        maps = torch.cat(frozen.taps).transpose(1, 2).unflatten(2, (grid, grid))  # (taps, W, G, G)
        filtered = self.lfm(maps, self.config.sigmas)
        memory = self.oriclip_mlp(filtered.flatten(2).transpose(1, 2).flatten(0, 1))[None]  # (1, taps * n, D)
        fused = self.fusion_decoder(queries[None], memory)
        whole = F.normalize(frozen.embedding, dim=-1)
        calibrated: Tensor = self.lightweight_transformer(fused + self.learnable_weight * whole)
        if trace:
            trace("lfm", filtered[None])
            trace("context", memory)
            trace("after_fusion", fused)
            trace("after_light", calibrated)
        return calibrated[0]

    def with_non_object(self, text: Tensor) -> Tensor:
        """Append the learned "no object" to the text embeddings (K, D): (K + 1, D)."""
        return torch.cat([text, F.normalize(self.non_object_embedding, dim=-1)])

    def draw(self, regions: Regions, ratio: float, generator: random.Random, trace: Trace | None = None) -> Draw:
        """Draw which patches of each region are replaced after each of the replacing blocks."""
        clip, side = self.config.clip, self.config.side
        if not regions.boxes:
            return [[] for _ in self.config.replace_after]
        touched = torch.stack(
            [touched_patches(*region, side, clip.patch) for region in zip(regions.masks, regions.boxes, strict=True)]
        )
        drawn = draw_patches(touched, ratio, len(self.config.replace_after), generator)
        if trace:
            longest = max(len(numbers) for layer in drawn for numbers in layer)
            table = [[numbers + [-1] * (longest - len(numbers)) for numbers in layer] for layer in drawn]
            trace("patch_mask", touched[None])
            trace("replaced_patches", torch.tensor(table, dtype=torch.int64)[None])
        return drawn

    def region_features(
        self, image: Tensor, regions: Regions, drawn: Draw, classes: Tensor, trace: Trace | None = None
    ) -> Tensor:
        """Encode every region's crop.

        Args:
            image: (3, h, w), normalised for CLIP.
            regions: the R regions.
            drawn: their replaced patches.
            classes: (layers, W), the class tokens of the whole image.
            trace: sees all crops and features.

        Returns:
            (R, D) unit vectors.
        """
        if not regions.boxes:
            return image.new_zeros(0, self.config.clip.embedding)
        sources = _sources(regions, drawn)
        distinct = sorted(set(sources), key=lambda region: (_replaced_patches(region, drawn), region))
        side, patches = self.config.side, self.config.clip.table**2
        parts = []
        for start in range(0, len(distinct), _CHUNK):
            chunk = distinct[start : start + _CHUNK]
            crops = torch.stack([crop(image, regions.masks[r], regions.boxes[r], side) for r in chunk])
            shift = [
                (number, replaced([layer[r] for r in chunk], patches), token)
                for number, layer, token in zip(self.config.replace_after, drawn, classes, strict=True)
            ]
            parts.append(F.normalize(self.clip(crops, shift=shift).float(), dim=-1))
        place = {region: row for row, region in enumerate(distinct)}
        features = torch.cat(parts)[[place[source] for source in sources]]
        if trace:
            every = zip(regions.masks, regions.boxes, strict=True)
            trace("regions", torch.stack([crop(image, mask, box, side) for mask, box in every])[None])
            trace("region_features", features[None])
        return features


def _replaced_patches(region: int, drawn: Draw) -> int:
    """How many patches of a region are replaced in the end; crops with about as many go through CLIP together."""
    return len({number for layer in drawn for number in layer[region]})


def _sources(regions: Regions, drawn: Draw) -> list[int]:
    """For each region the one whose features it shares: an equal one, if neither has replaced patches, or itself."""
    first = first_of_equals(regions.masks)
    untouched = [not any(layer[region] for layer in drawn) for region in range(len(first))]
    return [source if untouched[source] and untouched[region] else region for region, source in enumerate(first)]
