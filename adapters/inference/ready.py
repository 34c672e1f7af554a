"""Making a network ready to predict: frozen, folded, on its device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import nn

from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.inference.linear_choice import LinearKind
from ovrisisbench.adapters.inference.packed_linears import pack_linears

__all__ = ["ready", "seeded"]

_Network = TypeVar("_Network", bound=nn.Module)


def ready(
    network: _Network, device: torch.device, *, linears: LinearKind = "plain", packed: Iterable[nn.Module] = ()
) -> _Network:
    """Freeze a network, fold what can be folded, and move it to its device.

    Args:
        network: any network; changed in place.
        device: where it is to run.
        linears: ``packed`` to put packed linear layers into the modules of ``packed``.
        packed: the modules in which most of the time goes.
    """
    if linears == "packed":
        for module in packed:
            pack_linears(module)
    return fold_weights(network.requires_grad_(False).eval().to(device))


def seeded(build: Callable[[], _Network], seed: int) -> _Network:
    """Build a network whose random start values follow from ``seed``, leaving the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()
