"""Training SAN: the side network learns, and of CLIP the position table of the image tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

from torch import Tensor

from ovrisisbench.adapter.interface import Adapter, LoadOptions
from ovrisisbench.adapter.training import StartOptions
from ovrisisbench.adapters.images.pixels import normalised
from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.official_files.refusals import check_backbone, read_own
from ovrisisbench.adapters.san import INFO
from ovrisisbench.adapters.san.adapter import SANAdapter
from ovrisisbench.adapters.san.config import BACKBONES
from ovrisisbench.adapters.san.network import SAN, Proposals
from ovrisisbench.adapters.san.official import (
    DECAYED_NORMS,
    FINETUNED,
    UNDECAYED,
    file_layout,
    name_in_clip,
    report,
)
from ovrisisbench.adapters.san.settings import SETTINGS
from ovrisisbench.adapters.settings import parse_settings
from ovrisisbench.adapters.text.class_names import as_written
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import VILD
from ovrisisbench.adapters.training.network_training import NetworkTraining
from ovrisisbench.adapters.training.set_loss import Proposed, SetLossConfig
from ovrisisbench.adapters.training.setwise import SetwiseLoss
from ovrisisbench.adapters.training.starting import EncoderFile, clip_file, started
from ovrisisbench.adapters.training.tuning import Tuning

__all__ = ["SANTrainer"]

_OPENAI = {"vit-b": ("ViT-B-16", "openai"), "vit-l": ("ViT-L-14-336", "openai")}
"""Backbone -> the CLIP that the official code downloads, by open_clip's names."""


class SANTrainer:
    """Starts trainings of SAN."""

    @classmethod
    def start(cls, options: StartOptions) -> NetworkTraining:
        """See :meth:`ovrisisbench.adapter.training.Trainer.start`."""
        parse_settings(INFO.title, SETTINGS, options.settings)
        check_backbone(INFO, options.backbone)
        config = BACKBONES[options.backbone]
        layout = file_layout(config)
        if options.checkpoint is not None:
            state, _ = read_own(options.checkpoint, INFO, options.backbone, report)
            network = layout.load(state)
        else:
            path = clip_file(options, _OPENAI.get(options.backbone, ("", "")))
            clip = EncoderFile("--clip-weights ", partial(name_in_clip, front=config.front), path)
            network = started(layout, seeded(layout.build, options.seed), [clip], options, title=INFO.title)
        network = cast("SAN", network.to(options.device))
        vectors = TextEncoder(network.text, VILD).embed([as_written(name) for name in options.class_names])

        def propose(images: Tensor) -> Sequence[Proposed]:
            auxiliary: list[Proposals] = []
            found = network(normalised(images.float()), network.classifier(vectors), auxiliary=auxiliary)
            return [Proposed(each.mask_logits, each.class_logits) for each in (found, *auxiliary)]

        def evaluate(state: Mapping[str, Tensor]) -> Adapter:
            load = LoadOptions(backbone=options.backbone, device=options.device, untrained=True)
            loaded = cast("SAN", layout.load(state))
            return SANAdapter(loaded, load, linears="plain", trained_values=layout.trained_values)

        return NetworkTraining(
            network,
            SetwiseLoss(network, propose, SetLossConfig(), queries=config.side.queries),
            layout=layout,
            recipe=options.recipe,
            rules=Tuning(trained=FINETUNED[options.recipe.finetune], decayed_norms=DECAYED_NORMS, undecayed=UNDECAYED),
            evaluate=evaluate,
            settings=options.evaluation_settings,
        )
