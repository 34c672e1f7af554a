"""Training SED: the image tower and the decoder learn, the text tower does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from torch import Tensor

from ovrisisbench.adapter.interface import Adapter, LoadOptions
from ovrisisbench.adapter.training import StartOptions
from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.official_files.refusals import check_backbone, read_own
from ovrisisbench.adapters.sed import INFO
from ovrisisbench.adapters.sed.adapter import SEDAdapter, configured, prompted
from ovrisisbench.adapters.sed.config import BACKBONES
from ovrisisbench.adapters.sed.network import SED
from ovrisisbench.adapters.sed.official import CLIP_PREFIX, DECAYED_NORMS, FINETUNED, TUNED_CLIP, file_layout, report
from ovrisisbench.adapters.sed.settings import parsed
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import IMAGENET
from ovrisisbench.adapters.training.network_training import NetworkTraining
from ovrisisbench.adapters.training.pixelwise import PixelwiseLoss
from ovrisisbench.adapters.training.starting import EncoderFile, behind, clip_file, started
from ovrisisbench.adapters.training.tuning import Tuning

__all__ = ["SEDTrainer"]

_CLIP = {
    "convnext-b": ("convnext_base_w_320", "laion_aesthetic_s13b_b82k"),
    "convnext-l": ("convnext_large_d_320", "laion2b_s29b_b131k_ft_soup"),
}
"""Backbone -> the CLIP that the official code downloads, by open_clip's names."""


class SEDTrainer:
    """Starts trainings of SED."""

    @classmethod
    def start(cls, options: StartOptions) -> NetworkTraining:
        """See :meth:`ovrisisbench.adapter.training.Trainer.start`."""
        check_backbone(INFO, options.backbone)
        wishes = _wishes(options.settings)
        wishes.pop("early_rejection", None)  # of inference alone: all classes learn
        layout = file_layout(configured(BACKBONES[options.backbone], wishes))
        if options.checkpoint is not None:
            state, _ = read_own(options.checkpoint, INFO, options.backbone, report)
            network = layout.load(state)
        else:
            clip = EncoderFile(
                "--clip-weights ", behind(CLIP_PREFIX), clip_file(options, _CLIP.get(options.backbone, ("", "")))
            )
            network = started(layout, seeded(layout.build, options.seed), [clip], options, title=INFO.title)
        network = cast("SED", network.to(options.device))
        text = prompted(TextEncoder(network.text, IMAGENET), options.class_names)

        def logits(images: Tensor, vectors: Tensor) -> Sequence[Tensor]:
            auxiliary: list[Tensor] = []
            return network(images, vectors, auxiliary=auxiliary), *auxiliary

        def evaluate(state: Mapping[str, Tensor]) -> Adapter:
            config = configured(BACKBONES[options.backbone], _wishes(options.evaluation_settings))
            load = LoadOptions(backbone=options.backbone, device=options.device, untrained=True)
            return SEDAdapter(cast("SED", file_layout(config).load(state)), load, linears="plain")

        return NetworkTraining(
            network,
            PixelwiseLoss(network, lambda: text, options.recipe, call=logits),
            layout=layout,
            recipe=options.recipe,
            rules=Tuning(trained=FINETUNED[options.recipe.finetune], encoder=TUNED_CLIP, decayed_norms=DECAYED_NORMS),
            evaluate=evaluate,
            settings=options.evaluation_settings,
        )


def _wishes(settings: Mapping[str, str]) -> dict[str, Any]:
    wishes: dict[str, Any] = parsed(settings)
    wishes.pop("linears", None)
    return wishes
