"""Text embeddings on disk, so that a vocabulary is encoded once for each set of weights.

What is read back is to the bit what was computed: the key holds everything
that can move one, device and torch included. The folder may be deleted at any
time; a file that cannot be read counts as absent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ovrisisbench.atomic import write_bytes
from ovrisisbench.errors import OvrisisBenchError

__all__ = ["EmbeddingCache", "tower_digest"]

_NAME = "embeddings"

_RECIPE = "float64, rounded once"
"""How embeddings are computed; a change of it must not find what was computed before."""


class EmbeddingCache:
    """A folder of embeddings.

    Args:
        folder: where; by default ``text-embeddings`` in the user's cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(platformdirs.user_cache_dir("ovrisisbench")) / "text-embeddings"

    def key(self, weights: str, templates: Sequence[str], names: Sequence[str], device: torch.device) -> str:
        """Name what embeddings depend on, 64 hex digits.

        Args:
            weights: digest of the text tower.
            templates: the prompts, in order.
            names: what is put into them, in order.
            device: where they are computed.
        """
        content = [_RECIPE, weights, list(templates), list(names), device.type, torch.__version__]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def read(self, key: str) -> Tensor | None:
        """Return the embeddings, on the CPU; None if they are not there or damaged."""
        try:
            return load(self._path(key).read_bytes())[_NAME]
        except (OSError, SafetensorError, KeyError):
            return None

    def write(self, key: str, embeddings: Tensor) -> None:
        """Keep embeddings; without effect where nothing can be written."""
        # A full disk or a read-only home folder is no reason to stop a run: only time is lost.
        with suppress(OSError, OvrisisBenchError):
            write_bytes(self._path(key), save({_NAME: embeddings.cpu().contiguous()}))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"


def tower_digest(tower: nn.Module) -> str:
    """Return the sha256 of a module's tensors, names, shapes and values, 64 hex digits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tower.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {tuple(values.shape)} {values.dtype}\n".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
