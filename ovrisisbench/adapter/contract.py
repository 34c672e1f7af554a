"""The contract test that any adapter can be put through: ``ovrisis-bench check-adapter``.

Each check is a promise of :class:`ovrisisbench.adapter.interface.Adapter` that
a benchmark number rests on. They run on a few small drawn images and need no data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ovrisisbench.adapter.interface import Adapter, LoadOptions, ScoreMap, TruthReader
from ovrisisbench.adapter.precision import inference, matmul_arithmetic
from ovrisisbench.adapter.registry import FoundAdapter
from ovrisisbench.adapter.score_maps import check_score_maps
from ovrisisbench.errors import OvrisisBenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Check", "check_adapter"]

_SIZES = ((96, 96), (64, 128), (120, 40))
_NAMES = ("road", "water", "low vegetation", "Clutter/background")
_OTHER_NAMES = ("ship", "harbor")


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check."""

    name: str
    """What is promised."""
    passed: bool
    detail: str
    """What was seen when it failed, else empty."""


def check_adapter(found: FoundAdapter, options: LoadOptions) -> list[Check]:
    """Load a model and test every promise of the adapter contract.

    Args:
        found: the model.
        options: how to load it; ``untrained`` is enough.

    Returns:
        One check for each promise, in order. When loading fails, only that one.
    """
    return _Examination(found, options).run()


class _Examination:
    def __init__(self, found: FoundAdapter, options: LoadOptions) -> None:
        self.found = found
        self.options = options
        self.images = _drawn_images()
        self.ids = [f"drawn_{position}" for position in range(len(self.images))]
        self.adapter: Adapter

    def run(self) -> list[Check]:
        with matmul_arithmetic(self.options.precision, self.options.device):
            return self._run()

    def _run(self) -> list[Check]:
        loaded = _outcome("loads with the given options", self._load)
        if not loaded.passed:
            return [loaded]
        promises: list[tuple[str, Callable[[], str]]] = [
            ("describes its settings as plain values", self._describe),
            ("returns one (K, h, w) float32 map per image, with the image's size", self._shapes),
            ("returns finite scores", self._finite),
            ("gives the same scores when asked again", self._repeatable),
            ("gives an image the same scores alone and in a batch, in any order", self._company),
            ("follows a change of vocabulary, and back", self._vocabulary),
            ("accepts a vocabulary of one class", self._one_class),
            ("leaves the images as they were", self._images_untouched),
        ]
        if self.found.info.concurrent:
            promises.append(("gives the same scores from several threads at once", self._threads))
        return [loaded, *(_outcome(name, promise) for name, promise in promises)]

    def _load(self) -> str:
        self.adapter = self.found.load_class().load(self.options)
        return ""

    def _scores(self, order: Sequence[int], names: Sequence[str] = _NAMES) -> list[NDArray[np.float32]]:
        self._set(names)
        return [_array(score_map) for score_map in self._predict(order)]

    def _set(self, names: Sequence[str]) -> None:
        with inference(self.options.precision, self.options.device):
            self.adapter.set_vocabulary(names)
            if isinstance(self.adapter, TruthReader):
                self.adapter.see_truth([len(names) - position for position in range(len(names))])

    def _predict(self, order: Sequence[int]) -> Sequence[ScoreMap]:
        with inference(self.options.precision, self.options.device):
            return self.adapter.predict(
                [self.images[position] for position in order], image_ids=[self.ids[position] for position in order]
            )

    def _describe(self) -> str:
        described = dict(self.adapter.describe())
        try:
            json.dumps(described, allow_nan=False)
        except (TypeError, ValueError) as error:
            return str(error)
        odd = [key for key, value in described.items() if not isinstance(value, str | int | float | bool | None)]
        return f"not plain: {', '.join(odd)}" if odd else ""

    def _shapes(self) -> str:
        self._set(_NAMES)
        check_score_maps(
            self._predict(range(len(self.images))), num_classes=len(_NAMES), images=self.images, image_ids=self.ids
        )
        return ""

    def _finite(self) -> str:
        import numpy as np

        bad = [
            image_id
            for image_id, scores in zip(self.ids, self._scores(range(len(self.images))), strict=True)
            if not np.isfinite(scores).all()
        ]
        return f"NaN or infinite scores for {', '.join(bad)}" if bad else ""

    def _repeatable(self) -> str:
        everything = range(len(self.images))
        return _difference(self._scores(everything), self._scores(everything))

    def _company(self) -> str:
        together = self._scores(range(len(self.images)))
        alone = [self._scores([position])[0] for position in range(len(self.images))]
        backwards = self._scores(range(len(self.images) - 1, -1, -1))[::-1]
        return _difference(together, alone) or _difference(together, backwards)

    def _vocabulary(self) -> str:
        first = self._scores([0])
        other = self._scores([0], _OTHER_NAMES)
        if other[0].shape[0] != len(_OTHER_NAMES):
            return f"{other[0].shape[0]} classes for a vocabulary of {len(_OTHER_NAMES)}"
        return _difference(first, self._scores([0]))

    def _one_class(self) -> str:
        shape = self._scores([0], _NAMES[:1])[0].shape
        return "" if shape[0] == 1 else f"a map of shape {shape}"

    def _images_untouched(self) -> str:
        import numpy as np

        before = [image.copy() for image in self.images]
        self._scores(range(len(self.images)))
        same = all(np.array_equal(one, two) for one, two in zip(before, self.images, strict=True))
        return "" if same else "predict wrote into its input"

    def _threads(self) -> str:
        alone = self._scores(range(len(self.images)))
        with ThreadPoolExecutor(len(self.images)) as pool:
            at_once = list(pool.map(lambda position: _array(self._predict([position])[0]), range(len(self.images))))
        return _difference(alone, at_once)


def _outcome(name: str, promise: Callable[[], str]) -> Check:
    try:
        detail = promise()
    except OvrisisBenchError as error:
        detail = str(error)
    except Exception as error:  # the plug-in's bug is what is being looked for
        detail = f"{type(error).__name__}: {error}"
    return Check(name, not detail, detail)


def _difference(first: Sequence[NDArray[np.float32]], second: Sequence[NDArray[np.float32]]) -> str:
    import numpy as np

    for position, (one, two) in enumerate(zip(first, second, strict=True)):
        if one.shape != two.shape:
            return f"shapes {one.shape} and {two.shape} for image {position}"
        if not np.array_equal(one, two, equal_nan=True):
            return f"scores differ by up to {np.nanmax(np.abs(one - two)):.3g} for image {position}"
    return ""


def _array(score_map: ScoreMap) -> NDArray[np.float32]:
    import numpy as np

    scores: Any = score_map.scores
    return np.asarray(scores if isinstance(scores, np.ndarray) else scores.detach().cpu().numpy())


def _drawn_images() -> list[NDArray[np.uint8]]:
    import numpy as np

    generator = np.random.default_rng(0)
    images = []
    for height, width in _SIZES:
        coarse = generator.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        images.append(np.ascontiguousarray(coarse.repeat(8, axis=0).repeat(8, axis=1)))
    return images
