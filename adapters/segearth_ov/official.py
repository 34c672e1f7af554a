"""The two files behind SegEarth-OV, CLIP's and the up-sampler's, each alone or both in one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial

from torch import Tensor

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.interface import CheckpointReport, LoadOptions
from ovrisisbench.adapters.clip.openai_file import IGNORABLE, holds_clip, is_made_of, name_in_file, whose_sizes
from ovrisisbench.adapters.official_files.layout import FileLayout, Shapes
from ovrisisbench.adapters.official_files.renaming import Source
from ovrisisbench.adapters.segearth_ov.config import BACKBONES, SegEarthOVConfig
from ovrisisbench.adapters.segearth_ov.network import SegEarthOV
from ovrisisbench.errors import CheckpointError

__all__ = ["UPSAMPLER", "file_layout", "read_upsampler", "report"]

UPSAMPLER = "upsampler"
"""What one types after ``--weights`` for the up-sampler's own file."""

_PREFIX = f"{UPSAMPLER}."
_TELL_TALE = f"{_PREFIX}up.fixup_proj.0.weight"
_CHANNELS = f"{_PREFIX}fixup_proj.1.bias"


def report(shapes: Shapes) -> CheckpointReport | None:
    """Say what a file holds; None if it is neither of the two.

    A file of CLIP alone is plain CLIP's as well. CLIP ViT-L has no up-sampler,
    so its files are not SegEarth-OV's.

    Args:
        shapes: shape of every tensor in the file, by official name.
    """
    if not is_made_of(shapes, others=(UPSAMPLER,)):
        return None
    towers = {name: config.clip for name, config in BACKBONES.items()}
    clip, upsampler = holds_clip(shapes), _has_upsampler(shapes)
    if clip:
        backbone = whose_sizes(shapes, towers)
    elif upsampler:
        channels = shapes.get(_CHANNELS, ())
        backbone = next((name for name, tower in towers.items() if channels == (tower.embedding,)), "vit-b")
    else:
        return None
    if backbone is None:
        return None
    found = file_layout(BACKBONES[backbone]).compare(shapes)
    outside: tuple[str, ...] = ()
    missing = found.missing
    if not upsampler:
        outside = (f"the up-sampler is not in this file; give xclip_jbu_one_million_aid.ckpt with {_how('FILE')}",)
        missing = tuple(key for key in missing if not key.startswith(_PREFIX))
    elif not clip:
        outside = (f"CLIP is not in this file; give ViT-B-16.pt with --checkpoint and this file with {_how('FILE')}",)
        missing = tuple(key for key in missing if key.startswith(_PREFIX))
    return CheckpointReport(
        model="segearth-ov",
        backbone=backbone,
        missing=missing,
        unused=found.unused,
        misshapen=found.misshapen,
        outside=outside,
        ignored=found.ignored,
    )


@cache
def file_layout(config: SegEarthOVConfig) -> FileLayout:
    """Return how the network of ``config`` lies in the files."""
    last = rf"visual\.transformer\.resblocks\.{config.clip.blocks - 1}\."
    return FileLayout(
        build=partial(SegEarthOV, config),
        names=lambda key: (Source(name_in_file(key)),),
        ignorable=(*IGNORABLE, (rf"{last}(mlp|ln_2)\..+", "the MLP of CLIP's last block, which is left out")),
    )


def read_upsampler(options: LoadOptions) -> Mapping[str, Tensor]:
    """Read the up-sampler's own file, under the names that it has there.

    Raises:
        CheckpointError: the file cannot be read, or holds another up-sampler or none.
    """
    path = options.beside.get(UPSAMPLER)
    if path is None:
        return {}
    state = {key: tensor for key, tensor in read_state_dict(path).items() if key.startswith(_PREFIX)}
    if not _has_upsampler({key: tuple(tensor.shape) for key, tensor in state.items()}):
        raise CheckpointError(
            f"{path} does not hold the up-sampler of SegEarth-OV; "
            f"give xclip_jbu_one_million_aid.ckpt with {_how('FILE')}."
        )
    return state


def _has_upsampler(shapes: Shapes) -> bool:
    # FeatUp's own up-sampler has four sets of kernels, up1 to up4, where this one has a single one.
    return _TELL_TALE in shapes


def _how(file: str) -> str:
    return f"--weights {UPSAMPLER}={file}"
