"""Where a training starts: files of pre-trained encoders, and official start values for the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.training import CLIP_FROM_OPENAI, StartOptions
from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.errors import CheckpointError

__all__ = ["EncoderFile", "behind", "clip_file", "dino_state", "started"]

_ATTENTION = re.compile(r"(.+)\.(?P<which>[qkv])_proj_weight")


@dataclass(frozen=True, slots=True)
class EncoderFile:
    """One file of pre-trained encoders and the part of a network that it fills."""

    option: str
    """What one types to give it, such as ``--weights dino=``."""
    names: Callable[[str], str | None]
    """From an official name to the one in the file; None for what the file does not fill."""
    path: Path | None
    """None for random values."""
    read: Callable[[Path], Mapping[str, Tensor]] = read_state_dict


def behind(prefix: str) -> Callable[[str], str | None]:
    """Return the rule that a file has the names that stand behind a prefix.

    Example:
        >>> behind("clip.")("clip.proj"), behind("clip.")("head.weight")
        ('proj', None)
    """
    return lambda name: name.removeprefix(prefix) if name.startswith(prefix) else None


def started(
    layout: FileLayout, network: nn.Module, files: list[EncoderFile], options: StartOptions, *, title: str
) -> nn.Module:
    """Return a network whose encoders hold what files give, and whose other layers keep their start values.

    Args:
        layout: of the network.
        network: with start values everywhere; not changed.
        files: of its encoders.
        options: of the training.
        title: of the model, for error texts.

    Raises:
        CheckpointError: a file is needed, or does not hold what its encoder needs.
    """
    state = layout.official_state(network)
    for file in files:
        wanted = {key: name for key in state if (name := file.names(key)) is not None}
        if not wanted:
            continue
        if file.path is None:
            if options.untrained:
                continue
            raise CheckpointError(
                f"{title} starts from pre-trained encoders: give {file.option}FILE (see 'ovrisis-bench models'), or "
                "--untrained to start this one at random and try the machinery."
            )
        given = file.read(file.path)
        for key, name in wanted.items():
            state[key] = _taken(given, name, state[key], file.path, title)
    return layout.load(state)


def clip_file(options: StartOptions, model: tuple[str, str]) -> Path | None:
    """Return the file of CLIP that a training starts from, fetched if need be; None for random values.

    Args:
        options: of the training.
        model: open_clip's names of the architecture and of the weights that the official code takes.

    Raises:
        CheckpointError: it cannot be fetched.
    """
    if options.clip_weights != CLIP_FROM_OPENAI:
        return None if options.clip_weights is None else Path(options.clip_weights)
    import open_clip
    from open_clip.pretrained import download_pretrained

    try:
        return Path(download_pretrained(open_clip.get_pretrained_cfg(*model)))
    except Exception as error:  # whatever the network or the hub's client raises
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise CheckpointError(
            f"The CLIP {model[0]} ({model[1]}) could not be fetched ({reason}); fetch its file on another machine and "
            "give it with --clip-weights FILE."
        ) from error


def dino_state(path: Path) -> dict[str, Tensor]:
    """Read a DINO file, ``RSIB.pth`` with the teacher of a training or DINO's own, without its head."""
    state = {}
    for key, tensor in read_state_dict(path).items():
        name = key.removeprefix("module.").removeprefix("backbone.")
        if not name.startswith("head."):
            state[name] = tensor
    return state


def _taken(given: Mapping[str, Tensor], name: str, like: Tensor, path: Path, title: str) -> Tensor:
    """Find a tensor under its own name, or as a part of the joint matrix for queries, keys and values."""
    tensor = given.get(name)
    split = _ATTENTION.fullmatch(name)
    if tensor is None and split and f"{split[1]}.in_proj_weight" in given:
        tensor = given[f"{split[1]}.in_proj_weight"].chunk(3)["qkv".index(split["which"])]
    if tensor is None or tensor.shape != like.shape:
        found = "is not in it" if tensor is None else f"has the shape {tuple(tensor.shape)}, not {tuple(like.shape)}"
        raise CheckpointError(
            f"{path} does not fit the encoder of {title}: {name} {found}; give the file that its authors trained with."
        )
    return tensor.to(like.device, torch.float32)
