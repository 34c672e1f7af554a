"""Models: which there are, and whether one keeps its contract."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Unpack

from ovrisisbench.adapter.registry import FoundAdapter, find_adapter, list_adapters

if TYPE_CHECKING:
    from ovrisisbench.adapter.contract import Check
    from ovrisisbench.benchmark import Loading

__all__ = ["check_adapter", "models"]


def models() -> list[FoundAdapter]:
    """Return all models that can be run, by name; ``info`` of each says what it is and what weights it needs.

    Warns of plug-ins that are broken, which are left out.
    """
    found, broken = list_adapters()
    for one in broken:
        warnings.warn(f"{one.name} ({one.origin}) is left out: {one.problem}", stacklevel=2)
    return found


def check_adapter(model: str, **loading: Unpack[Loading]) -> list[Check]:
    """Test whether a model keeps the adapter contract; needs no data.

    Args:
        model: registered name, or ``file.py:Class``.
        **loading: backbone, checkpoint, ``untrained`` and so on, as for ``run``.

    Returns:
        One check for each promise, in order. When loading fails, only that one.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence.
    """
    from ovrisisbench.adapter import contract
    from ovrisisbench.benchmark import informed, load_options

    found = find_adapter(model)
    return contract.check_adapter(found, load_options(found.info, **informed(found.info, None, loading).loading))
