"""Which tensors of a network learn, and how fast: the parameter groups of the official codes.

They have one group for each tensor. Its rate and decay follow from its
official name and from the kind of module that owns it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch import nn

from ovrisisbench.adapter.training import TrainedTensor
from ovrisisbench.adapters.official_files.layout import FileLayout

__all__ = ["Tuning", "tuned"]

_NORMS = (nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The rules of one official code, as patterns that match whole official names."""

    trained: str
    """What learns."""
    encoder: str = ""
    """What learns with ``encoder_lr_multiplier``."""
    decayed_norms: str = ""
    """Normalisation layers of a class that the official code does not know, so that they decay like the rest."""
    undecayed: str = ""
    """What decays by ``weight_decay_norm`` besides normalisation layers."""


def tuned(network: nn.Module, layout: FileLayout, rules: Tuning, *, encoder_multiplier: float) -> list[TrainedTensor]:
    """Let exactly the tensors learn that the rules name, and return them in the order of the network.

    Args:
        network: changed in place: its parameters learn or are frozen.
        layout: of the network.
        rules: of the model.
        encoder_multiplier: of the learning rate of what ``rules.encoder`` matches.

    Raises:
        ValueError: the rules match nothing.
    """
    norms = {
        f"{name}.{own}"
        for name, module in network.named_modules()
        if isinstance(module, _NORMS)
        for own, _ in module.named_parameters(recurse=False)
    }
    found: list[TrainedTensor] = []
    for key, parameter in network.named_parameters():
        sources = layout.sources[key]
        learns = [bool(re.fullmatch(rules.trained, source.key)) for source in sources]
        parameter.requires_grad_(any(learns))
        rows = len(parameter) // len(sources) if len(sources) > 1 else 0
        for part, source in enumerate(sources):
            if not learns[part]:
                continue
            decays = key not in norms or bool(re.fullmatch(rules.decayed_norms, source.key))
            found.append(
                TrainedTensor(
                    name=source.key if source.parts == 1 else f"{source.key}[{source.part}]",
                    parameter=parameter,
                    rows=(part * rows, (part + 1) * rows) if rows else None,
                    lr_multiplier=encoder_multiplier if re.fullmatch(rules.encoder, source.key) else 1.0,
                    decays=decays and not re.fullmatch(rules.undecayed, source.key),
                )
            )
    if not found:
        raise ValueError("no tensor of the network learns")
    return found
