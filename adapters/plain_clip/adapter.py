"""Plain CLIP behind the harness's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapter.interface import Crop, LoadOptions, ParameterCounts, ScoreMap
from ovrisisbench.adapters.images.mapper import mapped, mapped_size
from ovrisisbench.adapters.images.pixels import as_pixels, normalised, padded, squeezed
from ovrisisbench.adapters.inference.linear_choice import resolve_linears
from ovrisisbench.adapters.inference.ready import ready
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.official_files.building import build_network
from ovrisisbench.adapters.official_files.refusals import check_backbone
from ovrisisbench.adapters.plain_clip import INFO
from ovrisisbench.adapters.plain_clip.config import BACKBONES, Dense
from ovrisisbench.adapters.plain_clip.network import PlainCLIP
from ovrisisbench.adapters.plain_clip.official import file_layout, report
from ovrisisbench.adapters.plain_clip.settings import SETTINGS
from ovrisisbench.adapters.settings import Value, parse_settings
from ovrisisbench.adapters.text.cache import EmbeddingCache
from ovrisisbench.adapters.text.class_names import first_synonym
from ovrisisbench.adapters.text.encoder import TextEncoder, mean_direction
from ovrisisbench.adapters.text.templates import IMAGENET
from ovrisisbench.adapters.text.vocabulary import Vocabularies

__all__ = ["PlainCLIPAdapter"]


class PlainCLIPAdapter:
    """A loaded CLIP, used densely.

    This use is the benchmark's own definition of a floor: no paper's figures
    belong to it. ``predict`` writes no state, so several threads may call it.

    Args:
        network: the network; it is frozen, folded and moved to its device.
        options: how the model is to be loaded.
        wishes: parsed settings.
    """

    def __init__(self, network: PlainCLIP, options: LoadOptions, wishes: Mapping[str, Value]) -> None:
        device = torch.device(options.device)
        self.backbone = options.backbone
        self.linears = resolve_linears(str(wishes.get("linears", "auto")), device)
        self.network = ready(network, device, linears=self.linears, packed=[network.clip])
        cache = None if options.untrained else EmbeddingCache()
        self._encoder = TextEncoder(self.network.text, IMAGENET, cache=cache)
        self.vocabularies = Vocabularies(self._embed)

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`."""
        wishes = parse_settings(INFO.title, SETTINGS, options.settings)
        check_backbone(INFO, options.backbone)
        dense = cast("Dense", wishes.get("dense", "value"))
        layout = file_layout(replace(BACKBONES[options.backbone], dense=dense))
        network = build_network(layout, INFO, options, report, weights="CLIP's weights")
        return cls(cast("PlainCLIP", network), options, wishes)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Encode the class names, once for each vocabulary; of a name with synonyms the first counts."""
        self.vocabularies.choose(class_names)

    def _embed(self, class_names: Sequence[str]) -> Tensor:
        return mean_direction(self._encoder.embed([first_synonym(name) for name in class_names]), dim=1)

    @property
    def embeddings(self) -> Tensor:
        """Unit-norm text embeddings (K, C) of the present vocabulary.

        Raises:
            AdapterError: no vocabulary is set.
        """
        return self.vocabularies.present

    @torch.inference_mode()
    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Score images; see :meth:`ovrisisbench.adapter.interface.Adapter.predict`.

        ``crop`` cuts off what :meth:`score` says of the padded strip.
        """
        del image_ids  # nothing is random
        return [ScoreMap(self.score(image), image.shape[:2], _crop(image)) for image in images]

    def score(self, image: NDArray[np.uint8], trace: Trace | None = None) -> Tensor:
        """Return the cosines (K, h, w), -1..1, of one image (H, W, 3) uint8 RGB, the padded strip among them.

        The map has the 24 x 24 patches of the padded image. Where there is a
        strip, right or bottom, the map is stretched over the padded image, so
        that the strip can be cut off to the pixel. ``trace`` sees the input,
        ``clip_in``, and the cosines of the patches.
        """
        text = self.embeddings
        small = mapped(image)
        pixels = padded(normalised(as_pixels(small, text.device)))
        squared = squeezed(pixels, self.network.config.side)
        cosines = self.network(squared, text)
        if trace:
            trace("clip_in", squared)
            trace("cosines", cosines)
        if pixels.shape[2:] != small.shape[:2]:
            cosines = F.interpolate(cosines, size=pixels.shape[2:], mode="bilinear", align_corners=False)
        return cosines[0].float()

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting."""
        config = self.network.config
        return {
            "backbone": self.backbone,
            "templates": "ImageNet's 80, averaged",
            "side": config.side,
            "dense": config.dense,
            "linears": self.linears,
        }

    def count_parameters(self) -> ParameterCounts:
        """Return how many values the network has; none of them is trained."""
        return ParameterCounts(total=sum(parameter.numel() for parameter in self.network.parameters()), trainable=0)


def _crop(image: NDArray[np.uint8]) -> Crop | None:
    """Where the image stands in its padded self; None where nothing was padded."""
    height, width = mapped_size(*image.shape[:2])
    filled = padded(torch.empty(1, 1, height, width, device="meta")).shape[2:]
    return None if filled == (height, width) else (0, height, 0, width)
