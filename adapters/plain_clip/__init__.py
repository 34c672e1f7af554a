"""CLIP used densely: the cosine of every patch with every class, without any training."""

from __future__ import annotations

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapters.plain_clip.settings import SETTINGS

__all__ = ["INFO"]

INFO = AdapterInfo(
    name="plain-clip",
    title="CLIP, dense",
    summary=(
        "Floor without any training: each patch of CLIP, read densely as MaskCLIP does, takes the class whose name is "
        "closest."
    ),
    adapter="ovrisisbench.adapters.plain_clip.adapter:PlainCLIPAdapter",
    backbones={
        "vit-b": "CLIP ViT-B/16 at 384x384",
        "vit-l": "CLIP ViT-L/14@336px",
        "tiny": "a very small CLIP, trained on the mini world, that comes with the package",
    },
    weights=(
        (
            "ViT-B-16.pt or ViT-L-14-336px.pt, CLIP as OpenAI publishes it (MIT licence), or open_clip's file of the "
            "same model."
        ),
    ),
    settings=SETTINGS,
    prompts="The 80 ImageNet templates, averaged; of a name with a comma and a space only what stands before it.",
    preprocessing=(
        "Short side to 640 (Pillow, uint8), CLIP's mean and deviation, padded to multiples of 32, squeezed to the "
        "network's square; cosines of the 24x24 patches are stretched over the image, without the padded strip."
    ),
    paper=(
        "Learning Transferable Visual Models From Natural Language Supervision, ICML 2021; dense features after "
        "Extract Free Dense Labels from CLIP, ECCV 2022"
    ),
    code="https://github.com/openai/CLIP",
    licence="MIT; this way to use it is the benchmark's own",
    kind="training-free",
    checkpoint_reader="ovrisisbench.adapters.plain_clip.official:report",
    concurrent=True,
)
