"""SegEarth-OV (CVPR 2025): CLIP without training, its last block changed, its features up-sampled to every pixel."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.segearth_ov.settings import SETTINGS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="segearth-ov",
    title="SegEarth-OV",
    summary=(
        "Training-free segmentation with CLIP ViT-B/16: self-self attention in its last block, a learned up-sampler "
        "for its features, a share of the class token taken off; only for patches of 16 pixels, so there is no ViT-L."
    ),
    adapter="ovrisisbench.adapters.segearth_ov.adapter:SegEarthOVAdapter",
    backbones={
        "vit-b": "CLIP ViT-B/16 in windows of 224x224",
        "tiny": "a very small network for tests and demonstrations; no weights exist for it",
    },
    weights=(
        "ViT-B-16.pt, CLIP as OpenAI publishes it (MIT licence), or open_clip's file of the same model.",
        (
            "xclip_jbu_one_million_aid.ckpt, the up-sampler, from simfeatup_dev/weights of the authors' repository, "
            "with --weights upsampler=FILE; it was trained on aerial images without labels."
        ),
    ),
    beside={"upsampler": "the up-sampler's own file, xclip_jbu_one_million_aid.ckpt"},
    settings=SETTINGS,
    prompts=(
        "The 80 ImageNet templates, averaged; a name is split at every comma, each part is a query of its own, and a "
        "class has the score of its best query."
    ),
    preprocessing=(
        "Long side to 448 (OpenCV, uint8), CLIP's mean and deviation, windows of 224 every 112; cosines are averaged "
        "over the windows and stretched over the image."
    ),
    paper="SegEarth-OV: Towards Training-Free Open-Vocabulary Segmentation for Remote Sensing Images, CVPR 2025",
    code="https://github.com/likyoo/SegEarth-OV",
    licence="none stated by the authors, so all rights reserved; this implementation is independent of their code",
    kind="training-free",
    checkpoint_reader="ovrisisbench.adapters.segearth_ov.official:report",
    concurrent=True,
)
