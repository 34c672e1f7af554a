"""Confusion counts of label maps: integers first, every division later.

Whole bytes are counted, pair by pair, and mapped to classes afterwards. So a
label outside the vocabulary cannot slip into a neighbouring class, and costs
nothing to find: pixels that are neither known nor ignored are missing from the sum.

Orientation is that of scikit-learn and torchmetrics: rows are truth, columns
are predictions. Detectron2 keeps the transpose, with a last row and column for
ignored pixels.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate._byte_maps import as_bytes, of_image
from ovrisisbench.evaluate._kernels import numba_is_usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.evaluate._byte_maps import LabelMap

__all__ = ["ConfusionCounter", "CountPath", "confusion"]

CountPath = Literal["auto", "numba", "torch", "numpy"]
"""Who counts; all paths give the same integers, ``auto`` takes the fastest that is installed."""

_TALLY_LIMIT = 2**32 - 1  # pixels; the numba tables hold 32-bit counters


class _Tally(Protocol):
    """Counts of every (target byte, prediction byte)."""

    def add(self, target: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> None: ...

    def take(self, num_classes: int, ignore_index: int) -> tuple[NDArray[np.int64], int]: ...

    def take_strays(self) -> NDArray[np.int64]: ...


def confusion(
    prediction: LabelMap,
    target: LabelMap,
    num_classes: int,
    ignore_index: int = 255,
    *,
    path: CountPath = "auto",
    name: str = "",
) -> NDArray[np.int64]:
    """Count how often each class was taken for each other class.

    Args:
        prediction: integers 0..K-1, any shape and memory layout, numpy or torch on any device;
            uint8 is fastest. Where the target is ignored, any value up to 255 may stand.
        target: integers 0..K-1 or ``ignore_index``, of the same shape.
        num_classes: K, 1..255.
        ignore_index: 0..255; pixels whose target has this value count nowhere, also if it is
            the index of a class.
        path: ``"numba"`` (the extra ``[fast]``), ``"torch"`` or ``"numpy"`` to force one;
            ``"auto"`` takes numba where it is installed, else torch if this process has
            imported it anyway, else numpy. The counts are the same.
        name: the image's name, put into the sentence of an error.

    Returns:
        (K, K) int64, rows are truth, columns are predictions.

    Raises:
        EvaluationError: unequal shapes, a label out of range, or not integers.

    Example:
        >>> import numpy as np
        >>> target = np.array([[0, 0, 1], [1, 2, 255]], np.uint8)
        >>> prediction = np.array([[0, 1, 1], [1, 0, 2]], np.uint8)
        >>> confusion(prediction, target, num_classes=3)
        array([[1, 1, 0],
               [0, 2, 0],
               [1, 0, 0]])
    """
    settings = (num_classes, ignore_index, path)
    counter = _idle.counters.pop(settings, None) or ConfusionCounter(num_classes, ignore_index, path=path)
    counter.update(prediction, target, name=name)
    counts = counter.take(name=name)
    # Only a counter that came through without an error is known to be empty.
    _idle.counters = {settings: counter}
    return counts


class ConfusionCounter:
    """Confusion counts summed over images: the sum of what :func:`confusion` returns for each.

    Not for several threads at once: give each its own counter and add what they return.

    Args:
        num_classes: K, 1..255.
        ignore_index: 0..255, see :func:`confusion`.
        path: see :func:`confusion`.

    Example:
        >>> import numpy as np
        >>> counter = ConfusionCounter(num_classes=2)
        >>> counter.update(np.array([0, 1, 1]), np.array([0, 0, 255]))
        >>> counter.take()
        array([[1, 1],
               [0, 0]])
        >>> int(counter.take().sum())
        0
    """

    def __init__(self, num_classes: int, ignore_index: int = 255, *, path: CountPath = "auto") -> None:
        if not 1 <= num_classes <= 255:
            raise EvaluationError(f"num_classes is {num_classes}: label maps of bytes hold 1 to 255 classes.")
        if not 0 <= ignore_index <= 255:
            raise EvaluationError(f"ignore_index is {ignore_index}: give the byte 0..255 of ignored pixels.")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self._tally = _tally(path, num_classes)
        self._tally_pixels = 0
        self._counts = np.zeros((num_classes, num_classes), np.int64)

    def update(self, prediction: LabelMap, target: LabelMap, *, name: str = "") -> None:
        """Add one image; label values are checked by the next :meth:`take`.

        Args:
            prediction: as for :func:`confusion`.
            target: as for :func:`confusion`.
            name: the image's name, put into the sentence of an error.

        Raises:
            EvaluationError: unequal shapes, or not integers that fit into a byte.
        """
        if tuple(prediction.shape) != tuple(target.shape):
            raise EvaluationError(
                f"The prediction{of_image(name)} has shape {_times(prediction)} and its target "
                f"{_times(target)}: compare label maps of one size."
            )
        predicted = as_bytes(prediction, "prediction", name)
        truth = as_bytes(target, "target", name)
        for start in range(0, truth.size, _TALLY_LIMIT):
            piece = truth[start : start + _TALLY_LIMIT]
            if self._tally_pixels + piece.size > _TALLY_LIMIT:
                self._fold(name)
            self._tally.add(piece, predicted[start : start + _TALLY_LIMIT])
            self._tally_pixels += piece.size

    def take(self, *, name: str = "") -> NDArray[np.int64]:
        """Return the (K, K) int64 counts since the last call, and start anew.

        Args:
            name: what was counted since the last call, put into the sentence of an error.

        Raises:
            EvaluationError: a label was out of range; the counts are dropped.
        """
        self._fold(name)
        counts, self._counts = self._counts, np.zeros_like(self._counts)
        return counts

    def _fold(self, name: str) -> None:
        """Empty the tally into the counts."""
        counts, known_pixels = self._tally.take(self.num_classes, self.ignore_index)
        expected, self._tally_pixels = self._tally_pixels, 0
        if known_pixels != expected:
            self._counts[:] = 0
            raise _stray_error(self._tally.take_strays(), self.num_classes, self.ignore_index, name)
        self._counts += counts


class _Idle(threading.local):
    """The last counter that :func:`confusion` used in each thread: its tables need not be made again."""

    def __init__(self) -> None:
        self.counters: dict[tuple[int, int, CountPath], ConfusionCounter] = {}


_idle = _Idle()


def _tally(path: CountPath, num_classes: int) -> _Tally:
    """Choose who counts."""
    if path == "auto":
        path = "numba" if numba_is_usable() else "torch"
    if path == "numba":
        if not numba_is_usable():
            raise EvaluationError("The path 'numba' needs numba: install ovrisisbench[fast], or leave path at 'auto'.")
        from ovrisisbench.evaluate._numba_counts import NumbaTally

        return NumbaTally()
    if path in ("torch", "numpy"):
        from ovrisisbench.evaluate._coded_counts import CodedTally

        return CodedTally(num_classes, path)
    raise EvaluationError(f"There is no path '{path}': take 'auto', 'numba', 'torch' or 'numpy'.")


def _stray_error(pairs: NDArray[np.int64], num_classes: int, ignore_index: int, name: str) -> EvaluationError:
    """Name the first value that is not in the vocabulary, truth before prediction."""
    of_rows = pairs.sum(axis=1)
    of_rows[:num_classes] = 0
    of_rows[ignore_index] = 0
    what, counts = ("target", of_rows) if of_rows.any() else ("prediction", pairs.sum(axis=0))
    if what == "prediction":
        counts[:num_classes] = 0
    value = int(np.flatnonzero(counts)[0])
    allowed = f"0..{num_classes - 1}" + (f" or {ignore_index} (ignored)" if what == "target" else "")
    advice = (
        "check the data set's label table"
        if what == "target"
        else f"a model must choose among the {num_classes} classes of its vocabulary"
    )
    pixels = f"{int(counts[value]):,} pixel" + ("s" if counts[value] > 1 else "")
    return EvaluationError(
        f"The {what}{of_image(name)} has {pixels} of value {value}, but labels are {allowed}: {advice}."
    )


def _times(array: LabelMap) -> str:
    return "×".join(str(length) for length in array.shape) or "()"
