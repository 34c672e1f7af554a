"""A network for a run: on the tensors of its authors' file, or with seeded random ones."""

from __future__ import annotations

from torch import nn

from ovrisisbench.adapter.interface import AdapterInfo, LoadOptions
from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.adapters.official_files.refusals import Reader, read_own
from ovrisisbench.errors import AdapterError

__all__ = ["build_network"]


def build_network(
    layout: FileLayout, info: AdapterInfo, options: LoadOptions, reader: Reader, *, weights: str = "weights"
) -> nn.Module:
    """Build the network of a model whose one file is all that it needs.

    Args:
        layout: of the network.
        info: the model.
        options: of the run.
        reader: the model's checkpoint reader.
        weights: what the file holds, for the sentence that asks for it.

    Raises:
        AdapterError: there is neither a file nor the wish for random weights.
        CheckpointError: the file does not fit, see :func:`read_own`.
    """
    if options.checkpoint is not None:
        state, _ = read_own(options.checkpoint, info, options.backbone, reader)
        return layout.load(state)
    if options.untrained:
        return seeded(layout.build, options.seed)
    raise AdapterError(f"{info.title} needs {weights}; give them with --checkpoint, or say --untrained.")
