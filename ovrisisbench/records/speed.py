"""How fast a model was on one device: measured records, and figures that were printed by others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from ovrisisbench.adapter.interface import Precision
from ovrisisbench.atomic import write_text
from ovrisisbench.catalog.identity import short_id
from ovrisisbench.errors import RecordError
from ovrisisbench.records.fields import Count, RecordModel, SettingValue
from ovrisisbench.records.json_text import json_text
from ovrisisbench.records.names import file_slug
from ovrisisbench.records.parsing import parsed, published_tables
from ovrisisbench.records.published import Source
from ovrisisbench.records.schema import FORMAT, Parameters

__all__ = [
    "SPEED_SUFFIX",
    "Flops",
    "Milliseconds",
    "PublishedSpeed",
    "PublishedSpeedRow",
    "SpeedModel",
    "SpeedRecord",
    "SpeedTask",
    "read_published_speed",
    "read_speed_records",
    "write_speed_record",
]

SPEED_SUFFIX: Final = ".speed.json"
"""What files of a results folder are records of speed."""

_FOLDER: Final = "speed"

Positive = Annotated[float, Field(gt=0)]


class Milliseconds(RecordModel):
    """Wall time of one image over the counted images."""

    mean: Positive
    median: Positive
    p95: Positive

    @classmethod
    def of(cls, times: Sequence[float]) -> Milliseconds:
        """Summarise at least one time."""
        mean, median, p95 = np.mean(times), np.median(times), np.percentile(times, 95)
        return cls(mean=round(float(mean), 4), median=round(float(median), 4), p95=round(float(p95), 4))


class SpeedModel(RecordModel):
    """What was measured."""

    name: str
    title: str
    adapter: str
    """Where the code comes from: package and version, or file name."""
    backbone: str
    weights: Literal["checkpoint", "untrained", "none"]
    """Random weights take as long as trained ones, unless a model decides by its scores what to compute."""
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    precision: Precision = "float32"


class SpeedTask(RecordModel):
    """What the model had to do."""

    height: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    classes: Annotated[int, Field(ge=1)]
    images: Annotated[int, Field(ge=1)]
    """Counted images, one at a time."""
    warm_up: Count
    """Images before them."""


class Flops(RecordModel):
    """What torch's counter says of one image, text left out."""

    counted: Count
    """Floating-point operations; a multiplication and its addition are two."""
    uncounted: dict[str, Count] = Field(default_factory=dict)
    """Operators that the counter does not count -> calls."""


class SpeedRecord(RecordModel):
    """One model's speed on one device."""

    format: Literal[4] = FORMAT
    kind: Literal["speed"] = "speed"
    model: SpeedModel
    task: SpeedTask
    image_ms: Milliseconds
    """From the pixels in memory to the label map, the device waited for."""
    text_ms: Annotated[float, Field(ge=0)]
    """Encoding the vocabulary, once, or reading it from the cache; in no time of an image."""
    parameters: Parameters | None = None
    """None where the adapter does not tell."""
    flops: Flops
    peak_memory_mib: Annotated[float, Field(ge=0)] | None = None
    peak_memory_kind: str
    device: str
    """Name of the processor or accelerator."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Threads of one operator on a CPU; None on an accelerator."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    packages: dict[str, str | None]
    python: str
    platform: str
    command: tuple[str, ...]

    @property
    def frames_per_second(self) -> float:
        """Images in a second, at the mean time of one."""
        return 1000 / self.image_ms.mean

    @property
    def stem(self) -> str:
        """File name without suffix: a repetition on the same device replaces its own record."""
        identity = self.model_dump(mode="json", include={"model": True, "task": True, "device": True, "threads": True})
        size = f"{self.task.height}x{self.task.width}"
        words = (self.model.name, self.model.backbone, size, self.device)
        return "_".join([*map(file_slug, words), short_id(identity)])


class PublishedSpeedRow(RecordModel):
    """One line of a printed table of speed."""

    model: str
    """Name of the adapter, where there is one."""
    title: str
    mean_ms: Positive
    fps: Positive


class PublishedSpeed(RecordModel):
    """One printed table of speed; another machine's, so it never competes with measured rows."""

    format: Literal[4] = FORMAT
    kind: Literal["published-speed"] = "published-speed"
    name: str
    """File stem."""
    source: Source
    hardware: str
    """As far as the source tells."""
    unstated: Annotated[tuple[str, ...], Field(min_length=1)]
    """What the source does not say."""
    rows: Annotated[tuple[PublishedSpeedRow, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rates_follow_from_times(self) -> PublishedSpeed:
        for index, row in enumerate(self.rows):
            if abs(1000 / row.mean_ms - row.fps) > 0.011:
                raise ValueError(
                    f"rows.{index}: {row.mean_ms} ms are {1000 / row.mean_ms:.2f} images a second, not {row.fps}"
                )
        return self


def write_speed_record(record: SpeedRecord, results: Path) -> Path:
    """Write a record atomically; return its path.

    Raises:
        OvrisisBenchError: the folder cannot be written.
    """
    path = results / _FOLDER / f"{record.stem}{SPEED_SUFFIX}"
    write_text(path, json_text(record.model_dump(mode="json")))
    return path


def read_speed_records(results: Path) -> list[SpeedRecord]:
    """Read all records of speed below a results folder, in the order of their paths.

    Raises:
        RecordError: no such folder, or a file that cannot be used.
    """
    if not results.is_dir():
        raise RecordError(f"There is no results folder {results}; name one with --results.")
    found = sorted(results.rglob(f"*{SPEED_SUFFIX}"))
    return [parsed(path.read_bytes(), SpeedRecord, where=str(path)) for path in found]


@cache
def read_published_speed() -> tuple[PublishedSpeed, ...]:
    """Read the published tables of speed that are installed with the package, by name.

    Raises:
        RecordError: a file of them is wrong.
    """
    return published_tables(PublishedSpeed, "speed")
