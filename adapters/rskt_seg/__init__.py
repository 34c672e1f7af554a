"""RSKT-Seg (AAAI 2026): a cost volume from CLIP in four orientations and remote-sensing encoders."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.cost_aggregation.settings import FAMILY_PROMPTS
from ovrisisbench.adapters.rskt_seg.settings import SETTINGS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="rskt-seg",
    title="RSKT-Seg",
    summary=(
        "Cost-volume segmentation with CLIP in four orientations, a remote-sensing DINO and RemoteCLIP, "
        "trained on aerial images."
    ),
    adapter="ovrisisbench.adapters.rskt_seg.adapter:RSKTSegAdapter",
    backbones={
        "vit-b": "CLIP ViT-B/16 at 384x384",
        "vit-l": "CLIP ViT-L/14@336px",
        "tiny": "a very small network; weights trained on the mini world come with the package",
    },
    weights=(
        "model_final.pth of one backbone and training set, as published in the authors' repository; nothing else.",
    ),
    settings=SETTINGS,
    prompts=FAMILY_PROMPTS,
    preprocessing=(
        "Short side to 640 (Pillow, uint8), CLIP's mean and deviation, the whole image squeezed to the square of each "
        "encoder; sigmoid scores are stretched over the image."
    ),
    paper="Exploring Efficient Open-Vocabulary Segmentation in the Remote Sensing, AAAI 2026",
    code="https://github.com/LiBingyu01/RSKT-Seg",
    licence="none stated by the authors, so all rights reserved; this implementation is independent of their code",
    trainer="ovrisisbench.adapters.rskt_seg.training:RSKTSegTrainer",
    recipe="ovrisisbench.adapters.rskt_seg:recipe.yaml",
    ablations="ovrisisbench.adapters.rskt_seg:ablations.yaml",
    pretrained={
        "dino": "RSIB.pth, the remote-sensing DINO of GSNet, as linked in its authors' repository",
        "remote_clip": "RemoteCLIP-ViT-B-32.pt, as published by the authors of RemoteCLIP",
    },
    checkpoint_reader="ovrisisbench.adapters.rskt_seg.official:report",
    concurrent=True,
)
