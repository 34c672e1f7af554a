"""SED (CVPR 2024): a cost volume of ConvNeXt-CLIP features and 80 prompts a class, decoded under guidance."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.sed.settings import SETTINGS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="sed",
    title="SED",
    summary="Cost-volume segmentation with a fine-tuned ConvNeXt CLIP, which keeps the resolution of its features.",
    adapter="ovrisisbench.adapters.sed.adapter:SEDAdapter",
    backbones={
        "convnext-b": "CLIP ConvNeXt-B of OpenCLIP at 768x768 (convnext_base_w_320, LAION)",
        "convnext-l": "CLIP ConvNeXt-L of OpenCLIP at 768x768 (convnext_large_d_320, LAION)",
        "tiny": "a very small network for tests and demonstrations; no weights exist for it",
    },
    weights=(
        (
            "The weights of one backbone, trained on COCO-Stuff, as linked in the README of the authors' repository, "
            "or a model_final.pth of your own training; nothing else."
        ),
    ),
    settings=SETTINGS,
    prompts=(
        "CLIP's 80 ImageNet templates, each a channel of the cost volume and none averaged; a name is split at every "
        "comma with a space, and the vectors of its parts are averaged."
    ),
    preprocessing=(
        "Short side to 640 (Pillow, uint8), CLIP's mean and deviation, the whole image squeezed to 768x768; sigmoid "
        "scores are stretched over the image."
    ),
    paper="SED: A Simple Encoder-Decoder for Open-Vocabulary Semantic Segmentation, CVPR 2024",
    code="https://github.com/xb534/SED",
    licence="Apache-2.0; this implementation is independent of the authors' code",
    trainer="ovrisisbench.adapters.sed.training:SEDTrainer",
    recipe="ovrisisbench.adapters.sed:recipe.yaml",
    checkpoint_reader="ovrisisbench.adapters.sed.official:report",
    concurrent=True,
)
