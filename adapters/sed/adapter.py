"""SED behind the harness's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapter.interface import Crop, LoadOptions, ParameterCounts, ScoreMap
from ovrisisbench.adapters.images.mapper import mapped, mapped_size
from ovrisisbench.adapters.images.pixels import as_pixels, normalised
from ovrisisbench.adapters.inference.linear_choice import LinearKind, resolve_linears
from ovrisisbench.adapters.inference.ready import ready
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.official_files.building import build_network
from ovrisisbench.adapters.official_files.refusals import check_backbone
from ovrisisbench.adapters.sed import INFO
from ovrisisbench.adapters.sed.config import BACKBONES, SEDConfig
from ovrisisbench.adapters.sed.network import SED
from ovrisisbench.adapters.sed.official import file_layout, report
from ovrisisbench.adapters.sed.settings import parsed
from ovrisisbench.adapters.text.cache import EmbeddingCache
from ovrisisbench.adapters.text.class_names import synonyms
from ovrisisbench.adapters.text.encoder import TextEncoder, mean_direction
from ovrisisbench.adapters.text.templates import IMAGENET
from ovrisisbench.adapters.text.vocabulary import Vocabularies
from ovrisisbench.errors import AdapterError

__all__ = ["SEDAdapter", "configured", "prompted"]


class SEDAdapter:
    """A loaded SED.

    ``predict`` writes no state, so several threads may call it at once; images
    go through the network one by one, so that company changes no bit.

    Args:
        network: the network; it is frozen, folded and moved to its device.
        options: how it was asked for.
        linears: kind of the image tower's linear layers.
    """

    def __init__(self, network: SED, options: LoadOptions, *, linears: LinearKind) -> None:
        self.network = ready(network, torch.device(options.device), linears=linears, packed=(network.visual,))
        self._backbone, self._linears = options.backbone, linears
        cache = None if options.untrained else EmbeddingCache()
        self._encoder = TextEncoder(network.text, IMAGENET, cache=cache)
        self.vocabularies = Vocabularies(self._embed)

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`."""
        wishes: dict[str, Any] = parsed(options.settings)
        linears = resolve_linears(str(wishes.pop("linears", "auto")), torch.device(options.device))
        check_backbone(INFO, options.backbone)
        config = configured(BACKBONES[options.backbone], wishes)
        network = build_network(file_layout(config), INFO, options, report)
        return cls(cast("SED", network), options, linears=linears)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Encode the class names, once for each vocabulary; the synonyms of a name are averaged, prompt by prompt."""
        self.vocabularies.choose(class_names)

    def _embed(self, class_names: Sequence[str]) -> Tensor:
        return prompted(self._encoder, class_names)

    @property
    def embeddings(self) -> Tensor:
        """Unit-norm text embeddings (K, 80, D) of the present vocabulary.

        Raises:
            AdapterError: no vocabulary is set.
        """
        return self.vocabularies.present

    @torch.inference_mode()
    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Score images; see :meth:`ovrisisbench.adapter.interface.Adapter.predict`.

        Maps hold sigmoid scores at a quarter of the network's resolution, 0 for classes that were rejected early.
        """
        del image_ids  # nothing is random
        return [
            ScoreMap(scores=self.score(image), image_size=image.shape[:2], crop=self.crop(image.shape[:2]))
            for image in images
        ]

    def score(self, image: NDArray[np.uint8], trace: Trace | None = None) -> Tensor:
        """Return the score map (K, h, w) of one image (H, W, 3) uint8 RGB; ``trace`` sees what happens inside."""
        text = self.embeddings
        pixels = normalised(as_pixels(mapped(image), text.device))
        logits: Tensor = self.network(pixels, text, trace)
        return logits[0].float().sigmoid()

    def crop(self, image_size: tuple[int, int]) -> Crop | None:
        """Return which part of the map the official code stretches over an image of size (H, W).

        It cuts the map to the size of the mapped image. That is larger but for
        images more than 13 times as long as wide: of their scores, the code
        stretches a part over the whole. None for the whole map.
        """
        side = self.network.config.side // 4
        height, width = (min(side, length) for length in mapped_size(*image_size))
        return None if height == width == side else (0, height, 0, width)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting."""
        config = self.network.config
        return {
            "backbone": self._backbone,
            "templates": f"{len(IMAGENET)} of ImageNet, not averaged",
            "pooling": config.pooling,
            "early_rejection": config.early_rejection or False,
            "linears": self._linears,
        }

    def count_parameters(self) -> ParameterCounts:
        """Return how many values the network has, and how many of them the official recipe trains."""
        total = sum(parameter.numel() for parameter in self.network.parameters())
        return ParameterCounts(total=total, trainable=file_layout(self.network.config).trained_values)


def prompted(encoder: TextEncoder, class_names: Sequence[str]) -> Tensor:
    """Return the unit vectors (K, T, D) of K classes in the encoder's T prompts, the mean over a name's synonyms."""
    parts = [synonyms(name) for name in class_names]
    vectors = encoder.embed([part for name in parts for part in name])
    of_classes = torch.split(vectors, [len(name) for name in parts])
    return torch.stack([mean_direction(group, dim=0) for group in of_classes])


def configured(config: SEDConfig, wishes: Mapping[str, Any]) -> SEDConfig:
    """Change a configuration by parsed settings.

    Raises:
        AdapterError: more pooling than the cost volume has cells.
    """
    config = replace(config, **wishes)
    if config.pooling > config.grid:
        raise AdapterError(f"pooling={config.pooling} is more than the {config.grid}x{config.grid} cost volume has.")
    return config
