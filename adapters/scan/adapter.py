"""SCAN behind the harness's contract."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions, ParameterCounts, ScoreMap
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import as_pixels
from ovrisisbench.adapters.inference.linear_choice import resolve_linears
from ovrisisbench.adapters.inference.ready import ready
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.official_files.building import build_network
from ovrisisbench.adapters.official_files.refusals import check_backbone
from ovrisisbench.adapters.scan import INFO
from ovrisisbench.adapters.scan.config import BACKBONES
from ovrisisbench.adapters.scan.network import SCAN
from ovrisisbench.adapters.scan.official import file_layout, report
from ovrisisbench.adapters.scan.replacement import generator_for
from ovrisisbench.adapters.scan.settings import read_settings
from ovrisisbench.adapters.text.cache import EmbeddingCache
from ovrisisbench.adapters.text.class_names import as_written
from ovrisisbench.adapters.text.encoder import TextEncoder, mean_direction
from ovrisisbench.adapters.text.templates import VILD
from ovrisisbench.adapters.text.vocabulary import Vocabularies

__all__ = ["SCANAdapter"]


class SCANAdapter:
    """A loaded SCAN.

    The original is not deterministic: it draws at random which background
    patches of a crop it replaces. Here the draw is seeded by the seed of the
    run and the image's id, so an image gets the same scores whenever it is
    asked for; other seeds give other draws, as the original gives at every run.

    ``predict`` writes no state, so several threads may call it at once; images
    go through the network one by one, so that company changes no bit.

    Args:
        network: the network; it is frozen, folded and moved to its device.
        options: how the model is to be loaded.
        trained_values: how many values the official recipe trains.

    Raises:
        AdapterError: an unknown setting, or a value it cannot have.
    """

    def __init__(self, network: SCAN, options: LoadOptions, *, trained_values: int) -> None:
        self.calibration, wish = read_settings(options.settings)
        self._backbone, self._seed = options.backbone, options.seed
        device = torch.device(options.device)
        self._linears = resolve_linears(wish, device)
        self.network = ready(network, device, linears=self._linears, packed=network.encoders())
        self._trained_values = trained_values
        self._encoder = TextEncoder(network.text, VILD, cache=None if options.untrained else EmbeddingCache())
        self.vocabularies = Vocabularies(self._embed)

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`."""
        read_settings(options.settings)  # before anything slow
        check_backbone(INFO, options.backbone)
        layout = file_layout(BACKBONES[options.backbone])
        network = build_network(layout, INFO, options, report)
        return cls(cast("SCAN", network), options, trained_values=layout.trained_values)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Encode the class names, once for each vocabulary; names are taken as written."""
        self.vocabularies.choose(class_names)

    def _embed(self, class_names: Sequence[str]) -> Tensor:
        return mean_direction(self._encoder.embed([as_written(name) for name in class_names]), dim=1)

    @property
    def embeddings(self) -> Tensor:
        """Unit-norm text embeddings (K, D) of the present vocabulary.

        Raises:
            AdapterError: no vocabulary is set.
        """
        return self.vocabularies.present

    @torch.inference_mode()
    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Score images; see :meth:`ovrisisbench.adapter.interface.Adapter.predict`.

        Maps hold sums of weighted mask probabilities at the size to which the
        test mapper resizes, short side 640.
        """
        return [
            ScoreMap(scores=self.score(image, image_id=image_id), image_size=image.shape[:2])
            for image, image_id in zip(images, image_ids, strict=True)
        ]

    def score(
        self,
        image: NDArray[np.uint8],
        *,
        image_id: str = "",
        generator: random.Random | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Return the score map of one image.

        Args:
            image: (H, W, 3) uint8 RGB.
            image_id: what the random draw is seeded by, together with the run's seed.
            generator: what to draw with instead, such as ``random.Random(seed)`` to repeat a run of the original
                that began with ``random.seed(seed)``; its state moves on.
            trace: sees what happens inside.

        Returns:
            (K, h, w) float32 at the test mapper's size.
        """
        text = self.embeddings
        pixels = as_pixels(mapped(image), text.device)
        generator = generator or generator_for(self._seed, image_id)
        scores: Tensor = self.network(pixels, text, calibration=self.calibration, generator=generator, trace=trace)
        return scores

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting."""
        random_draw = self.calibration.replace_ratio > 0
        return {
            "backbone": self._backbone,
            "templates": f"{len(VILD)} of ViLD, averaged",
            "mask_threshold": self.calibration.mask_threshold,
            "ensemble_weight": self.calibration.ensemble_weight,
            "replace_ratio": self.calibration.replace_ratio,
            "replacement": "seeded by image id" if random_draw else "none",
            "replacement_seed": self._seed if random_draw else None,
            "linears": self._linears,
        }

    def count_parameters(self) -> ParameterCounts:
        """Return how many values the network has, and how many of them the official recipe trains."""
        total = sum(parameter.numel() for parameter in self.network.parameters())
        return ParameterCounts(total=total, trainable=self._trained_values)
