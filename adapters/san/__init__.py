"""SAN (CVPR 2023): a side network proposes masks and tells a frozen CLIP where to look to name each of them."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.san.settings import PREPROCESSING, PROMPTS, SETTINGS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="san",
    title="SAN",
    summary="A light side network beside a frozen CLIP proposes 100 masks, and biases CLIP's attention to name each.",
    adapter="ovrisisbench.adapters.san.adapter:SANAdapter",
    backbones={
        "vit-b": "CLIP ViT-B/16 at half of the image's size, 320x320 for a square image",
        "vit-l": "CLIP ViT-L/14@336px at 0.7 of the image's size, 448x448 for a square image",
        "tiny": "a very small network for tests and demonstrations; no weights exist for it",
    },
    weights=(
        (
            "san_vit_b_16.pth or san_vit_large_14.pth, trained on COCO-Stuff, as linked in the README of the authors' "
            "repository, or a model_final.pth of your own training; nothing else."
        ),
    ),
    settings=SETTINGS,
    prompts=PROMPTS,
    preprocessing=PREPROCESSING,
    paper="Side Adapter Network for Open-Vocabulary Semantic Segmentation, CVPR 2023",
    code="https://github.com/MendelXu/SAN",
    licence="MIT; this implementation is independent of the authors' code",
    trainer="ovrisisbench.adapters.san.training:SANTrainer",
    recipe="ovrisisbench.adapters.san:recipe.yaml",
    checkpoint_reader="ovrisisbench.adapters.san.official:report",
    concurrent=True,
)
