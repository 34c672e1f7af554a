"""A parity case as data: a manifest beside an archive of what the official implementation computed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tests.parity.synth import synthetic_image, synthetic_tensor

__all__ = ["ParityCase", "find_cases"]

Array = NDArray[Any]


@dataclass(frozen=True)
class ParityCase:
    """One ``<case>.json`` with its ``<case>.npz``."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        return json.loads(self.path.read_text())

    @property
    def model(self) -> str:
        """Name of the model as the manifest writes it."""
        return self.manifest["model"]

    @property
    def config(self) -> Mapping[str, Any]:
        return self.manifest["config"]

    @property
    def classes(self) -> list[str]:
        return self.manifest["classes"]

    def tensors(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield the official checkpoint tensor by tensor; another case may own the list (``tensors_from``)."""
        source = self.manifest
        while "tensors_from" in source:
            source = json.loads(self.path.with_name(f"{source['tensors_from']}.json").read_text())
        for name, shape, kind in source["tensors"]:
            yield name, synthetic_tensor(name, tuple(shape), kind, source["seed"])

    def state(self) -> dict[str, torch.Tensor]:
        """Return the official checkpoint."""
        return {name: torch.from_numpy(np.array(value)) for name, value in self.tensors()}

    def image(self) -> NDArray[np.uint8]:
        size = self.image_size
        return synthetic_image(size["height"], size["width"], size.get("image_seed", size.get("seed")))

    @property
    def image_size(self) -> Mapping[str, int]:
        """Height, width and seed of the picture; some manifests have it beside the configuration."""
        return self.config["image"] if "image" in self.config else self.manifest["image"]

    @cached_property
    def recorded(self) -> Mapping[str, Array]:
        with np.load(self.path.with_suffix(".npz")) as archive:
            return {name: archive[name] for name in archive.files}

    def batch_elements(self) -> list[int]:
        """Which elements of a batch were recorded; windows and the whole image are such a batch."""
        if "batch_elements" in self.manifest:
            return self.manifest["batch_elements"]
        described = re.search(r"\[([\d, ]+)\]", self.manifest["recorded"].get("_b", ""))
        return [int(number) for number in described[1].split(",")] if described else [0]

    def slicing(self, name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
        """Return for each axis of a full tensor what was recorded of it.

        ``b``: the recorded batch elements; ``:``: all; ``::N``: every N-th.

        Args:
            name: the tensor's name in the archive.
            usual: the slicing where the manifest's description gives none.
        """
        if "slicing" in self.manifest:
            return tuple(self.manifest["slicing"][name])
        described = re.search(r"\[([^\]]*::[^\]]*)\]", self.manifest["recorded"][name])
        if not described:
            return usual
        steps = (re.search(r"b$|::\d+$", axis.strip()) for axis in described[1].split(","))
        return tuple(step[0] if step else ":" for step in steps)

    def cut(self, name: str, value: Array) -> Array:
        """Cut a full tensor down to what was recorded of it: every n-th value along each axis, n by the shapes.

        A copy that was made smaller for the repository says from which shape, and by which steps.
        """
        thinned = self.manifest.get("thinned", {}).get(name)
        shape = tuple(thinned["shape"]) if thinned else self.recorded[name].shape
        if len(shape) != value.ndim:
            raise AssertionError(f"{name} has {value.ndim} axes, recorded were {len(shape)}")
        value = value[tuple(slice(None, None, _step(*sizes)) for sizes in zip(value.shape, shape, strict=True))]
        if thinned:
            value = value[tuple(slice(None, None, step) for step in thinned["steps"])]
        return value

    def as_recorded(self, name: str, value: Array, usual: tuple[str, ...]) -> Array:
        """Cut a full tensor, whole batch first where it has one, down to what was recorded of it."""
        axes = self.slicing(name, usual)
        if len(axes) != value.ndim:
            raise ValueError(f"{name} has {value.ndim} axes, its description {len(axes)}: {axes}")
        for axis, rule in enumerate(axes):
            if rule == "b":
                value = value.take(self.batch_elements(), axis=axis)
            elif rule != ":":
                value = value[(slice(None),) * axis + (slice(None, None, int(rule.removeprefix("::"))),)]
        return value


def _step(full: int, kept: int) -> int:
    """The smallest step that keeps so many of ``full`` values; 1 where none does, so that shapes differ visibly."""
    return next((step for step in range(1, full + 1) if -(-full // step) == kept), 1)


def find_cases(folder: Path, models: Mapping[str, object]) -> list[ParityCase]:
    """Return the cases of a folder that belong to one of the models, by name."""
    cases = (ParityCase(path) for path in sorted(folder.glob("*.json")))
    return [case for case in cases if case.manifest.get("model") in models]
