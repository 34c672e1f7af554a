"""SAN behind the harness's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions, ParameterCounts, ScoreMap
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import as_pixels, normalised, padded
from ovrisisbench.adapters.inference.linear_choice import LinearKind, resolve_linears
from ovrisisbench.adapters.inference.ready import ready
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.official_files.building import build_network
from ovrisisbench.adapters.official_files.refusals import check_backbone
from ovrisisbench.adapters.san import INFO
from ovrisisbench.adapters.san.config import BACKBONES
from ovrisisbench.adapters.san.network import SAN
from ovrisisbench.adapters.san.official import file_layout, report
from ovrisisbench.adapters.san.semantic_inference import Sizes, class_scores, resized_masks
from ovrisisbench.adapters.san.settings import SETTINGS
from ovrisisbench.adapters.settings import parse_settings
from ovrisisbench.adapters.text.cache import EmbeddingCache
from ovrisisbench.adapters.text.class_names import as_written
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import VILD
from ovrisisbench.adapters.text.vocabulary import Vocabularies

__all__ = ["SANAdapter"]


class SANAdapter:
    """A loaded SAN.

    ``predict`` writes no state, so several threads may call it at once; images
    go through the network one by one, so that company changes no bit.

    Args:
        network: the network; it is frozen, folded and moved to its device.
        options: how it was asked for.
        linears: kind of linear layers inside its transformers.
        trained_values: how many values the official recipe trains.
    """

    def __init__(self, network: SAN, options: LoadOptions, *, linears: LinearKind, trained_values: int) -> None:
        self._backbone, self._linears, self._trained_values = options.backbone, linears, trained_values
        self._device = torch.device(options.device)
        self.network = ready(network, self._device, linears=linears, packed=network.encoders())
        cache = None if options.untrained else EmbeddingCache()
        self._encoder = TextEncoder(network.text, VILD, cache=cache)
        self.vocabularies = Vocabularies(self._classify)

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`."""
        wishes = parse_settings(INFO.title, SETTINGS, options.settings)
        linears = resolve_linears(str(wishes.get("linears", "auto")), torch.device(options.device))
        check_backbone(INFO, options.backbone)
        layout = file_layout(BACKBONES[options.backbone])
        network = build_network(layout, INFO, options, report)
        return cls(cast("SAN", network), options, linears=linears, trained_values=layout.trained_values)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Encode the class names, once for each vocabulary."""
        self.vocabularies.choose(class_names)

    def _classify(self, class_names: Sequence[str]) -> Tensor:
        return self.network.classifier(self._encoder.embed([as_written(name) for name in class_names]))

    @property
    def classifier(self) -> Tensor:
        """Unit vectors (K + 1, C) of the present vocabulary, the learned background last.

        Raises:
            AdapterError: no vocabulary is set.
        """
        return self.vocabularies.present

    @torch.inference_mode()
    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Score images; see :meth:`ovrisisbench.adapter.interface.Adapter.predict`.

        Maps have the image's own size: the official code resizes the logits of
        the masks, not the scores.
        """
        del image_ids  # nothing is random
        return [ScoreMap(scores=self.score(image), image_size=image.shape[:2]) for image in images]

    def score(self, image: NDArray[np.uint8], trace: Trace | None = None) -> Tensor:
        """Return the scores (K, H, W) of one image (H, W, 3) uint8 RGB; ``trace`` sees what happens inside."""
        resized = mapped(image)
        pixels = padded(normalised(as_pixels(resized, self._device)))
        proposals = self.network(pixels, self.classifier, trace)
        sizes = Sizes(original=image.shape[:2], mapped=resized.shape[:2], padded=(pixels.shape[2], pixels.shape[3]))
        if trace:
            trace("mask_logits_post", resized_masks(proposals.mask_logits[0], sizes)[None])
        return class_scores(proposals.mask_logits[0], proposals.class_logits[0], sizes)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting."""
        return {"backbone": self._backbone, "templates": "vild", "linears": self._linears}

    def count_parameters(self) -> ParameterCounts:
        """Return how many values the network has, and how many of them the official recipe trains."""
        total = sum(parameter.numel() for parameter in self.network.parameters())
        return ParameterCounts(total=total, trainable=self._trained_values)
