"""Make the repository's small copies of parity cases from a folder of full ones.

    python -m tests.parity.trim_cases FOLDER

Label map and sure pixels stay whole; every other tensor is thinned out further
until it has few enough values. What is left of it is written into the
manifest as ``slicing``.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.case import Array, ParityCase, find_cases
from tests.parity.test_parity import DRIVERS, OWN_CASES

_MOST_VALUES = 3000
_MOST_VALUES_OF_A_STEP = 250
"""Of each of the 108 gradients and updated tensors of a training step."""
_LOGITS_STEP = 4
_KEPT = (
    "case", "model", "variant", "seed", "image", "image_wide", "config", "classes", "tensors", "tensors_from",
)  # fmt: skip
_PROSE = (
    "mapper_resize", "pad", "tensor_resizes", "synonyms", "rule", "order", "paths", "versions", "official_files",
    "official_repo", "official_commit", "how", "random",
)  # fmt: skip
"""Keys of the configuration that only explain."""


def trim(case: ParityCase, folder: Path) -> None:
    """Write the small copy of ``case`` to ``folder``; the same case gives the same bytes."""
    manifest: dict[str, Any] = {key: case.manifest[key] for key in _KEPT if key in case.manifest}
    manifest = _without_prose(manifest)
    if case.config.get("mode") == "train":
        tensors, said = _trimmed_step(case)
    elif case.model == "RSKT-Seg":
        tensors, said = _trimmed_by_slicing(case)
    else:
        tensors, said = _trimmed_by_steps(case)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{case.name}.json").write_text(json.dumps({**manifest, **said}, separators=(",", ":")) + "\n")
    _write_archive(folder / f"{case.name}.npz", tensors)


def _trimmed_by_slicing(case: ParityCase) -> tuple[dict[str, Array], dict[str, Any]]:
    driver = DRIVERS[case.model]
    tensors: dict[str, Array] = {}
    slicing: dict[str, list[str]] = {}
    for name, value in case.recorded.items():
        axes = case.slicing(name, driver.usual_slicing(name))
        tensors[name], slicing[name] = (value, list(axes)) if name in ("argmax", "sure") else _thinned(value, axes)
    return tensors, {"slicing": slicing, "batch_elements": case.batch_elements()}


def _trimmed_by_steps(case: ParityCase) -> tuple[dict[str, Array], dict[str, Any]]:
    tensors: dict[str, Array] = {}
    thinned: dict[str, Any] = {}
    whole = getattr(DRIVERS[case.model], "KEPT_WHOLE", ())
    for name, value in case.recorded.items():
        tensors[name] = value
        if name not in whole and not _stays_whole(value) and value.size > _MOST_VALUES:
            tensors[name], axes = _thinned(value, (":",) * value.ndim)
            thinned[name] = {"shape": list(value.shape), "steps": [int(axis.strip(":") or 1) for axis in axes]}
    return tensors, {"thinned": thinned}


def _trimmed_step(case: ParityCase) -> tuple[dict[str, Array], dict[str, Any]]:
    """Thin what was recorded of gradients, updated values and logits; label map, image and text stay whole."""
    tensors: dict[str, Array] = {}
    strides = dict(case.manifest["strides"])
    for name, value in case.recorded.items():
        kind, _, tensor = name.partition("/")
        step = -(-value.size // _MOST_VALUES_OF_A_STEP) if tensor else 1
        if kind == "after":
            strides[tensor] = case.manifest["strides"][tensor] * step
        tensors[name] = value[::step] if tensor else value
        if kind.startswith("logits"):
            tensors[name] = value[..., ::_LOGITS_STEP, ::_LOGITS_STEP]
    kept = ("trainable", "gradient_norm_total", "no_gradient")
    said = {key: case.manifest[key] for key in kept}
    return tensors, {**said, "strides": strides, "logits_step": _LOGITS_STEP}


def _stays_whole(value: Array) -> bool:
    """Label maps, masks, tokens and the like are compared everywhere."""
    return value.dtype.kind in "ub" or (value.dtype.kind == "i" and value.ndim < 3)


def _without_prose(config: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in config.items() if key not in _PROSE}
    return {key: _without_prose(value) if isinstance(value, dict) else value for key, value in kept.items()}


def _thinned(value: Array, axes: tuple[str, ...]) -> tuple[Array, list[str]]:
    """Halve the longest axis until the tensor is small; the batch is never thinned."""
    steps = [0 if rule == "b" else int(rule.strip(":") or 1) for rule in axes]
    while value.size > _MOST_VALUES:
        longest = max((axis for axis, step in enumerate(steps) if step), key=lambda axis: value.shape[axis])
        value = value[(slice(None),) * longest + (slice(None, None, 2),)]
        steps[longest] *= 2
    return value, ["b" if not step else ":" if step == 1 else f"::{step}" for step in steps]


def _write_archive(path: Path, tensors: dict[str, Array]) -> None:
    """Write an ``.npz`` without the time of writing in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, value in tensors.items():
            content = io.BytesIO()
            np.save(content, np.ascontiguousarray(value))
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue())


def main() -> None:
    """Trim every case of a folder that can be run here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the full cases are")
    for case in find_cases(parser.parse_args().folder, DRIVERS):
        if DRIVERS[case.model].reason_to_skip(case) is None:
            trim(case, OWN_CASES)


if __name__ == "__main__":
    main()
