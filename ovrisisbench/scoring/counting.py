"""Files of predictions against the truth: what fits is counted, what does not is told all at once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ovrisisbench.errors import DataError
from ovrisisbench.scoring.folder import FoundFile, Matched, shortened
from ovrisisbench.scoring.reading import Prediction, read_prediction
from ovrisisbench.scoring.report import ScoreReport
from ovrisisbench.scoring.value_names import Labels, ValueNames, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.evaluate.image_counts import ImageCounts
    from ovrisisbench.evaluate.kept_labels import KeptLabels
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import PredictionsUsed

__all__ = ["Counting"]


@dataclass(slots=True)
class Counting:
    """One pass over the files; what is wrong with them is gathered and said at the end."""

    dataset: PreparedDataset
    class_names: Sequence[str]
    names: ValueNames
    values: Values
    named: bool
    """True if a file names the classes, so that scores may have other channels than the vocabulary has classes."""
    kept: KeptLabels | None = None
    """Where the label maps are written as they are counted."""
    images: list[ImageCounts] = field(default_factory=list)
    forms: Counter[str] = field(default_factory=Counter)
    digests: dict[str, str] = field(default_factory=dict)
    misfits: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    def count(self, matched: Matched, report: ScoreReport) -> None:
        """Count all files, or raise one error about all of them."""
        samples = {sample.id: index for index, sample in enumerate(self.dataset.samples)}
        kept: tuple[Path, Prediction] | None = None
        for done, (image_id, found) in enumerate(matched.files.items(), start=1):
            # Windows of one scene follow one another, so a whole scene is decoded once.
            if kept is None or kept[0] != found.path:
                kept = (found.path, read_prediction(found.path))
            self._count_one(samples[image_id], image_id, found, kept[1])
            report.progress(done, len(matched.files))
        problems = []
        if self.misfits:
            problems.append(
                f"{len(self.misfits):,} prediction(s) do not have the size of their image: {shortened(self.misfits)}."
            )
        if self.strays:
            problems.append(
                f"{len(self.strays):,} prediction(s) hold values that mean none of the {len(self.class_names)} "
                f"classes: {shortened(self.strays)}; name the class of each value in a file and give it to "
                "--vocabulary."
            )
        if problems:
            raise DataError(" ".join(problems))

    def used(self, vocabulary: Path | None, source: str | None) -> PredictionsUsed:
        """Return what a record says of the files."""
        from ovrisisbench.records import PredictionsUsed

        lines = (f"{image_id}\t{digest}\n" for image_id, digest in sorted(self.digests.items()))
        return PredictionsUsed(
            digest=hashlib.sha256("".join(lines).encode()).hexdigest(),
            forms=dict(sorted(self.forms.items())),
            vocabulary_file=vocabulary.name if vocabulary else None,
            source=source,
        )

    def _count_one(self, index: int, image_id: str, found: FoundFile, prediction: Prediction) -> None:
        from ovrisisbench.evaluate import confusion
        from ovrisisbench.evaluate.image_counts import ImageCounts

        truth = self.dataset.label(index)
        name = found.path.name
        if prediction.kind == "scores":
            read = self._of_scores(prediction, found, truth.shape)
        else:
            read = self._of_pixels(prediction, found, truth.shape)
        if read is None:
            height, width = prediction.values.shape[1:] if prediction.kind == "scores" else prediction.values.shape[:2]
            self.misfits.append(f"{name} has {height}x{width}, but image {image_id} {truth.shape[0]}x{truth.shape[1]}")
            return
        stray = read.stray(truth)
        if stray:
            self.strays.append(f"{name} ({stray})")
            return
        counts = confusion(read.labels, truth, len(self.class_names), name=image_id)
        self.images.append(ImageCounts.from_confusion(image_id, counts, 0.0))
        if self.kept is not None:
            self.kept.keep(image_id, read.labels)
        self.forms[prediction.form] += 1
        size = f"{read.labels.shape[0]}x{read.labels.shape[1]} ".encode()
        self.digests[image_id] = hashlib.sha256(size + read.labels.tobytes()).hexdigest()

    def _of_pixels(self, prediction: Prediction, found: FoundFile, size: tuple[int, ...]) -> Labels | None:
        values = prediction.values
        if found.box is not None:
            values = values[found.box.y0 : found.box.y1, found.box.x0 : found.box.x1]
        if values.shape[:2] != size:
            return None
        part = Prediction(prediction.form, prediction.kind, values, prediction.palette)
        return self.names.labels_of(part, str(found.path), self.values)

    def _of_scores(self, prediction: Prediction, found: FoundFile, size: tuple[int, ...]) -> Labels | None:
        from ovrisisbench.evaluate import label_map

        scores: NDArray[np.floating] = prediction.values.astype(np.float32)
        channels, height, width = scores.shape
        if not self.named and channels != len(self.class_names):
            raise DataError(
                f"{found.path} holds scores of {channels} classes, but the vocabulary has {len(self.class_names)}; "
                "name the class of each channel in a file and give it to --vocabulary."
            )
        # Maps at the model's own resolution are stretched as those of a run are; a cell more or less is rounding.
        if found.box is not None or abs(height * size[1] - width * size[0]) > size[0] + size[1]:
            return None
        if (height, width) == size:
            if not np.isfinite(scores).all():
                raise DataError(f"{found.path} holds NaN or infinity, so its highest class cannot be told.")
            return self.names.of_indices(scores.argmax(axis=0))
        return self.names.of_indices(label_map(scores, (size[0], size[1]), name=str(found.path)))
