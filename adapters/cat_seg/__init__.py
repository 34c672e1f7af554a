"""CAT-Seg (CVPR 2024): a cost volume of CLIP features and class names, aggregated over space and over classes."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.cost_aggregation.settings import BASELINE_SETTINGS, FAMILY_PREPROCESSING, FAMILY_PROMPTS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="cat-seg",
    title="CAT-Seg",
    summary="Cost-volume segmentation with CLIP, fine-tuned in its attention; the base of OVRIS, GSNet and RSKT-Seg.",
    adapter="ovrisisbench.adapters.cat_seg.adapter:CATSegAdapter",
    backbones={
        "vit-b": "CLIP ViT-B/16 at 384x384",
        "vit-l": "CLIP ViT-L/14@336px",
        "tiny": "a very small network; weights trained on the mini world come with the package",
    },
    weights=(
        (
            "The weights of the CVPR version, trained on COCO-Stuff, as linked in the authors' repository, or a "
            "model_final.pth of your own training; nothing else."
        ),
    ),
    settings=BASELINE_SETTINGS,
    prompts=FAMILY_PROMPTS,
    preprocessing=FAMILY_PREPROCESSING,
    paper="CAT-Seg: Cost Aggregation for Open-Vocabulary Semantic Segmentation, CVPR 2024",
    code="https://github.com/cvlab-kaist/CAT-Seg",
    licence="MIT; this implementation is independent of the authors' code",
    trainer="ovrisisbench.adapters.cat_seg.training:CATSegTrainer",
    recipe="ovrisisbench.adapters.cat_seg:recipe.yaml",
    checkpoint_reader="ovrisisbench.adapters.cat_seg.official:report",
    concurrent=True,
)
