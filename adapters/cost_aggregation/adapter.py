"""The models of the CAT-Seg family behind the harness's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions, ParameterCounts, ScoreMap
from ovrisisbench.adapters.cost_aggregation.cost_maps import cost_maps
from ovrisisbench.adapters.cost_aggregation.inference import sliding_scores, whole_image_scores
from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.inference.linear_choice import LinearKind, resolve_linears
from ovrisisbench.adapters.inference.ready import ready
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.settings import Value
from ovrisisbench.adapters.text.cache import EmbeddingCache
from ovrisisbench.adapters.text.class_names import first_synonym
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import SCENE
from ovrisisbench.adapters.text.vocabulary import Vocabularies

__all__ = ["CostAggregationAdapter", "Inference"]


class Inference:
    """How a network of the family is driven: settings that are taken out of ``wishes``, the rest shapes the network.

    Args:
        options: how the model is to be loaded.
        wishes: parsed settings; ``sliding_window`` and ``linears`` are removed.
        sliding_window: whether windows are scored where nothing is said.

    Raises:
        AdapterError: ``linears=packed`` where it cannot work.
    """

    def __init__(self, options: LoadOptions, wishes: dict[str, Value], *, sliding_window: bool) -> None:
        self.backbone = options.backbone
        self.device = torch.device(options.device)
        self.sliding_window = bool(wishes.pop("sliding_window", sliding_window))
        self.linears: LinearKind = resolve_linears(str(wishes.pop("linears", "auto")), self.device)
        self.cache = None if options.untrained else EmbeddingCache()


class CostAggregationAdapter:
    """A loaded model of the family.

    ``predict`` writes no state, so several threads may call it at once; images
    go through the network one by one, so that company changes no bit.

    Args:
        network: the network; it is frozen, folded and moved to its device.
        inference: how to drive it.
        trained_values: how many values the official recipe trains.
    """

    def __init__(self, network: FamilyNetwork, inference: Inference, *, trained_values: int) -> None:
        self.inference = inference
        self.network = ready(network, inference.device, linears=inference.linears, packed=network.encoders())
        self._trained_values = trained_values
        self._encoder = TextEncoder(network.text, SCENE, cache=inference.cache)
        self.vocabularies = Vocabularies(self._embed)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Encode the class names, once for each vocabulary; of a name with synonyms the first counts."""
        self.vocabularies.choose(class_names)

    def _embed(self, class_names: Sequence[str]) -> Tensor:
        return self._encoder.embed([first_synonym(name) for name in class_names])[:, 0]

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

        Maps hold sigmoid scores: 96 x 96 for a whole image, 640 x 640 for
        sliding windows. ``crop`` stays None although whole images are padded:
        the official code leaves the strip in (see
        :func:`~ovrisisbench.adapters.cost_aggregation.inference.whole_image_scores`).
        """
        del image_ids  # nothing is random
        return [ScoreMap(scores=self.score(image), image_size=image.shape[:2]) for image in images]

    def score(self, image: NDArray[np.uint8], trace: Trace | None = None) -> Tensor:
        """Return the score map (K, h, w) of one image (H, W, 3) uint8 RGB; ``trace`` sees what happens inside."""
        text = self.embeddings
        network = partial(self.network, text=text, trace=trace)
        score = sliding_scores if self.inference.sliding_window else whole_image_scores
        return score(image, network, text.device)

    def cost_maps(self, image: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        """Return the cost volume at every stage; see :func:`.cost_maps.cost_maps`."""
        return cost_maps(self.network, image, self.embeddings)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting that the whole family has."""
        return {
            "backbone": self.inference.backbone,
            "template": SCENE[0],
            "sliding_window": self.inference.sliding_window,
            "linears": self.inference.linears,
        }

    def count_parameters(self) -> ParameterCounts:
        """Return how many values the network has, and how many of them the official recipe trains."""
        total = sum(parameter.numel() for parameter in self.network.parameters())
        return ParameterCounts(total=total, trainable=self._trained_values)
