"""Small third-party adapters for the tests: one that keeps the contract, and others that break it."""

from collections.abc import Sequence

import numpy as np

from ovrisisbench.adapter import AdapterInfo, CheckpointReport, LoadOptions, ScoreMap
from ovrisisbench.errors import CheckpointError


def info(name: str, **more) -> AdapterInfo:
    return AdapterInfo(
        name=name,
        title=name.title(),
        summary="For tests.",
        adapter="unused:unused",
        backbones={"none": "no network"},
        kind="training-free",
        **more,
    )


class Brightness:
    """Class k is where the mean channel lies in the k-th of K equal ranges; keeps the contract."""

    info = info("brightness", concurrent=True)

    def __init__(self, options: LoadOptions) -> None:
        self.options = options
        self.names: tuple[str, ...] = ()

    @classmethod
    def load(cls, options: LoadOptions):
        return cls(options)

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        self.names = tuple(class_names)

    def predict(self, images, *, image_ids):
        return [self._scores(image) for image in images]

    def describe(self):
        return {"ranges": "equal"}

    def _scores(self, image: np.ndarray) -> ScoreMap:
        grey = image.astype(np.float32).mean(axis=2)[::2, ::2]
        centres = (np.arange(len(self.names), dtype=np.float32) + 0.5) * (256 / len(self.names))
        return ScoreMap(-np.abs(grey[None] - centres[:, None, None]), image.shape[:2])


class DependsOnBatch(Brightness):
    info = info("depends-on-batch")

    def predict(self, images, *, image_ids):
        maps = super().predict(images, image_ids=image_ids)
        return [ScoreMap(one.scores + np.float32(len(images)), one.image_size) for one in maps]


class NotFinite(Brightness):
    info = info("not-finite")

    def predict(self, images, *, image_ids):
        maps = super().predict(images, image_ids=image_ids)
        maps[0].scores[0, 0, 0] = np.nan
        return maps


class WrongType(Brightness):
    info = info("wrong-type")

    def predict(self, images, *, image_ids):
        return [
            ScoreMap(one.scores.astype(np.float64), one.image_size)
            for one in super().predict(images, image_ids=image_ids)
        ]


class ForgetsVocabulary(Brightness):
    info = info("forgets-vocabulary")

    def set_vocabulary(self, class_names):
        self.names = self.names or tuple(class_names)


class WritesIntoImages(Brightness):
    info = info("writes-into-images")

    def predict(self, images, *, image_ids):
        maps = super().predict(images, image_ids=image_ids)
        images[0][0, 0] ^= 1
        return maps


class CannotLoad(Brightness):
    info = info("cannot-load")

    @classmethod
    def load(cls, options):
        raise CheckpointError("The weights are not here; give --checkpoint.")


class Odd(Brightness):
    info = info("odd")

    def describe(self):
        return {"network": object()}


BOUND = AdapterInfo(
    name="bound",
    title="Bound",
    summary="Its weights have one row for each class that it was trained with.",
    adapter="tests.adapter.drawn_adapters:Brightness",
    backbones={"none": "no network"},
    checkpoint_reader="tests.adapter.drawn_adapters:bound_report",
)


def bound_report(shapes) -> CheckpointReport | None:
    if "bound.weight" not in shapes:
        return None
    rows = shapes["bound.weight"][0]
    return CheckpointReport(model="bound", backbone="none", vocabulary_size=rows, trained_classes=rows)


def failing_report(shapes) -> CheckpointReport | None:
    raise CheckpointError("This reader is out of order; install a newer one.")


class NoPredict:
    info = info("no-predict")

    @classmethod
    def load(cls, options):
        return cls()


class WithCosts(Brightness):
    """Also shows what it compares."""

    info = info("with-costs")

    def cost_maps(self, image):
        return {"grey": self._scores(image).scores}
