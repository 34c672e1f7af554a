"""The base and the field types of everything that is written into a record."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt

__all__ = ["Count", "FileName", "Fraction", "RecordModel", "SettingValue", "Sha256"]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""64 hex digits."""

Fraction = Annotated[float, Field(ge=0, le=1 + 1e-9)]
"""0..1; percentages exist only in tables. Weighted sums of perfect figures may end a hair above 1."""

Count = Annotated[StrictInt, Field(ge=0)]
"""Images, pixels, classes or parameters."""

FileName = Annotated[str, Field(min_length=1, pattern=r"^[^/\\]+$")]
"""A bare name: records travel between machines, so they hold no path."""

SettingValue = bool | int | float | str | None
"""What a switch of a model may be set to."""


class RecordModel(BaseModel):
    """Base of everything in a record: unknown fields are errors, objects are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
