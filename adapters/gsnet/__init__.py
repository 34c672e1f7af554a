"""GSNet (AAAI 2025): CAT-Seg with a second, remote-sensing image encoder."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.cost_aggregation.settings import BASELINE_SETTINGS, FAMILY_PREPROCESSING, FAMILY_PROMPTS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="gsnet",
    title="GSNet",
    summary="CAT-Seg with a frozen remote-sensing DINO (RSIB) in the cost volume and in the decoder.",
    adapter="ovrisisbench.adapters.gsnet.adapter:GSNetAdapter",
    backbones={
        "vit-b": "CLIP ViT-B/16 at 384x384 and RSIB, a DINO ViT-B with 8-pixel patches",
        "vit-l": "CLIP ViT-L/14@336px and RSIB; not official, the authors' code cannot run it (see docs/baselines.md)",
        "tiny": "a very small network; trainings start from encoders that come with the package",
    },
    weights=(
        (
            "model_0029999.pth, trained on LandDiscover50K, as linked in the authors' repository, or a "
            "model_final.pth of your own training; RSIB is inside."
        ),
    ),
    beside={"rsib": "RSIB.pth, as linked in the authors' repository; only for checkpoints saved without RSIB"},
    settings=BASELINE_SETTINGS,
    prompts=FAMILY_PROMPTS,
    preprocessing=FAMILY_PREPROCESSING.replace("network's square", "square of each encoder"),
    paper="Towards Open-Vocabulary Remote Sensing Image Semantic Segmentation, AAAI 2025",
    code="https://github.com/yecy749/GSNet",
    licence="none stated by the authors, so all rights reserved; this implementation is independent of their code",
    trainer="ovrisisbench.adapters.gsnet.training:GSNetTrainer",
    recipe="ovrisisbench.adapters.gsnet:recipe.yaml",
    pretrained={"rsib": "RSIB.pth, as linked in the authors' repository"},
    checkpoint_reader="ovrisisbench.adapters.gsnet.official:report",
    concurrent=True,
)
