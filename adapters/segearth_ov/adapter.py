"""SegEarth-OV behind the harness's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions, ParameterCounts, ScoreMap
from ovrisisbench.adapters.inference.linear_choice import resolve_linears
from ovrisisbench.adapters.inference.ready import ready, seeded
from ovrisisbench.adapters.inference.trace import Trace
from ovrisisbench.adapters.official_files.refusals import check_backbone, read_own
from ovrisisbench.adapters.segearth_ov import INFO
from ovrisisbench.adapters.segearth_ov.classes import Queries, Threshold, class_scores
from ovrisisbench.adapters.segearth_ov.config import BACKBONES, CLS_TOKEN_LAMBDA, LOGIT_SCALE
from ovrisisbench.adapters.segearth_ov.network import SegEarthOV
from ovrisisbench.adapters.segearth_ov.official import file_layout, read_upsampler, report
from ovrisisbench.adapters.segearth_ov.settings import Settings
from ovrisisbench.adapters.segearth_ov.windows import opencv, sliding_cosines
from ovrisisbench.adapters.text.cache import EmbeddingCache
from ovrisisbench.adapters.text.class_names import query_words
from ovrisisbench.adapters.text.encoder import TextEncoder, mean_direction
from ovrisisbench.adapters.text.templates import IMAGENET
from ovrisisbench.adapters.text.vocabulary import Vocabularies
from ovrisisbench.errors import AdapterError

__all__ = ["SegEarthOVAdapter"]


class _Vocabulary(NamedTuple):
    queries: Queries
    threshold: Threshold | None


class SegEarthOVAdapter:
    """A loaded SegEarth-OV.

    ``predict`` writes no state, so several threads may call it at once.

    Args:
        network: the network; it is frozen and moved to its device.
        options: how the model is to be loaded.
        settings: likewise, parsed.
    """

    def __init__(self, network: SegEarthOV, options: LoadOptions, settings: Settings) -> None:
        device = torch.device(options.device)
        self.backbone = options.backbone
        self.settings = settings
        self.linears = resolve_linears(settings.linears, device)
        self.network = ready(network, device, linears=self.linears, packed=[network.clip])
        cache = None if options.untrained else EmbeddingCache()
        self._encoder = TextEncoder(self.network.text, IMAGENET, cache=cache)
        self.vocabularies = Vocabularies(self._encode)

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`.

        Raises:
            AdapterError: also if OpenCV is not installed.
        """
        settings = Settings.parse(INFO.title, options.settings)
        opencv()
        check_backbone(INFO, options.backbone)
        layout = file_layout(BACKBONES[options.backbone])
        if options.checkpoint is not None:
            beside = read_upsampler(options)
            state, _ = read_own(options.checkpoint, INFO, options.backbone, report, beside=beside)
            network = layout.load(state)
        elif options.untrained:
            network = seeded(layout.build, options.seed)
        else:
            raise AdapterError(
                "SegEarth-OV needs weights; give CLIP's with --checkpoint and the up-sampler's with "
                "--weights upsampler=FILE, or say --untrained."
            )
        return cls(cast("SegEarthOV", network), options, settings)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Encode the query words of the class names, once for each vocabulary.

        Raises:
            AdapterError: the background class of the settings is not among them.
        """
        self.vocabularies.choose(class_names)

    def _encode(self, class_names: Sequence[str]) -> _Vocabulary:
        background = self.settings.background_index(class_names)
        threshold = None if background is None else Threshold(self.settings.threshold, background)
        words = [query_words(name) for name in class_names]
        vectors = self._encoder.embed([word for of_class in words for word in of_class])
        classes = tuple(index for index, of_class in enumerate(words) for _ in of_class)
        return _Vocabulary(Queries(mean_direction(vectors, dim=1), classes), threshold)

    @property
    def queries(self) -> Queries:
        """The query words of the present vocabulary.

        Raises:
            AdapterError: no vocabulary is set.
        """
        return self.vocabularies.present.queries

    @torch.inference_mode()
    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Score images; see :meth:`ovrisisbench.adapter.interface.Adapter.predict`."""
        del image_ids  # nothing is random
        return [ScoreMap(scores=self.score(image), image_size=image.shape[:2]) for image in images]

    def score(self, image: NDArray[np.uint8], trace: Trace | None = None) -> Tensor:
        """Return the score map (K, h, w) of one image (H, W, 3) uint8 RGB; ``trace`` sees what happens inside.

        Scores are cosines between -1.3 and 1.3: of a pixel with the best query
        word of a class, less 0.3 times the class token's. The map has the size
        of the resized image, long side 448, or that of the image where a class
        has several query words or a threshold is set; see
        :func:`~ovrisisbench.adapters.segearth_ov.classes.class_scores`.
        """
        queries, threshold = self.vocabularies.present
        cosines = sliding_cosines(image, self.network, queries.vectors, trace)
        if trace:
            trace("cosines", cosines[None])
        return class_scores(cosines, queries.classes, image.shape[:2], threshold)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting; ``background`` is None without a threshold."""
        config = self.network.config
        return {
            "backbone": self.backbone,
            "templates": "ImageNet's 80, averaged",
            "long_side": config.long_side,
            "window": config.window,
            "stride": config.stride,
            "cls_token_lambda": CLS_TOKEN_LAMBDA,
            "logit_scale": LOGIT_SCALE,
            "probability_threshold": self.settings.threshold,
            "background": self.settings.background,
            "linears": self.linears,
        }

    def count_parameters(self) -> ParameterCounts:
        """Return how many values the network has; none of them is trained."""
        return ParameterCounts(total=sum(parameter.numel() for parameter in self.network.parameters()), trainable=0)
