"""Training of the CAT-Seg family: what its models have in common, and the trainer of CAT-Seg, OVRIS and GSNet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapter.interface import Adapter, LoadOptions
from ovrisisbench.adapter.training import StartOptions
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.cost_aggregation.adapter import Inference
from ovrisisbench.adapters.cost_aggregation.baseline import BaselineAdapter, configured
from ovrisisbench.adapters.cost_aggregation.network import FamilyNetwork
from ovrisisbench.adapters.cost_aggregation.official_names import FINETUNED, PREDICTOR, TUNED_CLIP
from ovrisisbench.adapters.cost_aggregation.settings import BASELINE_NUMBERS, BASELINE_SETTINGS
from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.adapters.official_files.refusals import check_backbone, read_own, shapes_of
from ovrisisbench.adapters.settings import Value, parse_settings
from ovrisisbench.adapters.text.class_names import first_synonym
from ovrisisbench.adapters.text.templates import SCENE, fill
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.adapters.training.network_training import NetworkTraining
from ovrisisbench.adapters.training.pixelwise import PixelwiseLoss
from ovrisisbench.adapters.training.starting import EncoderFile, behind, clip_file, dino_state, started
from ovrisisbench.adapters.training.tuning import Tuning

__all__ = ["BaselineTrainer", "encoder_files", "family_training", "measured_as", "trained_text"]

_OPENAI = {"vit-b": ("ViT-B-16", "openai"), "vit-l": ("ViT-L-14-336", "openai")}
"""Backbone -> the CLIP that the official codes download, by open_clip's names."""


class BaselineTrainer:
    """Starts trainings of one of CAT-Seg, OVRIS and GSNet; subclasses name it."""

    adapter: ClassVar[type[BaselineAdapter]]
    dino: ClassVar[str] = ""
    """Name of DINO's file in ``AdapterInfo.pretrained``; empty for a model without DINO."""

    @classmethod
    def start(cls, options: StartOptions) -> NetworkTraining:
        """See :meth:`ovrisisbench.adapter.training.Trainer.start`."""
        model = cls.adapter.model
        check_backbone(model.info, options.backbone)
        wishes, _ = cls._parsed(options.settings, options)
        if options.checkpoint is not None:
            beside = model.read_beside(LoadOptions(backbone=options.backbone, beside=options.pretrained))
            state, _ = read_own(options.checkpoint, model.info, options.backbone, model.reader, beside=beside)
            layout = model.file_layout(configured(model.read_config(shapes_of(state))[1], wishes))
            network = layout.load(state)
        else:
            layout = model.file_layout(configured(model.bases[options.backbone], wishes))
            files = encoder_files(options, dino=cls.dino)
            network = started(layout, seeded(layout.build, options.seed), files, options, title=model.info.title)

        def evaluate(state: Mapping[str, Tensor]) -> Adapter:
            # As everybody reads the file: with the pooling of inference, unless the user has said another one.
            wishes, inference = cls._parsed(options.evaluation_settings, options)
            loaded = model.file_layout(configured(model.read_config(shapes_of(state))[1], wishes)).load(state)
            return cls.adapter(cast("FamilyNetwork", loaded), inference, trained_values=layout.trained_values)

        return family_training(cast("FamilyNetwork", network), layout, options, evaluate=evaluate)

    @classmethod
    def _parsed(cls, settings: Mapping[str, str], options: StartOptions) -> tuple[dict[str, Value], Inference]:
        title = cls.adapter.model.info.title
        wishes = parse_settings(title, BASELINE_SETTINGS, settings, numbers=BASELINE_NUMBERS)
        return wishes, measured_as(options, wishes, sliding_window=True)


def measured_as(options: StartOptions, wishes: dict[str, Value], *, sliding_window: bool) -> Inference:
    """Say how a network in training is measured: like any other, but its text embeddings are kept nowhere.

    Args:
        options: of the training.
        wishes: parsed settings; those that only matter in inference are taken out.
        sliding_window: whether windows are scored where nothing is said.
    """
    wishes["linears"] = "plain"
    load = LoadOptions(backbone=options.backbone, device=options.device, untrained=True)
    return Inference(load, wishes, sliding_window=sliding_window)


def family_training(
    network: FamilyNetwork,
    layout: FileLayout,
    options: StartOptions,
    *,
    evaluate: Callable[[Mapping[str, Tensor]], Adapter],
) -> NetworkTraining:
    """Put a network of the family into training on its device.

    Args:
        network: with its start values.
        layout: of the network.
        options: of the training.
        evaluate: makes a model of official tensors.
    """
    network = network.to(options.device)
    return NetworkTraining(
        network,
        PixelwiseLoss(network, trained_text(network.text, options.class_names), options.recipe),
        layout=layout,
        recipe=options.recipe,
        rules=Tuning(trained=FINETUNED[options.recipe.finetune], encoder=TUNED_CLIP),
        evaluate=evaluate,
        settings=options.evaluation_settings,
    )


def trained_text(tower: CLIPTextTower, class_names: Sequence[str]) -> Callable[[], Tensor]:
    """Return a function that gives the unit-norm embeddings (K, C) of a vocabulary, with gradient if the tower learns.

    All of the vocabulary goes through the tower at every step, as in the official codes; once only if nothing of the
    tower learns.
    """
    tokens = tokenise([fill(SCENE[0], first_synonym(name)) for name in class_names])
    tokens = tokens.to(tower.positional_embedding.device)
    kept: list[Tensor] = []

    def embeddings() -> Tensor:
        if any(parameter.requires_grad for parameter in tower.parameters()):
            return F.normalize(tower(tokens), dim=-1)
        if not kept:
            with torch.no_grad(), torch.autocast(tokens.device.type, enabled=False):
                kept.append(F.normalize(tower(tokens), dim=-1))
        return kept[0]

    return embeddings


def encoder_files(options: StartOptions, *, dino: str = "", remote_clip: str = "") -> list[EncoderFile]:
    """Return the files that the encoders of a network start from.

    Args:
        options: of the training.
        dino: name of DINO's file; empty for a model without DINO.
        remote_clip: the same of RemoteCLIP.
    """
    clip = clip_file(options, _OPENAI.get(options.backbone, ("", "")))
    files = [EncoderFile("--clip-weights ", behind(f"{PREDICTOR}clip_model."), clip)]
    if dino:
        path = options.pretrained.get(dino)
        files.append(EncoderFile(f"--weights {dino}=", behind("dino_model."), path, read=dino_state))
    if remote_clip:
        path = options.pretrained.get(remote_clip)
        files.append(EncoderFile(f"--weights {remote_clip}=", behind(f"{PREDICTOR}clip_model_remote."), path))
    return files
