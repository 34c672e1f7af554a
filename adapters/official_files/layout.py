"""How one network lies in its authors' files, and what of it a given file has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.official_files.renaming import Names, renamed

__all__ = ["Differences", "FileLayout", "Shapes"]

Shapes = Mapping[str, tuple[int, ...]]
"""Tensor shapes by official name."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Where a file departs from what its network needs; fields as in ``CheckpointReport``."""

    missing: tuple[str, ...]
    unused: tuple[str, ...]
    misshapen: tuple[str, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FileLayout:
    """The correspondence between a network and its authors' files.

    Args:
        build: makes the network; called without memory behind its tensors.
        names: from a key of the network's state dict to what it is made of in the file.
        ignorable: patterns of official keys that nothing reads, each with the reason.
        trained: pattern of the official keys that the official recipe trains.
    """

    build: Callable[[], nn.Module]
    names: Callable[[str], Names]
    ignorable: Sequence[tuple[str, str]] = ()
    trained: str = ""

    @cached_property
    def skeleton(self) -> Mapping[str, Tensor]:
        """The network's state dict without memory behind it."""
        with torch.device("meta"):
            return self.build().state_dict()

    @cached_property
    def sources(self) -> Mapping[str, Names]:
        """What each of the network's tensors is made of."""
        return {key: self.names(key) for key in self.skeleton}

    @cached_property
    def expected(self) -> Shapes:
        """Shape of every tensor that the file must have."""
        expected: dict[str, tuple[int, ...]] = {}
        for key, sources in self.sources.items():
            shape = self.skeleton[key].shape
            for source in sources:
                expected[source.key] = tuple(shape)
                if len(sources) > 1 or source.parts > 1:
                    expected[source.key] = (shape[0] * source.parts // len(sources), *shape[1:])
        return expected

    @property
    def trained_values(self) -> int:
        """Number of values that the official recipe trains."""
        return sum(torch.Size(shape).numel() for key, shape in self.expected.items() if re.fullmatch(self.trained, key))

    def compare(self, shapes: Shapes) -> Differences:
        """Compare the tensors of a file with what the network needs."""
        ignored = {
            key: reason for key in shapes if key not in self.expected and (reason := self._reason_to_ignore(key))
        }
        return Differences(
            missing=tuple(key for key in self.expected if key not in shapes),
            unused=tuple(key for key in shapes if key not in self.expected and key not in ignored),
            misshapen=tuple(
                f"{key}: {_times(shapes[key])} in the file, {_times(shape)} expected"
                for key, shape in self.expected.items()
                if key in shapes and tuple(shapes[key]) != shape
            ),
            ignored=tuple(
                f"{count} tensor{'s' if count > 1 else ''}: {reason}"
                for reason, count in Counter(ignored.values()).items()
            ),
        )

    def load(self, state: Mapping[str, Tensor]) -> nn.Module:
        """Build the network on the tensors of a file, float32 copies; :meth:`compare` must have found nothing."""
        with torch.device("meta"):
            network = self.build()
        network.load_state_dict(renamed(state, self.sources), assign=True)
        return network

    def official_state(self, network: nn.Module) -> dict[str, Tensor]:
        """Return the state of a network under official names, :meth:`load` run backwards.

        Tensors share the network's memory where an official one is (a part of) one of ours.
        """
        found: dict[str, dict[int, Tensor]] = {}
        for key, tensor in network.state_dict().items():
            sources = self.sources[key]
            for source, rows in zip(sources, tensor.chunk(len(sources)) if len(sources) > 1 else [tensor], strict=True):
                found.setdefault(source.key, {})[source.part] = rows
        return {
            key: parts[0] if len(parts) == 1 else torch.cat([parts[part] for part in sorted(parts)])
            for key, parts in found.items()
        }

    def _reason_to_ignore(self, key: str) -> str:
        """Why an official key is rightly not read; empty if there is no reason."""
        return next((reason for pattern, reason in self.ignorable if re.fullmatch(pattern, key)), "")


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"
