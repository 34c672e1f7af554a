"""The arithmetic of matrix products, chosen by ``--precision`` and written into the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from ovrisisbench.adapter.interface import Precision
from ovrisisbench.errors import EvaluationError

__all__ = ["PRECISIONS", "inference", "matmul_arithmetic"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@contextmanager
def matmul_arithmetic(precision: Precision, device: str) -> Iterator[None]:
    """Set the process-wide arithmetic of float32 products, and put it back afterwards.

    ``float32`` forbids TF32, which moves about 3 % of the near-tied pixels of RSKT-Seg;
    ``tf32`` is what the official scripts set on a GPU. On a CPU every operator runs on one
    thread: the result of an image then does not depend on the number of cores, and images
    are spread over cores instead.

    Args:
        precision: the arithmetic.
        device: the torch device that the model runs on.

    Raises:
        EvaluationError: TF32 is asked for where there is no CUDA device.
    """
    import torch

    if precision == "tf32" and not device.startswith("cuda"):
        raise EvaluationError(f"--precision tf32 needs a CUDA device, but the run is on '{device}'; use float32.")
    matmul_before = torch.get_float32_matmul_precision()
    cudnn_before = torch.backends.cudnn.allow_tf32
    threads_before = torch.get_num_threads()
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(matmul_before)
        torch.backends.cudnn.allow_tf32 = cudnn_before
        torch.set_num_threads(threads_before)


@contextmanager
def inference(precision: Precision, device: str) -> Iterator[None]:
    """Run what stands inside, in this thread, without gradients and under autocast for ``bfloat16``."""
    import torch

    kind = device.split(":", maxsplit=1)[0]
    with (
        torch.inference_mode(),
        torch.autocast(kind, dtype=torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        yield
