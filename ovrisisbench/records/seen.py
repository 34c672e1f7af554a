"""What a model has seen in training of the data it was measured on."""

from __future__ import annotations

from pydantic import model_validator

from ovrisisbench.records.fields import Count, RecordModel, Sha256

__all__ = ["SeenInTraining"]


class SeenInTraining(RecordModel):
    """How many images of a data set the model has seen in training; every image counts once, where it fits first."""

    train_set: str
    """Key of the data set that the model was trained on."""
    train_digest: Sha256
    """Of that data set as it was prepared when this was counted."""
    train_images: Count
    """In its training split."""
    train_partial: bool
    """True if it lacks files, so that more may have been seen than was found."""
    of: Count
    """Images that the tested data set has."""
    by_split: Count
    """Images of the training split itself."""
    exact: Count
    """Other images whose pixels equal those of a training image."""
    near: Count
    """Other images that look the same as a training image."""
    distance: Count
    """Bits of 256 in which the hashes of those differ at most."""
    ids_digest: Sha256
    """Of the sorted ids of all of them."""
    left_out: bool
    """True if they were not tested."""

    @property
    def images(self) -> int:
        """All images seen in training."""
        return self.by_split + self.exact + self.near

    @model_validator(mode="after")
    def _not_more_than_there_are(self) -> SeenInTraining:
        if self.images > self.of:
            raise ValueError(f"by_split, exact and near sum to {self.images}, but of says {self.of}")
        return self
