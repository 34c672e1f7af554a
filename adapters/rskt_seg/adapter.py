"""RSKT-Seg behind the harness's contract."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions, ScoreMap
from ovrisisbench.adapters.clip.prompts import fill_template
from ovrisisbench.adapters.cost_aggregation.inference import sliding_scores, whole_image_scores
from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.inference.linear_choice import LinearKind, resolve_linears
from ovrisisbench.adapters.inference.packed_linears import pack_linears
from ovrisisbench.adapters.rskt_seg.config import TEMPLATE
from ovrisisbench.adapters.rskt_seg.loading import from_checkpoint, untrained
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.rskt_seg.settings import parse_settings
from ovrisisbench.adapters.rskt_seg.trace import Trace
from ovrisisbench.errors import AdapterError

__all__ = ["RSKTSegAdapter"]


class RSKTSegAdapter:
    """A loaded RSKT-Seg.

    ``predict`` writes no state, so several threads may call it at once; images
    go through the network one by one, so that company changes no bit.

    Args:
        network: the network, on its device, in evaluation mode and folded.
        backbone: what was typed after ``--backbone``.
        sliding_window: score in windows instead of as a whole.
        linears: the kind of linear layers in the encoders.
    """

    def __init__(
        self, network: RSKTSeg, *, backbone: str, sliding_window: bool = False, linears: LinearKind = "plain"
    ) -> None:
        self.network = network
        self.backbone, self.sliding_window, self.linears = backbone, sliding_window, linears
        self._embeddings: dict[tuple[str, ...], Tensor] = {}
        self._text: Tensor | None = None
        self._lock = threading.Lock()

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model; see :meth:`ovrisisbench.adapter.interface.Adapter.load`."""
        wishes = parse_settings(options.settings)
        sliding_window = bool(wishes.pop("sliding_window", False))
        device = torch.device(options.device)
        linears = resolve_linears(str(wishes.pop("linears", "auto")), device)
        if options.checkpoint is not None:
            network = from_checkpoint(options.checkpoint, options.backbone, wishes)
        elif options.untrained:
            network = untrained(options.backbone, wishes, seed=options.seed)
        else:
            raise AdapterError("RSKT-Seg needs weights; give them with --checkpoint, or say --untrained.")
        if linears == "packed":
            for encoder in network.encoders():
                pack_linears(encoder)
        network = fold_weights(network.requires_grad_(False).eval().to(device))
        return cls(network, backbone=options.backbone, sliding_window=sliding_window, linears=linears)

    @torch.inference_mode()
    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Encode the class names, once for each vocabulary; of a name with synonyms the first counts."""
        key = tuple(class_names)
        with self._lock:
            if key not in self._embeddings:
                self._embeddings[key] = self.network.text.embed(fill_template(key, TEMPLATE))
            self._text = self._embeddings[key]

    @property
    def embeddings(self) -> Tensor:
        """Unit-norm text embeddings (K, C) of the present vocabulary.

        Raises:
            AdapterError: no vocabulary is set.
        """
        if self._text is None:
            raise AdapterError("No vocabulary is set; call set_vocabulary before predict.")
        return self._text

    @torch.inference_mode()
    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Score images; see :meth:`ovrisisbench.adapter.interface.Adapter.predict`.

        Maps hold sigmoid scores: 96 x 96 for a whole image, 640 x 640 with
        ``sliding_window``. ``crop`` stays None although whole images are
        padded: the official code leaves the strip in (see
        :func:`~ovrisisbench.adapters.cost_aggregation.inference.whole_image_scores`).
        """
        del image_ids  # nothing is random
        return [ScoreMap(scores=self.score(image), image_size=image.shape[:2]) for image in images]

    def score(self, image: NDArray[np.uint8], trace: Trace | None = None) -> Tensor:
        """Return the score map (K, h, w) of one image (H, W, 3) uint8 RGB; ``trace`` sees what happens inside."""
        text = self.embeddings
        network = partial(self.network, text=text, trace=trace)
        score = sliding_scores if self.sliding_window else whole_image_scores
        return score(image, network, text.device)

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting; None for what has no effect."""
        config = self.network.config
        of_original = {
            name: None if config.efficient else getattr(config, name)
            for name in ("pooling", "window", "heads", "attention")
        }
        return {
            "backbone": self.backbone,
            "template": TEMPLATE,
            "sliding_window": self.sliding_window,
            "rotate": config.rotate,
            "dino": config.dino,
            "remote_clip": config.remote_clip,
            "clip_guidance": config.clip_guidance,
            "dino_guidance": config.dino and config.dino_guidance,
            "efficient": config.efficient,
            "fusion": config.fusion if config.dino else None,
            "layers": config.layers,
            **of_original,
            "linears": self.linears,
        }
