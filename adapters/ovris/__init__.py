"""OVRIS (the paper's name; its repository is called OVRS): CAT-Seg with rotated costs and guidance attention."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.cost_aggregation.settings import BASELINE_SETTINGS, FAMILY_PREPROCESSING, FAMILY_PROMPTS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="ovris",
    title="OVRIS",
    summary="CAT-Seg with CLIP in four orientations and attention on the decoder's guidance, made for aerial images.",
    adapter="ovrisisbench.adapters.ovris.adapter:OVRISAdapter",
    backbones={
        "vit-b": "CLIP ViT-B/16 at 384x384",
        "vit-l": "CLIP ViT-L/14@336px",
        "tiny": "a very small network; weights trained on the mini world come with the package",
    },
    weights=(
        (
            "model_final.pth of your own training with the *_ours.py files of the authors' repository; the authors "
            "publish no weights. Nothing else is needed."
        ),
    ),
    settings=BASELINE_SETTINGS,
    prompts=FAMILY_PROMPTS,
    preprocessing=FAMILY_PREPROCESSING,
    paper="Open-Vocabulary Remote Sensing Image Semantic Segmentation, arXiv 2409.07683",
    code="https://github.com/caoql98/OVRS",
    licence="MIT, the file of CAT-Seg unchanged; this implementation is independent of the authors' code",
    trainer="ovrisisbench.adapters.ovris.training:OVRISTrainer",
    recipe="ovrisisbench.adapters.ovris:recipe.yaml",
    checkpoint_reader="ovrisisbench.adapters.ovris.official:report",
    concurrent=True,
)
