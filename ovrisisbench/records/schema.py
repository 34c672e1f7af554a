"""What a record holds: one model with one checkpoint on one data set of one protocol.

A record keeps its confusion matrix, and every figure in it is recomputed from
that matrix when the record is made or read: a figure that was edited by hand
does not load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from ovrisisbench.adapter.interface import Precision
from ovrisisbench.catalog.identity import content_digest, short_id
from ovrisisbench.catalog.protocols import Convention, Protocol
from ovrisisbench.records.counts import CountsTable
from ovrisisbench.records.fields import Count, FileName, RecordModel, SettingValue, Sha256
from ovrisisbench.records.figures import MetricValues, check_figures, metrics_of
from ovrisisbench.records.names import file_slug
from ovrisisbench.records.predictions import PredictionsUsed
from ovrisisbench.records.seen import SeenInTraining

if TYPE_CHECKING:
    from ovrisisbench.prepare import Manifest

__all__ = [
    "FORMAT",
    "CheckpointUsed",
    "CountsFile",
    "DatasetUsed",
    "ImageTimes",
    "ModelUsed",
    "Parameters",
    "PredictionsUsed",
    "ProtocolUsed",
    "Record",
    "Run",
    "SeenInTraining",
    "VocabularyUsed",
]

FORMAT: Final = 4
"""Version of the record format that this package writes; older ones are read, newer ones refused."""


class CheckpointUsed(RecordModel):
    """The file of trained weights."""

    file: FileName
    sha256: Sha256


class ModelUsed(RecordModel):
    """Everything about the model that can change its scores."""

    name: str
    """What one types after ``--model``."""
    title: str
    """The name as papers print it."""
    adapter: str
    """Where the code comes from: entry point and package version, or file name and class."""
    kind: Literal["trained", "training-free", "floor", "predictions"]
    """``predictions``: its label maps were made elsewhere and only counted here, see ``Record.predictions``."""
    backbone: str
    train_set: str | None
    """Key of the data set it was trained on; None for models that were not."""
    weights: Literal["checkpoint", "untrained", "none", "elsewhere"]
    """``untrained``: seeded random weights; ``none``: the model has no weights of its own; ``elsewhere``: whatever made
    the predictions, nothing of it was seen here."""
    checkpoint: CheckpointUsed | None = None
    beside: dict[str, CheckpointUsed] = Field(default_factory=dict)
    """Files of weights beside the checkpoint, by the names that the model gives them."""
    seed: int | None = None
    """Of random weights or draws; None where nothing is drawn."""
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    """Every resolved setting that can change the scores."""
    precision: Precision = "float32"

    def identity(self) -> dict[str, Any]:
        """Return what makes this model another one: a renamed checkpoint or a new title does not."""
        identity = self.model_dump(mode="json", exclude={"title": True, "checkpoint": {"file"}, "beside": True})
        if self.beside:
            identity["beside"] = {name: used.sha256 for name, used in self.beside.items()}
        return identity

    @model_validator(mode="after")
    def _checkpoint_named(self) -> ModelUsed:
        if (self.weights == "checkpoint") != (self.checkpoint is not None):
            raise ValueError(f"weights says '{self.weights}', but checkpoint is {self.checkpoint!r}")
        if (self.weights == "elsewhere") != (self.kind == "predictions"):
            raise ValueError(f"weights says '{self.weights}', but kind is '{self.kind}'")
        return self


class ProtocolUsed(RecordModel):
    """The rules of the measurement."""

    name: str
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    datasets: Annotated[tuple[str, ...], Field(min_length=1)]
    """All data sets that the protocol tests, in table order: a mean is one over all of them."""

    @classmethod
    def of(cls, protocol: Protocol) -> ProtocolUsed:
        """Name the rules of a protocol."""
        return cls(name=protocol.name, id=protocol.id, datasets=protocol.datasets)


class DatasetUsed(RecordModel):
    """The data that were measured on."""

    key: str
    variant: str
    digest: Sha256
    """Of the prepared data set: decoded pixels and labels."""
    images: Count
    """Images that were evaluated."""
    images_total: Count
    """Images that the protocol tests in this prepared data set, without those seen in training if it says so."""
    limited: bool = False
    """True if only a part of the images was evaluated on purpose, such as with ``--limit``."""
    partial: bool = False
    """True if the prepared data set lacks files that its card expects."""
    partial_reasons: tuple[str, ...] = ()
    """One sentence for each deviation from the card."""
    seen_in_training: SeenInTraining | None = None
    """None if the model was not trained, or its training set was not there to be compared."""

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        *,
        images: int,
        images_total: int,
        partial_reasons: Sequence[str],
        seen: SeenInTraining | None,
    ) -> DatasetUsed:
        """Say what was measured of a prepared data set.

        Args:
            manifest: of the prepared data set.
            images: that were evaluated.
            images_total: that the protocol tests.
            partial_reasons: beside those of the manifest.
            seen: what training has seen of it.
        """
        reasons = (*manifest.partial_reasons, *partial_reasons)
        return cls(
            key=manifest.dataset,
            variant=manifest.variant,
            digest=manifest.digest,
            images=images,
            images_total=images_total,
            limited=images < images_total,
            partial=bool(reasons),
            partial_reasons=reasons,
            seen_in_training=seen,
        )

    @property
    def left_out(self) -> str | None:
        """Digest of the ids that were left out because training has seen them; None if nothing was left out so."""
        seen = self.seen_in_training
        return seen.ids_digest if seen is not None and seen.left_out else None

    @model_validator(mode="after")
    def _flags_agree(self) -> DatasetUsed:
        seen = self.seen_in_training
        if seen is not None and self.images_total != seen.of - (seen.images if seen.left_out else 0):
            raise ValueError(
                f"images_total says {self.images_total}, but of {seen.of} images {seen.images} were seen in training "
                f"and {'' if seen.left_out else 'not '}left out"
            )
        if self.images > self.images_total:
            raise ValueError(f"images says {self.images}, but images_total is {self.images_total}")
        if self.limited != (self.images < self.images_total):
            raise ValueError(
                f"limited says {self.limited}, but {self.images} of {self.images_total} images were evaluated"
            )
        if self.partial != bool(self.partial_reasons):
            raise ValueError(f"partial says {self.partial}, but there are {len(self.partial_reasons)} reasons for it")
        return self


class VocabularyUsed(RecordModel):
    """The class names that the model was prompted with, in label order."""

    class_names: Annotated[tuple[str, ...], Field(min_length=1, max_length=255)]
    digest: Sha256

    @classmethod
    def of(cls, class_names: Sequence[str]) -> VocabularyUsed:
        """Digest a list of class names; their order counts."""
        return cls(class_names=tuple(class_names), digest=content_digest(list(class_names)))

    @model_validator(mode="after")
    def _digest_agrees(self) -> VocabularyUsed:
        actual = content_digest(list(self.class_names))
        if self.digest != actual:
            raise ValueError(f"digest says {self.digest[:8]}, but the class names give {actual[:8]}")
        return self


class CountsFile(RecordModel):
    """The file of per-image counts beside the record."""

    file: FileName
    digest: Sha256
    """Of the decoded content, see :meth:`CountsTable.digest`."""


class ImageTimes(RecordModel):
    """Wall time of one image, in milliseconds, over the images of a run."""

    mean: Annotated[float, Field(ge=0)]
    median: Annotated[float, Field(ge=0)]
    p95: Annotated[float, Field(ge=0)]

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> ImageTimes | None:
        """Summarise the times of images; None where there are none."""
        if not milliseconds:
            return None
        mean, median, p95 = np.mean(milliseconds), np.median(milliseconds), np.percentile(milliseconds, 95)
        return cls(mean=round(float(mean), 3), median=round(float(median), 3), p95=round(float(p95), 3))


class Parameters(RecordModel):
    """Numbers of parameters of the model, frozen ones included in ``total``."""

    total: Count
    trainable: Count


class Run(RecordModel):
    """When, how and with what the model was driven; none of it may change the result."""

    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    """End of the run, UTC."""
    device: str
    """Name of the processor or accelerator."""
    processes: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(ge=0)]
    """Wall time of the last start, without what earlier, interrupted starts had finished."""
    resumed_images: Count = 0
    """Images that earlier starts had finished."""
    image_ms: ImageTimes | None = None
    parameters: Parameters | None = None
    packages: dict[str, str | None]
    """Installed version by package name; None for one that is not installed."""
    python: str
    platform: str
    """System and processor family, such as ``Linux x86_64``."""
    command: tuple[str, ...]
    """Words of the command line, paths reduced to file names."""


class Record(RecordModel):
    """The measured result of one model on one data set of one protocol."""

    format: Literal[4] = FORMAT
    kind: Literal["measured"] = "measured"
    model: ModelUsed
    protocol: ProtocolUsed
    dataset: DatasetUsed
    vocabulary: VocabularyUsed
    metrics: MetricValues
    confusion: tuple[tuple[Count, ...], ...]
    """K rows (truth) of K pixel counts (prediction)."""
    counts: CountsFile | None = None
    """None for a record without its per-image counts."""
    predictions: PredictionsUsed | None = None
    """The files that were scored; None for a model that ran here."""
    run: Run

    @classmethod
    def from_counts(
        cls,
        counts: CountsTable,
        *,
        model: ModelUsed,
        protocol: ProtocolUsed,
        dataset: DatasetUsed,
        class_names: Sequence[str],
        convention: Convention,
        run: Run,
        predictions: PredictionsUsed | None = None,
    ) -> Record:
        """Make the record of a finished evaluation; every figure is computed here.

        Args:
            counts: the counts of all evaluated images.
            model: what was measured.
            protocol: by which rules.
            dataset: on what; ``images`` must be the number of images in ``counts``.
            class_names: K prompts in label order.
            convention: of the metrics, as the protocol names it.
            run: when and how.
            predictions: the files that were scored, for label maps made elsewhere.
        """
        confusion = counts.confusion()
        record = cls(
            model=model,
            protocol=protocol,
            dataset=dataset,
            vocabulary=VocabularyUsed.of(class_names),
            metrics=metrics_of(confusion, convention),
            confusion=tuple(map(tuple, confusion.tolist())),
            predictions=predictions,
            run=run,
        )
        if dataset.images != len(counts):
            raise ValueError(f"dataset.images says {dataset.images}, but there are counts of {len(counts)} images")
        file = CountsFile(file=f"{record.stem}.counts.npz", digest=counts.digest())
        return record.model_copy(update={"counts": file})

    @field_validator("confusion")
    @classmethod
    def _square(cls, rows: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        if not rows or any(len(row) != len(rows) for row in rows):
            raise ValueError(
                f"must be square, but has {len(rows)} rows of {sorted({len(row) for row in rows})} columns"
            )
        return rows

    @model_validator(mode="after")
    def _figures_agree(self) -> Record:
        if len(self.confusion) != len(self.vocabulary.class_names):
            raise ValueError(
                f"confusion has {len(self.confusion)} classes, but vocabulary.class_names has "
                f"{len(self.vocabulary.class_names)}"
            )
        seen = self.dataset.seen_in_training
        if seen is not None and seen.train_set != self.model.train_set:
            raise ValueError(
                f"dataset.seen_in_training is about training on {seen.train_set}, but model.train_set says "
                f"{self.model.train_set}"
            )
        if (self.predictions is not None) != (self.model.kind == "predictions"):
            raise ValueError(f"model.kind says '{self.model.kind}', but predictions is {self.predictions!r}")
        if self.predictions is not None and self.predictions.images != self.dataset.images:
            raise ValueError(
                f"predictions.forms counts {self.predictions.images} images, but dataset.images says "
                f"{self.dataset.images}"
            )
        if self.dataset.key not in self.protocol.datasets:
            raise ValueError(f"protocol.datasets does not list dataset.key '{self.dataset.key}'")
        if self.dataset.images == 0 and any(map(any, self.confusion)):
            raise ValueError("dataset.images says 0, but confusion counts pixels")
        check_figures(self.metrics, metrics_of(self.confusion_array, self.metrics.convention))
        return self

    @property
    def confusion_array(self) -> NDArray[np.int64]:
        """(K, K) int64, rows truth."""
        return np.asarray(self.confusion, dtype=np.int64)

    @property
    def is_complete(self) -> bool:
        """True if all images of a whole data set were evaluated; only such records are ranked."""
        return not (self.dataset.limited or self.dataset.partial)

    def __repr__(self) -> str:
        miou = "undefined" if self.metrics.miou is None else f"{100 * self.metrics.miou:.2f}"
        words = (self.model.name, self.model.backbone, self.model.train_set or "no train set", self.dataset.key)
        return f"<Record {' '.join(words)}: mIoU {miou}, {self.protocol.name} {self.protocol.id}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from ovrisisbench.notebook import as_html
        from ovrisisbench.records.showing import print_record

        return as_html(lambda console: print_record(self, console))

    def identity(self) -> dict[str, Any]:
        """Return what was asked, without the answer: two runs of one identity must give one result.

        What training has seen changes the result only where it was left out.
        """
        dataset = self.dataset.model_dump(mode="json", exclude={"partial_reasons", "seen_in_training"})
        if self.dataset.left_out is not None:
            dataset["left_out"] = self.dataset.left_out
        # Of predictions made elsewhere their labels are all that tells one model from the next.
        scored = {} if self.predictions is None else {"predictions": self.predictions.digest}
        return {
            "model": self.model.identity(),
            "protocol": self.protocol.id,
            "dataset": dataset,
            "vocabulary": self.vocabulary.digest,
            "convention": self.metrics.convention,
            **scored,
        }

    @property
    def stem(self) -> str:
        """File name without suffix: readable, and different for every :meth:`identity`."""
        model = self.model
        words = (model.name, model.backbone, model.train_set or "no-train-set", self.dataset.key)
        return "_".join([*map(file_slug, words), short_id(self.identity())])

    def result_digest(self) -> str:
        """Return the sha256 of everything that a repetition must reproduce to the bit, 64 hex digits.

        ``run`` is left out, and so are the metrics: the confusion matrix and the convention settle them. What
        training has seen is left out too: it is known only where the training set is prepared.
        """
        content = self.model_dump(mode="json", exclude={"run": True, "metrics": True, "dataset": {"seen_in_training"}})
        return content_digest({**content, "convention": self.metrics.convention})
