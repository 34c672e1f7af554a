"""Confusion counts of scores that lie on an accelerator, without waiting for it after each image.

Two strategies, with the same integers as a result:

``device``
    Labels are made and counted on the device; K×K counts travel back.
``host``
    Labels are made on the device and travel back as bytes; a processor thread
    counts them while the device works on the next image.

Which one is faster has not been measured on a GPU yet; ``device`` is the
default because it moves the least data. ``benchmarks/device_counts.py``
compares the two wherever there is a GPU.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate._byte_maps import as_bytes
from ovrisisbench.evaluate._score_maps import checked_size, not_finite
from ovrisisbench.evaluate._torch_labels import device_labels
from ovrisisbench.evaluate.counts import confusion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    import torch
    from numpy.typing import NDArray

    from ovrisisbench.evaluate._byte_maps import LabelMap

__all__ = ["CountedImage", "DeviceCounter", "Strategy"]

Strategy = Literal["device", "host"]

_SPREAD = 32  # threads of a warp: each adds to its own counter of a pair
_COUNTED_PIXELS = 2**22  # per step, since every pixel needs an 8-byte index


class CountedImage(NamedTuple):
    """What was counted of one image."""

    name: str
    confusion: NDArray[np.int64]
    """(K, K), rows are truth."""


class DeviceCounter:
    """Turn scores into labels and counts, image by image, as the device gets to it.

    Results come in the order of submission, whatever finished first. Usable as
    a context manager, which ends the processor thread.

    Args:
        num_classes: K, 1..255.
        ignore_index: 0..255; pixels whose target has this value count nowhere.
        strategy: ``"device"`` or ``"host"``, see above.

    Raises:
        EvaluationError: an unknown strategy.

    Example:
        >>> import numpy as np, torch
        >>> scores = torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]]])
        >>> with DeviceCounter(num_classes=2) as counter:
        ...     counter.submit("tile_1", scores, np.array([[0, 0, 0, 1, 1, 255]], np.uint8))
        ...     image = next(counter.collect(wait=True))
        >>> image.name, image.confusion.tolist()
        ('tile_1', [[2, 1], [0, 2]])
    """

    def __init__(self, num_classes: int, ignore_index: int = 255, *, strategy: Strategy = "device") -> None:
        if strategy not in ("device", "host"):
            raise EvaluationError(f"There is no strategy '{strategy}': take 'device' or 'host'.")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.strategy = strategy
        self._pending: deque[_Pending] = deque()
        self._thread = ThreadPoolExecutor(1, "confusion") if strategy == "host" else None

    def submit(self, name: str, scores: torch.Tensor, target: LabelMap) -> None:
        """Queue one image; the device is not waited for.

        Args:
            name: the image's name, for the result and for errors.
            scores: (K, h, w) on the device, higher is better; read on the current stream.
            target: (H, W) integers 0..K-1 or ``ignore_index``; on the processor.

        Raises:
            EvaluationError: a wrong shape, or a target that is not of integers.
        """
        if len(target.shape) != 2:
            raise EvaluationError(f"The target of image '{name}' has shape {tuple(target.shape)}: give (H, W).")
        height, width = checked_size(scores, (target.shape[0], target.shape[1]), name)
        if scores.shape[0] != self.num_classes:
            raise EvaluationError(
                f"The scores of image '{name}' have {scores.shape[0]} classes, the vocabulary has "
                f"{self.num_classes}: set the vocabulary of the model first."
            )
        truth = as_bytes(target, "target", name).reshape(height, width)
        scores = scores.detach().float()
        job = _Job(
            name,
            truth,
            labels=device_labels(scores, height, width),
            is_broken=scores.isfinite().all().logical_not(),
            num_classes=self.num_classes,
            ignore_index=self.ignore_index,
        )
        self._pending.append(_OnDevice(job) if self._thread is None else _OnHost(job, self._thread))

    def collect(self, *, wait: bool = False) -> Iterator[CountedImage]:
        """Yield the images that are done, in the order of submission.

        After an error the image it names is dropped; call again for the images after it.

        Args:
            wait: wait for all that were submitted.

        Raises:
            EvaluationError: an image's scores were not finite, or its target has a label out of
                range.
        """
        while self._pending and (wait or self._pending[0].is_done()):
            yield self._pending.popleft().result()

    def close(self) -> None:
        """End the processor thread; what was not collected is lost."""
        self._pending.clear()
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Job:
    """One image on its way."""

    name: str
    truth: NDArray[np.uint8]
    labels: torch.Tensor
    """(H, W) uint8 on the device."""
    is_broken: torch.Tensor
    """One bool on the device: the scores were not finite."""
    num_classes: int
    ignore_index: int

    def counts_of(self, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Count on the processor."""
        return confusion(labels, self.truth, self.num_classes, self.ignore_index, name=self.name)


class _Pending(Protocol):
    def is_done(self) -> bool: ...

    def result(self) -> CountedImage: ...


class _OnDevice:
    """Counted on the device; the K×K counts and two more numbers arrive."""

    def __init__(self, job: _Job) -> None:
        import torch

        pairs = _count_pairs(job)
        known = pairs[: job.num_classes].clone()
        ignored = pairs[job.ignore_index].sum()
        if job.ignore_index < job.num_classes:
            known[job.ignore_index] = 0
        strays = job.truth.size - known.sum() - ignored
        numbers = torch.cat([known.reshape(-1), strays.reshape(1), job.is_broken.long().reshape(1)])
        self._job = job
        self._numbers = _Arrival(numbers)

    def is_done(self) -> bool:
        return self._numbers.is_here()

    def result(self) -> CountedImage:
        job = self._job
        *_, strays, is_broken = numbers = self._numbers.wait()
        if is_broken:
            raise not_finite(job.name)
        if strays:
            # Rare, and the device only knows how many: the processor finds out which, and raises.
            job.counts_of(np.zeros_like(job.truth))
        counts = numbers[:-2].reshape(job.num_classes, job.num_classes).copy()
        return CountedImage(job.name, counts)


class _OnHost:
    """Counted by a processor thread once the labels have arrived."""

    def __init__(self, job: _Job, thread: ThreadPoolExecutor) -> None:
        self._job = job
        self._labels = _Arrival(job.labels)
        self._is_broken = _Arrival(job.is_broken)
        self._counts = thread.submit(self._count)

    def _count(self) -> NDArray[np.int64]:
        if self._is_broken.wait():
            raise not_finite(self._job.name)
        return self._job.counts_of(self._labels.wait())

    def is_done(self) -> bool:
        return self._counts.done()

    def result(self) -> CountedImage:
        return CountedImage(self._job.name, self._counts.result())


class _Arrival:
    """A small tensor on its way to the processor."""

    def __init__(self, tensor: torch.Tensor) -> None:
        import torch

        self._event: torch.cuda.Event | None = None
        if tensor.device.type == "cuda":
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            self._event.record(torch.cuda.current_stream(tensor.device))
        else:
            self._host = tensor.cpu()

    def is_here(self) -> bool:
        return self._event is None or bool(self._event.query())  # type: ignore[no-untyped-call]  # as above

    def wait(self) -> NDArray[Any]:
        if self._event is not None:
            self._event.synchronize()
        array: NDArray[Any] = self._host.numpy()
        return array


def _count_pairs(job: _Job) -> torch.Tensor:
    """Return (256, K) int64 counts of (target byte, label) on the device; integer sums in any order."""
    import torch

    device = job.labels.device
    labels = job.labels.reshape(-1)
    truth = _upload(job.truth, device).reshape(-1)
    codes = 256 * job.num_classes
    counters = torch.zeros(_SPREAD * codes, dtype=torch.int32, device=device)
    one = torch.ones((), dtype=torch.int32, device=device)
    for start in range(0, labels.numel(), _COUNTED_PIXELS):
        piece = slice(start, start + _COUNTED_PIXELS)
        index = truth[piece].long().mul_(job.num_classes).add_(labels[piece])
        index += torch.arange(index.numel(), device=device).remainder_(_SPREAD).mul_(codes)
        counters.scatter_add_(0, index, one.expand_as(index))
    return counters.reshape(_SPREAD, 256, job.num_classes).sum(dim=0, dtype=torch.int64)


def _upload(truth: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Copy a label map to the device without waiting for it."""
    import torch

    staging = torch.empty(truth.shape, dtype=torch.uint8, pin_memory=device.type == "cuda")
    staging.numpy()[...] = truth
    return staging.to(device, non_blocking=True)
