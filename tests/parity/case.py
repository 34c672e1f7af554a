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

    def image(self) -> NDArray[np.uint8]:
        size = self.config["image"]
        return synthetic_image(size["height"], size["width"], size["image_seed"])

    @cached_property
    def recorded(self) -> Mapping[str, Array]:
        with np.load(self.path.with_suffix(".npz")) as archive:
            return {name: archive[name] for name in archive.files}

    def batch_elements(self) -> list[int]:
        """Which elements of a batch were recorded; windows and the whole image are such a batch."""
        described = re.search(r"\[([\d, ]+)\]", self.manifest["recorded"].get("_b", "[0]"))
        return [int(number) for number in described[1].split(",")]  # type: ignore[index]  # the manifest names them

    def as_recorded(self, name: str, value: Array, usual: tuple[str, ...]) -> Array:
        """Cut a full tensor down to what was recorded of it.

        Args:
            name: its name in the archive.
            value: the full tensor; where its axes start with a batch, the whole batch.
            usual: for each axis ``b`` (the recorded batch elements), ``:``
                (all) or ``::N`` (every N-th), for tensors whose description
                in the manifest gives no slicing of its own.
        """
        described = re.search(r"\[([^\]]*::[^\]]*)\]", self.manifest["recorded"][name])
        axes = tuple(described[1].split(",")) if described else usual
        if len(axes) != value.ndim:
            raise ValueError(f"{name} has {value.ndim} axes, its description {len(axes)}: {axes}")
        for axis, rule in enumerate(axes):
            step = re.search(r"::(\d+)", rule)
            if rule.strip() == "b":
                value = value[self.batch_elements()]
            elif step:
                value = value[(slice(None),) * axis + (slice(None, None, int(step[1])),)]
        further = self.manifest.get("trimmed", {}).get(name, [])
        return value[tuple(slice(None, None, step) for step in further)]


def find_cases(folder: Path, models: Mapping[str, object]) -> list[ParityCase]:
    """Return the cases of a folder that belong to one of the models, by name."""
    cases = (ParityCase(path) for path in sorted(folder.glob("*.json")))
    return [case for case in cases if case.manifest.get("model") in models]
