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
_KEPT = ("case", "model", "seed", "config", "classes", "tensors", "tensors_from")
_WHOLE = ("argmax", "sure")
_PROSE = ("mapper_resize", "pad", "tensor_resizes", "synonyms", "rule", "order")
"""Keys of the configuration that only explain."""


def trim(case: ParityCase, folder: Path) -> None:
    """Write the small copy of ``case`` to ``folder``; the same case gives the same bytes."""
    driver = DRIVERS[case.model]
    tensors: dict[str, Array] = {}
    slicing: dict[str, list[str]] = {}
    for name, value in case.recorded.items():
        axes = case.slicing(name, driver.usual_slicing(name))
        tensors[name], slicing[name] = (value, list(axes)) if name in _WHOLE else _thinned(value, axes)
    manifest: dict[str, Any] = {key: case.manifest[key] for key in _KEPT if key in case.manifest}
    manifest["config"] = _without_prose(manifest["config"])
    manifest |= {"slicing": slicing, "batch_elements": case.batch_elements()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{case.name}.json").write_text(json.dumps(manifest, separators=(",", ":")) + "\n")
    _write_archive(folder / f"{case.name}.npz", tensors)


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
