"""SCAN (CVPR 2024): mask proposals, named by calibrated query embeddings and by CLIP on the cropped regions."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.scan.settings import SETTINGS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="scan",
    title="SCAN",
    summary="Mask2Former's masks, each named twice: by its query, calibrated with CLIP's features, and by its crop.",
    adapter="ovrisisbench.adapters.scan.adapter:SCANAdapter",
    backbones={
        "vit-b": "Swin-B with CLIP ViT-B/16 (DataComp)",
        "vit-l": "Swin-B with CLIP ViT-L/14 (DataComp)",
        "tiny": "a very small network for tests and demonstrations; no weights exist for it",
    },
    weights=(
        (
            "SCAN-ViT-L, trained on COCO-Stuff, as linked in the authors' repository (CC BY-NC 4.0, non-commercial), "
            "or a model_final.pth of your own training; nothing else."
        ),
    ),
    settings=SETTINGS,
    prompts=(
        "14 templates (VILD), the unit vectors averaged and brought to length one again; a name is taken as written, "
        "commas included; the text encoder is the checkpoint's."
    ),
    preprocessing=(
        "Short side to 640 (Pillow, uint8), padded to a multiple of 32 for Swin; the whole image and up to 100 crops "
        "go to CLIP at 224x224, the crops with some background patches replaced at random: the original is not "
        "deterministic, here each draw is seeded by the run's seed and the image's id."
    ),
    paper="Open-Vocabulary Segmentation with Semantic-Assisted Calibration, CVPR 2024",
    code="https://github.com/yongliu20/SCAN",
    licence="CC BY-NC 4.0 (non-commercial); this implementation is independent of the authors' code",
    checkpoint_reader="ovrisisbench.adapters.scan.official:report",
    concurrent=True,
)
