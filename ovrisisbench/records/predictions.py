"""Predictions that were made elsewhere and only scored here: what is known of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ovrisisbench.records.fields import Count, FileName, RecordModel, Sha256

__all__ = ["PredictionsUsed"]


class PredictionsUsed(RecordModel):
    """The files of predictions behind a record; how they were made is only said, not checked."""

    digest: Sha256
    """Of the label maps as they were counted: image ids, sizes and class indices, whatever the form of the files."""
    forms: Annotated[dict[str, Count], Field(min_length=1)]
    """What the files hold -> images, such as ``{"PNG, indices": 30}``."""
    vocabulary_file: FileName | None = None
    """The file that named the classes of the values; None where values are indices of the vocabulary, or the
    colours of the data set's legend."""
    source: str | None = None
    """Whose words they are: what made the predictions, as the user said it; None if nothing was said."""

    @property
    def images(self) -> int:
        """Images that were scored."""
        return sum(self.forms.values())
